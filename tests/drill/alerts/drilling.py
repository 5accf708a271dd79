"""Faults made on a running stack, one or several that have nothing to do with each other, and what became of each."""

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path

import pytest

from tests.drill.faults import Fault
from tests.integration.tradebot import Tradebot
from tests.waiting import REST_S, until
from tradebot_ops.context import Ops
from tradebot_ops.errors import OpsError
from tradebot_ops.settings import load_settings

#: They tell about the machine that the drill shares with others, not about the stack.
HOST = frozenset(
    {
        "HighCPUUsage",
        "HighMemoryUsage",
        "OomKill",
        "DiskSpaceLow",
        "DiskInodesLow",
        "DiskReadOnly",
        "DiskWillFillIn24h",
        "ClockNotSynchronised",
        "TargetScrapeSlow",
    }
)
BACKGROUND = frozenset({"Watchdog", "RecentOutage", "SyntheticAlert"})
#: An outage that was really had has really eaten of the error budget, for as long as its windows look back; and what
#: several faults took away one after the other did go up and down.
CONSEQUENCES = frozenset({"APIErrorBudgetBurn", "TargetFlapping"})
RESOLVES = 180.0
#: Rules that wait for minutes, on a machine that has little time for them: how long it took is in the table.
patient = partial(Fault, within=900.0)


@dataclass
class Measured:
    """One alert of one fault. Times are seconds since the fault ``began``, but for ``resolved``: since its mend, which
    an alert about something that is over by itself, such as three deadlocks, does not wait for.
    """

    began: datetime
    fault: str
    alert: str
    severity: str
    fired: float
    stored: float | None = None
    resolved: float | None = None
    mended_at: datetime | None = None
    lasting: bool = False
    others: tuple[str, ...] = ()


@dataclass
class Drill:
    """``report`` is the name of the file that the table goes to, if somebody asked for it."""

    stack: Tradebot
    ops: Ops
    report: str = "drill.md"
    table: list[Measured] = field(default_factory=list)

    def active(self, *, considered: bool = False) -> dict[str, str]:
        """Alerts that somebody would be told of now: name -> severity.

        With ``considered`` only those of which Alertmanager has already asked what inhibits them: it does so some
        seconds after they have arrived, when it would tell of them.
        """
        try:
            return self.loud(considered=considered)
        except OpsError:
            return {}

    def loud(self, *, considered: bool = False) -> dict[str, str]:
        """The same; raises ``OpsError`` where Alertmanager does not say."""
        held = self.ops.alertmanager.alerts()
        loud = [alert for alert in held if not alert.silenced_by and not alert.inhibited_by]
        loud = [alert for alert in loud if not considered or alert.state == "active"]
        return {alert.name: alert.labels.get("severity", "") for alert in loud if alert.name not in BACKGROUND}

    def firing(self) -> dict[str, str]:
        """The same of those that Prometheus has, whether or not anybody would be told."""
        found = [alert for alert in self.ops.prometheus.alerts() if alert.state == "firing"]
        return {alert.name: alert.labels.get("severity", "") for alert in found if alert.name not in BACKGROUND}

    def recent_outage(self) -> bool:
        return any(alert.name == "RecentOutage" for alert in self.ops.alertmanager.alerts())

    def stored(self, since: datetime, status: str) -> dict[str, datetime]:
        """Alerts that arrived in the store since then, and when first; nothing while it cannot be asked."""
        try:
            found = self.ops.api.alerts(500)
        except OpsError:
            return {}
        arrived = sorted(
            (datetime.fromisoformat(alert["received_at"]), alert["name"], alert["status"]) for alert in found
        )
        return {name: at for at, name, its in reversed(arrived) if its == status and at >= since}

    def end_of(self, row: Measured) -> float | None:
        """Seconds from the mend until the store had the alert's last end; None while it has none of this fault."""
        ends = [
            datetime.fromisoformat(alert["received_at"])
            for alert in self.ops.api.alerts(500)
            if alert["name"] == row.alert and alert["status"] == "resolved"
        ]
        later = [at for at in ends if at >= row.began]
        return _seconds(row.mended_at, max(later)) if later and row.mended_at else None

    def write(self) -> None:
        """The measured table, where the operator asked for it."""
        lines = [
            "| fault | alert | severity | fired (s) | in the store (s) | end in the store after mend (s) | others |",
            "|---|---|---|---|---|---|---|",
        ]
        for row in self.table:
            cells = (row.fault, row.alert, row.severity, row.fired, row.stored, row.resolved, ", ".join(row.others))
            lines.append("| " + " | ".join("" if cell is None else str(cell) for cell in cells) + " |")
        if folder := os.environ.get("TRADEBOT_DRILL_REPORT"):
            (Path(folder) / self.report).write_text("\n".join(lines) + "\n", encoding="utf-8")


def _seconds(began: datetime, ended: datetime) -> float:
    return round((ended - began).total_seconds(), 1)


@contextmanager
def drilling(stack: Tradebot, report: str = "drill.md") -> Iterator[Drill]:
    """The stack is started and, in the end, taken down."""
    try:
        stack.ok("up", timeout=300)
        settings = load_settings({"project": stack.project, "engine": "local"}, stack.environment(), stack.cwd)
        found = Drill(stack, Ops(settings), report)
        until(lambda: {t.health for t in found.ops.prometheus.targets()} == {"up"}, "every target is up", 90)
        # A counter's jump is seen only between two scrapes.
        time.sleep(35)
        yield found
    finally:
        stack.clean()


