"""The local engine: services as supervised processes of this host, no Docker at all.

Memory: without a control group nothing can cap a group of processes, so ``deploy.resources`` limits are not
enforced here and ``Stats.memory_limit`` stays empty; a job's limit (JOB_MEMORY_LIMIT) is the worker's own to keep.
"""

import contextlib
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, BinaryIO

from tradebot_ops.engines.base import (
    Address,
    Event,
    ExecResult,
    ImageFacts,
    Leftover,
    LogLine,
    LogQuery,
    Progress,
    Replica,
    Stats,
)
from tradebot_ops.engines.inspection import EngineInfo, Inspected
from tradebot_ops.engines.local import source
from tradebot_ops.engines.local import volumes as folders
from tradebot_ops.engines.local.describe import Described, describe, program_of, wishes, without_meaning
from tradebot_ops.engines.local.exec import attach, pipe, run
from tradebot_ops.engines.local.layout import Layout
from tradebot_ops.engines.local.lock import Changing
from tradebot_ops.engines.local.observing import logs
from tradebot_ops.engines.local.observing.events import events
from tradebot_ops.engines.local.observing.logs import Source
from tradebot_ops.engines.local.observing.observe import replica_of
from tradebot_ops.engines.local.ports import Ports
from tradebot_ops.engines.local.records import Records
from tradebot_ops.engines.local.supervision import orphans
from tradebot_ops.engines.local.supervision.processes import Processes, not_running
from tradebot_ops.engines.local.supervision.rpc import NotRunning
from tradebot_ops.engines.local.supervision.supervisor import Supervisor
from tradebot_ops.errors import NoAddress, OpsError
from tradebot_ops.monitoring.prometheus import BOTS, BOTS_PORT, discovery_file
from tradebot_ops.private_folder import PrivateFolder, make_private
from tradebot_ops.progress import ignore_progress
from tradebot_ops.stack.model import Service, Stack
from tradebot_ops.state import ProjectState
from tradebot_ops.text.labels import label
from tradebot_ops.text.signals import signal_name, signal_number

