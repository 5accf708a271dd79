"""Start, signal and stop single replicas, with the supervisor or, where it was killed, without it."""

import contextlib
import time
import xmlrpc.client
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tradebot_ops.engines.local.layout import Layout
from tradebot_ops.engines.local.records import Record
from tradebot_ops.engines.local.supervision import orphans
from tradebot_ops.engines.local.supervision.config import nameless
from tradebot_ops.engines.local.supervision.rpc import NotRunning
from tradebot_ops.engines.local.supervision.supervisor import Supervisor
from tradebot_ops.errors import OpsError

_BETWEEN_LOOKS = 0.02


class Processes:
    """The processes of one project's replicas."""

    def __init__(self, layout: Layout, supervisor: Supervisor) -> None:
        self._layout = layout
        self._supervisor = supervisor

    def alive(self, replica: str) -> bool:
        """Whether it runs, or waits between two crashes: then it will be back."""
        try:
            answer = self._supervisor.call("getProcessInfo", replica)
        except NotRunning:
            return replica in orphans.strays(self._layout)
        except xmlrpc.client.Fault:  # the supervisor does not know it
            return False
        return bool(answer["pid"]) or answer["statename"] == "BACKOFF"

    def _stopping(self, replica: str) -> bool:
        return bool(self._supervisor.call("getProcessInfo", replica)["statename"] == "STOPPING")

    def start(self, replica: str) -> None:
        """Start it, or leave it running; raises ``NotRunning`` without a supervisor."""
        try:
            self._supervisor.call("startProcess", replica, False)
        except xmlrpc.client.Fault as fault:
            if "ALREADY_STARTED" not in fault.faultString:
                raise self._refused("start", replica, fault) from fault

    def await_launch(self, replica: str) -> None:
        """Until its launch script has run, which leaves the moment of the start: a matter of milliseconds."""
        deadline = time.monotonic() + 1
        while not self._layout.start_count(replica).exists() and time.monotonic() < deadline:
            time.sleep(_BETWEEN_LOOKS / 4)

    def stop(self, record: Record, grace: float) -> None:
        """Send the stop signal, kill after ``grace`` seconds, return when it is gone."""
        replica = record.label
        try:
            self._await_exec(replica)
            self._supervisor.call("stopProcess", replica, False)
            if nameless(record.stop_signal):
                self.signal(replica, record.stop_signal)
        except NotRunning:
            self._stop_stray(record, grace)
            return
        except xmlrpc.client.Fault as fault:
            if not self.alive(replica):
                return
            if not self._stopping(replica):
                raise self._refused("stop", replica, fault) from fault
            # The stop was requested already, and perhaps interrupted: repeat it, and wait no longer than asked for.
            with contextlib.suppress(OpsError):  # it ended in this very moment
                self.signal(replica, record.stop_signal)
        deadline = time.monotonic() + grace
        while self.alive(replica):
            if time.monotonic() >= deadline:
                deadline = float("inf")
                with contextlib.suppress(OpsError):  # it ended in this very moment
                    self.signal(replica, "SIGKILL")
            time.sleep(_BETWEEN_LOOKS)

    def stop_all(self, records: Sequence[Record]) -> None:
        """Stop all that run at once, each with its own grace."""
        running = [record for record in records if self.alive(record.label)]
        with ThreadPoolExecutor(max_workers=max(len(running), 1)) as pool:
            list(pool.map(lambda record: self.stop(record, record.stop_grace), running))

    def signal(self, replica: str, name: str) -> None:
        """Signal the main process; ``OpsError`` TB-0110 when it does not run."""
        try:
            if nameless(name):
                orphans.send([self._pid(replica)], name)
                return
            self._supervisor.call("signalProcess", replica, name.removeprefix("SIG"))
        except xmlrpc.client.Fault as fault:
            raise not_running(replica) from fault
        except NotRunning:
            pids = orphans.strays(self._layout).get(replica, [])[:1]
            if not pids:
                raise not_running(replica) from None
            orphans.send(pids, name)

    def _pid(self, replica: str) -> int:
        pid = int(self._supervisor.call("getProcessInfo", replica)["pid"])
        if not pid:
            raise not_running(replica)
        return pid

    def _await_exec(self, replica: str) -> None:
        """Between fork and exec a child still has the supervisor's signal handlers, and a signal would be lost."""
        deadline = time.monotonic() + 1
        while time.monotonic() < deadline:
            with contextlib.suppress(xmlrpc.client.Fault, OSError):
                pid = self._supervisor.call("getProcessInfo", replica)["pid"]
                if pid and b"supervisor.supervisord" in Path(f"/proc/{pid}/cmdline").read_bytes():
                    time.sleep(_BETWEEN_LOOKS / 4)
                    continue
            return

    def _stop_stray(self, record: Record, grace: float) -> None:
        deadline = time.monotonic() + grace
        orphans.send(orphans.strays(self._layout).get(record.label, [])[:1], record.stop_signal)
        while left := orphans.strays(self._layout).get(record.label):
            if time.monotonic() >= deadline:
                orphans.send(left, "SIGKILL")
            time.sleep(_BETWEEN_LOOKS)

    def _refused(self, verb: str, replica: str, fault: xmlrpc.client.Fault) -> OpsError:
        return OpsError(
            f"The supervisor cannot {verb} {replica}: {fault.faultString}.",
            code="TB-0408",
            hint=f"See {self._layout.history}.",
        )


def not_running(replica: str) -> OpsError:
    return OpsError(f"{replica} is not running.", code="TB-0110", hint="`tradebot status` shows what is.")
