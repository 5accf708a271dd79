"""The local engine: services as supervised processes of this host, no Docker at all.

Memory: without a control group nothing can cap a group of processes, so ``deploy.resources`` limits are not
enforced here and ``Stats.memory_limit`` stays empty; a job's limit (JOB_MEMORY_LIMIT) is the worker's own to keep.
"""

import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
import threading
import time
import xmlrpc.client
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from tradebot_ops.engines.base import (
    Address,
    Event,
    ExecResult,
    Instance,
    LogLine,
    LogQuery,
    Progress,
    Stats,
)
from tradebot_ops.engines.local import history, logs, strays
from tradebot_ops.engines.local.describe import Described, describe, wishes
from tradebot_ops.engines.local.layout import Layout
from tradebot_ops.engines.local.localise import Places, localise
from tradebot_ops.engines.local.logs import Source
from tradebot_ops.engines.local.ports import Ports
from tradebot_ops.engines.local.records import Record, Records, replica_name
from tradebot_ops.engines.local.snapshot import instance_of
from tradebot_ops.engines.local.supervisor import NotRunning, Supervisor
from tradebot_ops.errors import OpsError
from tradebot_ops.stack.model import MountKind, Service, Stack
from tradebot_ops.state import ProjectState, make_private, writable

_BETWEEN_LOOKS = 0.02