if TYPE_CHECKING:
    from tradebot_ops.engines.local.observing.stats import Usage


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
        self._processes = Processes(self._layout, self._supervisor)
        self._changing = Changing(self._layout.base / "changing")
        self._progress: Progress = ignore_progress

    # Standing ground

    def prepare(self, stack: Stack, progress: Progress) -> None:
        """Start the supervisor if it is not running, end what outlived a killed one, and settle the ports."""
        self._layout.make()
        self._progress = progress
        with self._changing.alone():
            if not self._supervisor.running():
                self._end_strays(progress)
                self._supervisor.configure(self._records.all())
                self._supervisor.start()
            for service in stack.services.values():
                if not program_of(service).absent:
                    self._settle_ports(stack, service, 1, progress)

    def _end_strays(self, progress: Progress) -> None:
        for replica in orphans.end(self._layout, self._records.all()):
            progress(replica.rpartition("-")[0], "ended a process that had outlived its supervisor")

    def _settle_ports(self, stack: Stack, service: Service, number: int, progress: Progress) -> None:
        held = self._held_ports(label(service.name, number))
        for wish in wishes(stack, service, number):
            self._ports.assign(wish, held=held, report=lambda line: progress(service.name, line))

    def _held_ports(self, replica: str) -> Mapping[str, int]:
        record = self._records.get(replica)
        return record.ports if record is not None and self._processes.alive(replica) else {}

    # One replica

    def list(self) -> tuple[Replica, ...]:
        """Every replica that was ever applied; without a supervisor, the truth about what is left of them."""
        records = self._records.all()
        if not records:
            return ()
        try:
            answers = {info["name"]: info for info in self._supervisor.call("getAllProcessInfo")}
            left: Mapping[str, Sequence[int]] = {}
        except NotRunning:
            answers, left = {}, orphans.strays(self._layout)
        known = self._ports.known()
        return tuple(
            replica_of(
                record,
                answers.get(record.label),
                left.get(record.label),
                self._layout,
                known,
                self._project,
            )
            for record in records
        )

    def apply(self, stack: Stack, service: str, number: int) -> Replica:
        """Start replica ``number`` as described; one that runs as described is left alone."""
        program_of(stack.services[service]).obtain(self._environ, lambda line: self._progress(service, line))
        # Before it is started: what is edited meanwhile must count as edited.
        code = source.source_of(stack.services[service])
        described = self._describe(stack, stack.services[service], number)
        record = replace(described.record, source=code)
        before = self._records.get(record.label)
        if self._processes.alive(record.label):
            if before is not None and before.same_as(record):
                if before.content_hash != record.content_hash:  # it is about to be signalled to read its files again
                    described.program.initialise(described.replica)
                    self._records.put(replace(record, started=True))
                return self._replica(record.label)
            self._processes.stop(before or record, (before or record).stop_grace)
        if keys := without_meaning(stack.services[service]):
            self._progress(service, f"runs without {', '.join(keys)}: a process of this host has none")
        folders.make(self._layout, described.replica)
        described.program.initialise(described.replica)
        with self._changing.alone():
            # Making a data folder takes seconds, in which another program may have taken the port.
            record = self._describe(stack, stack.services[service], number).record
            self._records.put(replace(record, source=code, started=True))
            self._supervisor.configure(self._records.all())
            self._ask_supervisor_to_reload()
            self._layout.start_count(record.label).unlink(missing_ok=True)
            self._processes.start(record.label)
            self._write_discovery(service)
            if BOTS in stack.services[service].aliases:
                self._write_bots(service)
        self._processes.await_launch(record.label)
        return self._replica(record.label)

    def _write_discovery(self, service: str) -> None:
        """Write for Prometheus where the replicas of a service are: the first port of each."""
        records = [record for record in self._records.all() if record.service == service and record.ports]
        first = {record.label: (record.reachable, record.ports[min(record.ports, key=int)]) for record in records}
        targets = {replica: str(Address(*place)) for replica, place in first.items()}
        path = self._layout.discovery(service)
        PrivateFolder(path.parent).write(path.name, discovery_file(targets))

    def _write_bots(self, service: str) -> None:
        """The same for a bot of the user's, by the port that all of them share."""
        records = [record for record in self._records.all() if record.service == service]
        found = [(record, record.ports[BOTS_PORT]) for record in records if BOTS_PORT in record.ports]
        path = self._layout.alias_discovery(BOTS, service)
        make_private(path.parent)
        targets = {record.label: f"{record.reachable}:{port}" for record, port in found}
        PrivateFolder(path.parent).write(path.name, discovery_file(targets))

    def _describe(self, stack: Stack, service: Service, number: int) -> Described:
        with self._changing.alone():
            self._settle_ports(stack, service, number, ignore_progress)
        ports = self._ports.known()
        return describe(
            stack,
            service,
            number,
            layout=self._layout,
            ports=ports,
            environ=self._environ,
            say=lambda line: self._progress(service.name, line),
        )

    def _ask_supervisor_to_reload(self) -> None:
        try:
            self._supervisor.reload()
        except NotRunning:
            raise _no_supervisor() from None

    def stop(self, replica: Replica, grace: float) -> None:
        """Stop and wait; a replica that is not running stays as it is."""
        record = self._records.get(replica.id)
        if record is not None:
            self._processes.stop(record, grace)

    def signal(self, replica: Replica, name: str) -> None:
        """Signal the main process; ``OpsError`` TB-0110 when it does not run, TB-0211 for an unknown name."""
        try:
            known = signal_name(signal_number(name))
        except ValueError:
            raise OpsError(
                f"There is no signal {name}.", code="TB-0211", hint="`kill -l` lists them, e.g. SIGHUP."
            ) from None
        self._processes.signal(replica.id, known)

    def remove(self, replica: Replica) -> None:
        """Forget a stopped replica, its log included; its ports stay remembered."""
        with self._changing.alone():
            if self._processes.alive(replica.id):
                raise OpsError(
                    f"{replica.name} is running.",
                    code="TB-0901",
                    hint=f"Stop it first: tradebot stop {replica.service}",
                )
            self._records.drop(replica.id)
            self._write_discovery(replica.service)
            if self._layout.alias_discovery(BOTS, replica.service).exists():
                self._write_bots(replica.service)
            self._supervisor.configure(self._records.all())
            with contextlib.suppress(NotRunning):
                self._supervisor.reload()
            self._layout.start_count(replica.id).unlink(missing_ok=True)
            for log in self._layout.logs.glob(f"{replica.id}.log*"):
                log.unlink(missing_ok=True)
            shutil.rmtree(self._layout.temporary / replica.id, ignore_errors=True)

    def destroy(self, stack: Stack | None, *, volumes: bool) -> tuple[str, ...]:
        """End the supervisor and whatever still runs; with ``volumes`` data, logs and remembered ports go too."""
        gone: tuple[str, ...] = ()
        if self._layout.base.exists():
            with self._changing.alone():
                gone += self._end_supervisor()
                gone_too = (self._layout.starts, self._layout.temporary, self._layout.discoveries)
                for path in (self._layout.records, *gone_too):
                    shutil.rmtree(path, ignore_errors=True)
        if volumes:
            gone += folders.remove_all(self._layout)
            shutil.rmtree(self._layout.base, ignore_errors=True)
            self._ports.forget()
        return tuple(gone)

    def _end_supervisor(self) -> tuple[str, ...]:
        running = self._supervisor.running()
        if running:
            self._processes.stop_all(self._records.all())
        self._supervisor.shutdown()
        self._end_strays(ignore_progress)
        return ("supervisor",) if running else ()

    # Looking

    def logs(self, query: LogQuery) -> Iterator[LogLine]:
        """Standard output and error of the chosen replicas, from their rotated files."""
        return logs.read(lambda: self._sources(query), query)

    def _sources(self, query: LogQuery) -> tuple[Source, ...]:
        return tuple(
            (record, self._layout.log(record.label))
            for record in self._records.all()
            if (not query.services or record.service in query.services) and query.number in {None, record.number}
        )

    def exec(self, replica: Replica, command: Sequence[str], *, timeout: float | None = 30) -> ExecResult:
        """Run a command on this host with the replica's environment, folder and rewritten addresses."""
        record = self._records.get(replica.id)
        if record is None:
            raise not_running(replica.id)
        return run(record, command, timeout)

    def attached(self, replica: Replica, command: Sequence[str], *, terminal: bool) -> int:
        """The same with this process's own input and output; an empty command is this user's shell."""
        record = self._records.get(replica.id)
        if record is None:
            raise not_running(replica.id)
        return attach(record, command, terminal=terminal)

    def piped(
        self, replica: Replica, command: Sequence[str], *, source: BinaryIO | None = None, sink: BinaryIO | None = None
    ) -> ExecResult:
        """The same between two files."""
        record = self._records.get(replica.id)
        if record is None:
            raise not_running(replica.id)
        return pipe(record, command, source, sink)

    def image_facts(self, stack: Stack) -> ImageFacts:
        """Nothing is missing or built here; replicas may run older source than lies there now."""
        return source.facts(stack, self._records.all())

    def leftovers(self, stack: Stack, *, images: bool, volumes: bool) -> tuple[Leftover, ...]:
        """Only volumes can be left over here: replicas that are not described are listed with the others."""
        return folders.left_over(self._layout, stack) if volumes else ()

    def discard(self, leftover: Leftover) -> None:
        folders.discard(self._layout, leftover)

    def inspected(self) -> tuple[Inspected, ...]:
        from tradebot_ops.engines.local.observing import inspection

        records = {record.label: record for record in self._records.all()}
        found = self.list()
        return tuple(inspection.inspected(records[each.id], each) for each in found if each.id in records)

    def info(self) -> EngineInfo:
        from tradebot_ops.engines.local.observing import inspection

        return inspection.info(self._layout)

    def stats(self, replicas: Sequence[Replica], *, cpu: bool = True) -> tuple[Stats, ...]:
        """Memory and CPU of each replica's process tree, all measured over the same moment."""
        pids = {one.id: one.pid for one in replicas if one.pid is not None}
        return self._usage.of(pids) if cpu else self._usage.memory(pids)

    @cached_property
    def _usage(self) -> "Usage":
        from tradebot_ops.engines.local.observing.stats import Usage

        return Usage()

    def events(self, since: datetime | None = None, *, follow: bool = False) -> Iterator[Event]:
        """Starts, exits, stops and crash-loop verdicts, from the supervisor's log."""
        return events(self._layout, since, follow=follow)

    def endpoint(self, service: str, port: int, number: int = 1) -> Address:
        """The local port that stands for ``port``; ``OpsError`` TB-0405 when the replica has none."""
        record = self._records.get(label(service, number))
        local = record.ports.get(str(port)) if record else None
        if record is None or local is None:
            raise NoAddress(
                f"{label(service, number)} has no port {port} on this host.",
                code="TB-0405",
                hint="Start it with `tradebot up`; `tradebot urls` lists what can be reached.",
            )
        return Address(record.reachable, local)

    # Helpers

    def _replica(self, replica: str) -> Replica:
        found = next((each for each in self.list() if each.id == replica), None)
        if found is None:
            raise not_running(replica)
        return found


def _no_supervisor() -> OpsError:
    return OpsError(
        "The supervisor of this project is not running.", code="TB-0406", hint="Start the stack: tradebot up"
    )
