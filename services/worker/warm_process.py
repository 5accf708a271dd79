"""Keeps one job process warm, and starts the next one as soon as one is used up; or starts one when it is wanted."""

import threading
from concurrent.futures import Future, ThreadPoolExecutor

import structlog

from services.worker.process import ChildDied, JobProcess

log = structlog.get_logger(__name__)


class WarmProcess:
    """One job process at a time, ready before it is needed; without ``keep`` only while it has a job.

    The kernel kills a process with a parent-death signal when the *thread* that started it ends, so all of
    them are started by one thread that lives as long as the worker.
    """

    def __init__(self, *, keep: bool = True) -> None:
        self._keep = keep
        self._starter = ThreadPoolExecutor(max_workers=1, thread_name_prefix="warm-process")
        self._next: Future[JobProcess] | None = None
        self._wanted = threading.Event()
        self._closed = False

    @property
    def pid(self) -> int | None:
        """Of the process, once it is ready."""
        future = self._next
        ready = future is not None and future.done() and future.exception() is None
        return future.result().pid if future is not None and ready else None

    def prepare(self, within: float = 0.0) -> None:
        """Start a process if one is to be kept and there is none: ``within`` seconds, or as soon as it is wanted."""
        if self._keep:
            self._provide(within)

    def _provide(self, within: float) -> None:
        if self._next is None:
            self._next = self._starter.submit(self._start, within)

    def _start(self, within: float) -> JobProcess:
        self._wanted.wait(within)
        if self._closed:
            raise ChildDied("the worker ends")
        process = JobProcess()
        try:
            process.wait_ready()
        except BaseException:
            process.end()
            raise
        return process

    def wait_ready(self) -> None:
        """Wait for the process that is kept; raises ``ChildDied`` when none could be started."""
        if self._keep:
            self.get()

    def get(self) -> JobProcess:
        """The process, ready for orders; raises ``ChildDied`` when none could be started."""
        self._wanted.set()
        for _ in range(2):
            self._provide(0.0)
            assert self._next is not None  # noqa: S101 - prepared above
            try:
                process = self._next.result()
            except (ChildDied, OSError) as error:
                self._next = None
                raise ChildDied(f"no job process could be started: {error}") from error
            if process.alive:
                return process
            # It died while idle, which is nobody's failure.
            log.warning("idle job process died", pid=process.pid, exit_code=process.end())
            self._next = None
        raise ChildDied("job processes die as soon as they are started")

    def give_back(self, process: JobProcess, *, used_up: bool) -> None:
        """After a job: keep the process for the next one, or end it and everything it started."""
        if used_up or not self._keep:
            self.retire(process)

    def retire(self, process: JobProcess) -> None:
        """End the process and everything it started, and prepare the next one."""
        process.end()
        self._next = None
        self.prepare()

    def close(self) -> None:
        self._closed = True
        self._wanted.set()
        if self._next is not None and self._next.done() and self._next.exception() is None:
            self._next.result().end()
        self._next = None
        self._starter.shutdown(wait=False)