class LocalEngine:
    """Runs one project's replicas under a supervisor of its own; all it knows lies in the state folder."""

    name = "local"

    def __init__(self, project: str, state: ProjectState, environ: Mapping[str, str]) -> None:
        self._project = project
        self._environ = environ
        self._layout = Layout(state.folder)
        self._records = Records(self._layout)
        self._ports = Ports(state)
        self._supervisor = Supervisor(self._layout)
        self._lock = threading.RLock()
        self._depth = 0
        self._usage: Any = None

    # Standing ground

    def prepare(self, stack: Stack, progress: Progress) -> None:
        """Start the supervisor if it is not running, end what outlived a killed one, and settle the ports."""
        self._layout.make()
        with self._alone():
            if not self._supervisor.running():
                self._end_strays(progress)
                self._supervisor.configure(self._records.all())
                self._supervisor.start()
            for service in stack.services.values():
                self._settle_ports(stack, service, 1, progress)

    def _end_strays(self, progress: Progress) -> None:
        for replica in strays.end(self._layout, self._records.all()):
            progress(replica.rpartition("-")[0], "ended a process that had outlived its supervisor")

    def _settle_ports(self, stack: Stack, service: Service, number: int, progress: Progress) -> None:
        held = self._held_ports(replica_name(service.name, number))
        for wish in wishes(stack, service, number):
            self._ports.assign(wish, held=held, tell=lambda line: progress(service.name, line))

    def _held_ports(self, replica: str) -> Mapping[str, int]:
        record = self._records.get(replica)
        return record.ports if record is not None and self._pid(replica) else {}

    # One replica

    def list(self) -> tuple[Instance, ...]:
        """Every replica that was ever applied; without a supervisor, the truth about what is left of them."""
        records = self._records.all()
        if not records:
            return ()
        try:
            answers = {info["name"]: info for info in self._supervisor.call("getAllProcessInfo")}
            left: Mapping[str, Sequence[int]] = {}
        except NotRunning:
            answers, left = {}, strays.strays(self._layout)
        known = self._ports.known()
        return tuple(
            instance_of(
                record,
                answers.get(record.replica),
                left.get(record.replica),
                self._layout,
                known,
                self._project,
            )
            for record in records
        )

    def apply(self, stack: Stack, service: str, number: int) -> Instance:
        """Start replica ``number`` as described; one that runs as described is left alone."""
        described = self._describe(stack, stack.services[service], number)
        record = described.record
        before = self._records.get(record.replica)
        if self._pid(record.replica) is not None:
            if before is not None and before.same_as(record):
                if before.content_hash != record.content_hash:  # it was told to read its files again
                    self._records.put(replace(record, started=True))
                return self._instance(record.replica)
            self._stop(before or record, (before or record).stop_grace)
        self._make_folders(described)
        described.program.initialise(described.replica)
        with self._alone():
            # Making a data folder takes seconds, in which somebody may have taken the port.
            record = self._describe(stack, stack.services[service], number).record
            self._records.put(replace(record, started=True))
            self._supervisor.configure(self._records.all())
            self._ask_supervisor_to_reload()
            self._layout.start_count(record.replica).unlink(missing_ok=True)
            self._start(record.replica)
        return self._instance(record.replica)

    def _describe(self, stack: Stack, service: Service, number: int) -> Described:
        with self._alone():
            self._settle_ports(stack, service, number, _silent)
        ports = self._ports.known()
        return describe(stack, service, number, layout=self._layout, ports=ports, environ=self._environ)

    def _make_folders(self, described: Described) -> None:
        for mount in described.replica.service.mounts:
            if mount.kind is not MountKind.BIND:
                folder = self._layout.state / described.replica.paths[mount.target.rstrip("/") or "/"]
                if not folder.is_symlink():
                    with writable(folder):
                        make_private(folder)

    def _ask_supervisor_to_reload(self) -> None:
        try:
            self._supervisor.reload()
        except NotRunning:
            raise _no_supervisor() from None

    def _start(self, replica: str) -> None:
        try:
            self._supervisor.call("startProcess", replica, False)
        except xmlrpc.client.Fault as fault:
            if "ALREADY_STARTED" not in fault.faultString:
                raise OpsError(
                    f"The supervisor cannot start {replica}: {fault.faultString}.",
                    code="TB-0402",
                    hint=f"See {self._layout.history}.",
                ) from fault

    def stop(self, instance: Instance, grace: float) -> None:
        """Stop and wait; a replica that is not running stays as it is."""
        record = self._records.get(instance.id)
        if record is not None:
            self._stop(record, grace)

    def _stop(self, record: Record, grace: float) -> None:
        self._await_exec(record.replica)
        try:
            self._supervisor.call("stopProcess", record.replica, False)
        except NotRunning:
            self._stop_stray(record, grace)
            return
        except xmlrpc.client.Fault as fault:
            if "NOT_RUNNING" in fault.faultString or "BAD_NAME" in fault.faultString:
                return
            raise
        deadline = time.monotonic() + grace
        killed = False
        while self._pid(record.replica) is not None:
            if not killed and time.monotonic() >= deadline:
                self._signal(record.replica, "SIGKILL")
                killed = True
            time.sleep(_BETWEEN_LOOKS)

    def _await_exec(self, replica: str) -> None:
        """Between fork and exec a child still has the supervisor's signal handlers, and a signal would be lost."""
        deadline = time.monotonic() + 1
        while (pid := self._pid(replica)) is not None and time.monotonic() < deadline:
            try:
                if b"supervisor.supervisord" not in Path(f"/proc/{pid}/cmdline").read_bytes():
                    return
            except OSError:
                return
            time.sleep(_BETWEEN_LOOKS / 4)

    def _stop_stray(self, record: Record, grace: float) -> None:
        deadline = time.monotonic() + grace
        strays.send(strays.strays(self._layout).get(record.replica, [])[:1], record.stop_signal)
        while left := strays.strays(self._layout).get(record.replica):
            if time.monotonic() >= deadline:
                strays.send(left, "SIGKILL")
            time.sleep(_BETWEEN_LOOKS)

    def signal(self, instance: Instance, name: str) -> None:
        """Signal the main process; ``OpsError`` TB-0808 when it does not run, TB-0205 for an unknown name."""
        if not hasattr(signal, name) or not name.startswith("SIG"):
            raise OpsError(f"There is no signal {name}.", code="TB-0205", hint="`kill -l` lists them, e.g. SIGHUP.")
        try:
            self._signal(instance.id, name)
        except NotRunning:
            pids = strays.strays(self._layout).get(instance.id, [])[:1]
            if not pids:
                raise _not_running(instance.id) from None
            strays.send(pids, name)

    def _signal(self, replica: str, name: str) -> None:
        try:
            self._supervisor.call("signalProcess", replica, name.removeprefix("SIG"))
        except xmlrpc.client.Fault as fault:
            if name != "SIGKILL":
                raise _not_running(replica) from fault

    def remove(self, instance: Instance) -> None:
        """Forget a stopped replica, its log included; its ports stay remembered."""
        with self._alone():
            if self._pid(instance.id) is not None:
                raise OpsError(
                    f"{instance.name} is running.",
                    code="TB-0901",
                    hint=f"Stop it first: tradebot stop {instance.service}",
                )
            self._records.drop(instance.id)
            self._supervisor.configure(self._records.all())
            with contextlib.suppress(NotRunning):
                self._supervisor.reload()
            self._layout.start_count(instance.id).unlink(missing_ok=True)
            for log in self._layout.logs.glob(f"{instance.id}.log*"):
                log.unlink(missing_ok=True)
            shutil.rmtree(self._layout.temporary / instance.id, ignore_errors=True)

    def destroy(self, stack: Stack | None, *, volumes: bool) -> tuple[str, ...]:
        """End the supervisor and whatever still runs; with ``volumes`` data, logs and remembered ports go too."""
        gone: tuple[str, ...] = ()
        if self._layout.base.exists():
            with self._alone():
                gone += self._end_supervisor()
                for path in (self._layout.records, self._layout.starts, self._layout.temporary):
                    shutil.rmtree(path, ignore_errors=True)
        if volumes:
            gone += self._remove_volumes()
            shutil.rmtree(self._layout.base, ignore_errors=True)
            self._ports.forget()
        return tuple(gone)

    def _end_supervisor(self) -> tuple[str, ...]:
        running = self._supervisor.running()
        if running:
            alive = [record for record in self._records.all() if self._pid(record.replica) is not None]
            with ThreadPoolExecutor(max_workers=max(len(alive), 1)) as pool:
                list(pool.map(lambda record: self._stop(record, record.stop_grace), alive))
        self._supervisor.shutdown()
        self._end_strays(_silent)
        return ("supervisor",) if running else ()

    def _remove_volumes(self) -> tuple[str, ...]:
        if not self._layout.volumes.is_dir():
            return ()
        gone = tuple(sorted(path.name for path in self._layout.volumes.iterdir()))
        for link in self._layout.volumes.rglob("*"):
            if link.is_symlink() and link.resolve().is_relative_to(self._layout.outside):
                shutil.rmtree(link.resolve())
        for folder in (self._layout.volumes, self._layout.outside):
            if folder.exists():
                shutil.rmtree(folder)
        return gone

    # Looking

    def logs(self, query: LogQuery) -> Iterator[LogLine]:
        """Standard output and error of the chosen replicas, from their rotated files."""
        return logs.read(lambda: self._sources(query), query)

    def _sources(self, query: LogQuery) -> tuple[Source, ...]:
        return tuple(
            (record, self._layout.log(record.replica))
            for record in self._records.all()
            if (not query.services or record.service in query.services) and query.number in {None, record.number}
        )

    def exec(self, instance: Instance, command: Sequence[str], *, timeout: float | None = 30) -> ExecResult:
        """Run a command on this host with the replica's environment, folder and rewritten addresses."""
        record = self._records.get(instance.id)
        if record is None:
            raise _not_running(instance.id)
        places = Places(
            services={_authority(name): f"127.0.0.1:{local}" for name, local in record.refers.items()},
            own={int(target): f"{record.listen}:{local}" for target, local in record.ports.items()},
            paths=record.paths,
        )
        argv = [localise(word, places) for word in command]
        binary = shutil.which(argv[0], path=record.environ.get("PATH"))
        if binary is None:
            return ExecResult(127, f"{argv[0]}: this host has no such program")
        try:
            done = subprocess.run(
                [binary, *argv[1:]],
                cwd=record.folder,
                env=dict(record.environ),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                check=False,
                timeout=timeout,
            )
        except subprocess.TimeoutExpired as error:
            raise OpsError(
                f"`{' '.join(command)}` beside {instance.name} took longer than {timeout:g} s.",
                code="TB-0601",
                hint="Give it more time with --timeout.",
            ) from error
        except OSError as error:
            return ExecResult(126, f"{argv[0]}: {error.strerror}")
        return ExecResult(done.returncode, done.stdout.decode("utf-8", errors="replace"))

    def stats(self, instances: Sequence[Instance]) -> tuple[Stats, ...]:
        """Memory and CPU of each replica's process tree, all measured over the same moment."""
        from tradebot_ops.engines.local.usage import Usage

        with self._lock:
            if self._usage is None:
                self._usage = Usage()
        found: tuple[Stats, ...] = self._usage.of({one.id: one.pid for one in instances if one.pid is not None})
        return found

    def events(self, since: datetime | None = None, *, follow: bool = False) -> Iterator[Event]:
        """Starts, exits, stops and crash-loop verdicts, from the supervisor's log."""
        return history.events(self._layout, since, follow=follow)

    def endpoint(self, service: str, port: int, number: int = 1) -> Address:
        """The local port that stands for ``port``; ``OpsError`` TB-0405 when the replica has none."""
        record = self._records.get(replica_name(service, number))
        local = record.ports.get(str(port)) if record else None
        if record is None or local is None:
            raise OpsError(
                f"{service}-{number} has no port {port} on this host.",
                code="TB-0405",
                hint="Start it with `tradebot up`; `tradebot urls` lists what can be reached.",
            )
        return Address(record.reachable, local)

    # Helpers

    def _instance(self, replica: str) -> Instance:
        found = next((instance for instance in self.list() if instance.id == replica), None)
        if found is None:
            raise _not_running(replica)
        return found

    def _pid(self, replica: str) -> int | None:
        try:
            answer = self._supervisor.call("getProcessInfo", replica)
        except NotRunning:
            return next(iter(strays.strays(self._layout).get(replica, ())), None)
        except xmlrpc.client.Fault:
            return None
        # Waiting between two crashes counts as alive: it will be back.
        return answer["pid"] or (-1 if answer["statename"] == "BACKOFF" else None)

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """One change of records and configuration at a time, over threads and over commands; may be nested."""
        path = self._layout.base / "changing"
        with self._lock, contextlib.ExitStack() as stack:
            if not self._depth:
                with writable(path):
                    make_private(path.parent)
                    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
                stack.callback(os.close, handle)
                fcntl.flock(handle, fcntl.LOCK_EX)
            self._depth += 1
            try:
                yield
            finally:
                self._depth -= 1


def _silent(_service: str, _line: str) -> None:
    """Nobody to tell."""


def _authority(name: str) -> tuple[str, int]:
    host, _, port = name.rpartition(":")
    return host, int(port)


def _no_supervisor() -> OpsError:
    return OpsError(
        "The supervisor of this project is not running.", code="TB-0401", hint="Start the stack: tradebot up"
    )


def _not_running(replica: str) -> OpsError:
    return OpsError(f"{replica} is not running.", code="TB-0808", hint="`tradebot status` shows what is.")