def parameters(groups: Sequence[Sequence[Fault]], sample: Sequence[str] = ()) -> list[object]:
    """Of faults that are there at the same time; the group with one whose name is in ``sample`` is run by CI, too."""
    return [
        pytest.param(
            tuple(group),
            id="+".join(fault.name.replace(" ", "-") for fault in group[:3]),
            marks=[pytest.mark.sample] if any(fault.name in sample for fault in group) else [],
        )
        for group in groups
    ]


@dataclass
class _Watch:
    """What was seen of these faults, each counted from its own beginning."""

    drill: Drill
    faults: Sequence[Fault]
    since: datetime
    before: frozenset[str]
    began: dict[str, datetime] = field(default_factory=dict)
    rows: dict[str, Measured] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)

    def all_told(self) -> bool:
        deaf = any(fault.deaf for fault in self.faults)
        active = self.drill.firing() if deaf else self.drill.active()
        if not deaf:
            self.seen.update(self.drill.active(considered=True))
        arrived = self.drill.stored(self.since, "firing")
        told = [self._told(fault, active, arrived) for fault in self.faults]
        if not all(told):
            time.sleep(REST_S)
        return all(told)

    def _told(self, fault: Fault, active: Mapping[str, str], arrived: Mapping[str, datetime]) -> bool:
        wanted, began = set(fault.alerts), self.began[fault.name]
        for name in wanted & active.keys() - self.rows.keys():
            self.rows[name] = Measured(began, fault.name, name, active[name], _seconds(began, self.drill.ops.clock()))
            self.rows[name].lasting = fault.lasting
        for name in wanted & arrived.keys() & self.rows.keys():
            self.rows[name].stored = _seconds(began, arrived[name])
        return self.rows.keys() >= wanted and (fault.hides_store or fault.deaf or arrived.keys() >= wanted)

    def of(self, faults: Sequence[Fault]) -> dict[str, Measured]:
        return {name: self.rows[name] for fault in faults for name in fault.alerts}


def told_in_time_and_ended(drill: Drill, faults: Sequence[Fault]) -> None:
    """Each fault raises its alerts, they reach the store and end after the mend, and no other alert is told."""
    if not all(fault.at_once for fault in faults):
        until(lambda: not drill.recent_outage(), "no outage is recent any more", 420)
    watch = _Watch(drill, faults, drill.ops.clock(), frozenset(drill.active()))
    with ExitStack() as broken:
        for fault in faults:
            broken.enter_context(fault.breaking(drill.stack, drill.ops))
            watch.began[fault.name] = drill.ops.clock()
        wanted = [name for fault in faults for name in fault.alerts]
        try:
            until(
                watch.all_told,
                f"{wanted} after {[fault.name for fault in faults]}",
                max(fault.within for fault in faults),
                lambda: f"told: {sorted(watch.rows)}; active: {sorted(drill.active())}",
            )
        finally:
            drill.table += watch.rows.values()
            drill.write()
    mended = drill.ops.clock()
    for row in watch.rows.values():
        row.mended_at = mended
    ending = watch.of([fault for fault in faults if fault.at_once and not fault.deaf])
    until(lambda: drill.stored(watch.since, "firing").keys() >= ending.keys(), "arrival in the store", RESOLVES)
    arrived = drill.stored(watch.since, "firing")
    for fault in faults:
        for row in watch.of([fault]).values():
            if row.alert in ending:
                row.stored = _seconds(watch.began[fault.name], arrived[row.alert])

    def ended() -> bool:
        over = drill.stored(watch.since, "resolved").keys() >= ending.keys()
        return over and not ending.keys() & drill.active().keys()

    until(ended, f"the end of {sorted(ending)} in the store", RESOLVES)
    for row in ending.values():
        row.resolved = drill.end_of(row)
    watch.seen |= drill.stored(watch.since, "firing").keys()
    allowed = {name for fault in faults for name in (*fault.alerts, *fault.also)}
    others = watch.seen - watch.before - allowed - HOST - BACKGROUND - CONSEQUENCES
    for row in watch.rows.values():
        row.others = tuple(sorted(others))
    drill.write()
    assert others == set(), "nothing unrelated fires"


def quiet_again(drill: Drill, within: float = 1200) -> None:
    """The alerts that look back for a quarter of an hour end, too, and nothing else is left."""
    deaf = {row.alert for row in drill.table if row.stored is None}
    lasting = {row.alert for row in drill.table if row.lasting}
    ending = [row for row in drill.table if row.resolved is None and row.mended_at]
    waiting = [row for row in ending if row.alert not in deaf | lasting]

    def quiet() -> bool:
        with suppress(OpsError):  # then nobody knows
            return not set(drill.loud()) - HOST - CONSEQUENCES - lasting
        return False

    until(quiet, f"quiet; active: {sorted(drill.active())}", within)
    for row in waiting:
        until(lambda row=row: drill.end_of(row) is not None, f"the end of {row.alert} in the store", RESOLVES)  # type: ignore[misc]
        row.resolved = drill.end_of(row)
    drill.write()
