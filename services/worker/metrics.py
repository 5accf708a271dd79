"""The worker's metrics, and the small server that shows them."""

import math
import os
import threading
import time
from collections.abc import Iterable
from pathlib import Path

import psutil
from prometheus_client import start_http_server
from prometheus_client.registry import Collector

from services.common.jobtypes import registry
from services.common.ledger import State
from services.common.metrics import OTHER, Bounded, Metrics, create_metrics
from services.common.settings import listen_address

# An attempt that was given back or taken over did not end here: another worker counts it.
STATUSES = {
    State.SUCCEEDED: "succeeded",
    State.DEAD: "failed",
    State.RETRYING: "failed",
    State.CANCELLED: "cancelled",
}

# The limit of a container, as it sees its own control group: version 2, then version 1, where none is a huge number.
LIMIT_FILES = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))

ERROR_TYPES = 50
"""So many types of errors get a label of their own: their names are chosen by whoever writes a job type."""


class WorkerMetrics:
    """Events of this worker, as metrics; methods may be called from any thread."""

    def __init__(self, job_memory_limit: float = math.inf) -> None:
        known = sorted(registry().types)
        self._metrics: Metrics = create_metrics("worker", [*known, OTHER])
        timeouts = self._metrics.gauge("job_timeout_seconds")
        timeouts.remove(OTHER)
        for name, job_type in registry().types.items():
            timeouts.labels(name).set(job_type.timeout_s)
        # A job in the ledger may be of a type that another version of the services knew.
        self._job_types = Bounded(known)
        self._error_types = Bounded((), ERROR_TYPES)
        self._processes: dict[int, psutil.Process] = {}
        self._job_memory_limit = job_memory_limit
        self._container_limit = container_limit()
        self._lock = threading.Lock()
        self._running = 0
        self._metrics.gauge("worker_active").set(1)

    def add(self, collector: Collector) -> None:
        """Show what is gathered at each scrape, too."""
        self._metrics.add(collector)

    def serve(self, listen: str) -> int:
        """Answer scrapes in a thread of its own; the port. Raises ``OSError`` when the address is taken."""
        host, port = listen_address(listen)
        server, _ = start_http_server(port, host, registry=self._metrics.registry)
        return int(server.server_port)

    def job_started(self, job_type: str) -> None:
        self._busy(1)
        self._metrics.gauge("worker_job_started_timestamp_seconds").labels(self._job_types.value(job_type)).set(
            time.time()
        )

    def job_ended(self, job_type: str) -> None:
        self._busy(-1)
        self._metrics.gauge("worker_job_started_timestamp_seconds").labels(self._job_types.value(job_type)).set(0)

    def _busy(self, change: int) -> None:
        """1 with one job and with two: how many workers have work."""
        with self._lock:
            self._running += change
            self._metrics.gauge("worker_busy").set(int(self._running > 0))

    def job_recorded(self, job_type: str, state: State, seconds: float) -> None:
        if state not in STATUSES:
            return
        self._count(job_type, state)
        self._metrics.histogram("worker_job_duration_seconds").labels(self._job_types.value(job_type)).observe(seconds)

    def job_abandoned(self, job_type: str, state: State) -> None:
        """Another worker died with it; how long its last attempt took, nobody knows."""
        self._count(job_type, state)
        if state is State.DEAD:
            self.error("WorkerLost")

    def _count(self, job_type: str, state: State) -> None:
        job_type = self._job_types.value(job_type)
        self._metrics.counter("worker_jobs_processed_total").labels(job_type, STATUSES[state]).inc()
        if state is State.RETRYING:
            self._metrics.counter("job_retries_total").labels(job_type).inc()
        if state is State.DEAD:
            self._metrics.counter("job_dlq_moves_total").labels(job_type).inc()

    def error(self, error_type: str) -> None:
        self._metrics.counter("worker_errors_total").labels(self._error_types.value(error_type)).inc()

    def database_error(self) -> None:
        self._metrics.counter("db_connection_errors_total").inc()

    def redis_operation(self, operation: str, status: str) -> None:
        self._metrics.counter("redis_operations_total").labels(operation, status).inc()

    def active(self, *, takes_jobs: bool) -> None:
        self._metrics.gauge("worker_active").set(int(takes_jobs))

    def beat(self, at: float) -> None:
        """A heartbeat went out."""
        self._metrics.gauge("worker_heartbeat_timestamp").set(at)

    def resources(self, children: Iterable[int]) -> int:
        """Look at those of this process and of its job processes; the memory of all in bytes."""
        memory, largest, cpu = 0, 0, 0.0
        for process in self._look_at({os.getpid(), *children}):
            try:
                used = process.memory_info().rss
                cpu += process.cpu_percent()
            except psutil.Error:
                continue
            memory += used
            largest = max(largest, used if process.pid != os.getpid() else 0)
        self._metrics.gauge("worker_memory_bytes").set(memory)
        # The worker ends its larger job at that limit; the kernel ends something where all reach the container's.
        limit = min(memory - largest + self._job_memory_limit, self._container_limit)
        self._metrics.gauge("worker_memory_limit_bytes").set(limit)
        self._metrics.gauge("worker_cpu_percent").set(cpu)
        return memory

    def _look_at(self, pids: set[int]) -> list[psutil.Process]:
        """The same objects each time: a percentage is the difference to the look before."""
        for pid in pids - set(self._processes):
            try:
                self._processes[pid] = psutil.Process(pid)
            except psutil.NoSuchProcess:
                continue
        self._processes = {pid: process for pid, process in self._processes.items() if pid in pids}
        return list(self._processes.values())


def container_limit(files: tuple[Path, ...] = LIMIT_FILES) -> float:
    """Memory in bytes; infinite outside of a container, and where it has no limit."""
    for file in files:
        try:
            return float(file.read_text())
        except (OSError, ValueError):  # no such version; ``max``
            continue
    return math.inf
