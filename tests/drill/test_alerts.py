"""From fault to store, on a real stack with the real fifteen seconds between scrapes.

``pytest -m drill tests/drill`` runs all and writes ``drill.md`` into the folder that ``TRADEBOT_DRILL_REPORT`` names;
``-m "drill and sample"`` runs the part that CI runs.
"""

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path

import pytest

from tests.drill import faults
from tests.drill.faults import Fault, hung, passed, stopped
from tests.integration.local.test_monitoring import monitored
from tests.integration.tradebot import Tradebot
from tests.waiting import until
from tradebot_ops.context import Ops
from tradebot_ops.errors import OpsError
from tradebot_ops.settings import load_settings

pytestmark = [
    pytest.mark.integration,
    pytest.mark.drill,
    pytest.mark.xdist_group("drill-alerts"),
    pytest.mark.timeout(1800),
]

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
RESOLVES = 180.0

#: An outage that was really had has really eaten of the error budget, for as long as its windows look back.
CONSEQUENCES = frozenset({"APIErrorBudgetBurn"})

#: In this order: for five minutes after an outage, what follows from it is kept quiet (the rule RecentOutage), which
#: would keep a later fault quiet that looks the same. So outages come after what they could hide. What looks back over
#: many minutes comes last of all, once no outage is recent: what ends while it is kept quiet, nobody is told of.
FAULTS = (
    Fault("one worker of two hung", faults.one_worker_hung, ("WorkerInstanceDown",), within=180),
    Fault("170 long jobs at once", faults.long_queue, ("WorkerQueueBacklog",), within=180),
    Fault("slow API", faults.slow_api, ("HighAPILatency",), frozenset({"SlowQueries"}), within=300),
    Fault("no heartbeats", faults.no_heartbeats, ("AllWorkersHang",), within=240),
    Fault("all workers stopped", stopped("worker"), ("NoWorkersAvailable",)),
    Fault("Redis stopped", stopped("redis"), ("RedisDown",)),
    Fault("Redis hung", hung("redis"), ("RedisDown",)),
    Fault("Exporter of Redis stopped", stopped("redis-exporter"), ("ExporterDown",), within=180),
    Fault("Redis refuses its exporter", faults.redis_refuses_its_exporter, ("ExporterRefused",), within=180),
    Fault("Postgres refuses its exporter", faults.postgres_refuses_its_exporter, ("ExporterRefused",), within=180),
    Fault("API stopped", stopped("api"), ("ServiceDown",), hides_store=True),
    Fault("Postgres stopped", stopped("postgres"), ("PostgresDown",), hides_store=True),
    Fault("Postgres hung", hung("postgres"), ("PostgresDown",), hides_store=True),
    Fault("Redis full of clients", faults.redis_full_of_clients, ("RedisRejectsClients",), within=120, at_once=False),
    Fault(
        "14 failing backtests",
        faults.failing_backtests,
        ("DeadLetterQueueGrowing", "HighBacktestFailureRate", "HighJobFailureRate"),
        within=240,
        at_once=False,
    ),
)
SAMPLE = ("API stopped",)


@dataclass
class Measured:
    fault: str
    alert: str
    severity: str
    fired: float
    stored: float | None = None
    resolved: float | None = None
    mended_at: datetime | None = None
    others: tuple[str, ...] = ()


@dataclass
class Drill:
    stack: Tradebot
    ops: Ops
    table: list[Measured] = field(default_factory=list)

    def active(self) -> dict[str, str]:
        """Alerts that somebody would be told of now: name -> severity."""
        try:
            held = self.ops.alertmanager.alerts()
        except OpsError:
            return {}
        loud = [alert for alert in held if not alert.silenced_by and not alert.inhibited_by]
        return {alert.name: alert.labels.get("severity", "") for alert in loud if alert.name not in BACKGROUND}

    def recent_outage(self) -> bool:
        return any(alert.name == "RecentOutage" for alert in self.ops.alertmanager.alerts())

    def stored(self, since: str, status: str) -> set[str]:
        """Names that arrived in the store since then; nothing while it cannot be asked."""
        try:
            found = self.ops.api.alerts(500)
        except OpsError:
            return set()
        return {alert["name"] for alert in found if alert["status"] == status and alert["received_at"] >= since}

    def end_of(self, row: Measured) -> float | None:
        """Seconds from the mend until the store had the alert's last end."""
        ends = [
            datetime.fromisoformat(alert["received_at"])
            for alert in self.ops.api.alerts(500)
            if alert["name"] == row.alert and alert["status"] == "resolved"
        ]
        later = [at for at in ends if row.mended_at and at >= row.mended_at]
        return round((max(later) - row.mended_at).total_seconds(), 1) if later and row.mended_at else None


@pytest.fixture(scope="module")
def drill(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Drill]:
    stack = monitored(tmp_path_factory.mktemp("drill") / "home", WORKER_REPLICAS="2")
    try:
        stack.ok("up", timeout=300)
        settings = load_settings({"project": stack.project, "engine": "local"}, stack.environment(), stack.cwd)
        found = Drill(stack, Ops(settings))
        until(lambda: {t.health for t in found.ops.prometheus.targets()} == {"up"}, "every target is up", 90)
        # A counter's jump is seen only between two scrapes.
        time.sleep(35)
        yield found
    finally:
        stack.clean()


def parameters() -> list[object]:
    return [
        pytest.param(fault, id=fault.name.replace(" ", "-"), marks=[pytest.mark.sample] if fault.name in SAMPLE else [])
        for fault in FAULTS
    ]


@pytest.mark.parametrize("fault", parameters())
def test_the_right_alert_arrives_in_time_and_ends(drill: Drill, fault: Fault) -> None:
    if not fault.at_once:
        until(lambda: not drill.recent_outage(), "no outage is recent any more", 420)
    before = set(drill.active())
    since = drill.ops.clock().isoformat()
    rows: dict[str, Measured] = {}
    seen: set[str] = set()
    with fault.breaking(drill.stack, drill.ops):
        began = time.monotonic()

        def all_fired() -> bool:
            active = drill.active()
            seen.update(active)
            for name in set(fault.alerts) & active.keys() - rows.keys():
                rows[name] = Measured(fault.name, name, active[name], passed(began))
            arrived = drill.stored(since, "firing")
            for name in arrived & rows.keys():
                rows[name].stored = rows[name].stored or passed(began)
            return rows.keys() == set(fault.alerts) and (fault.hides_store or arrived >= set(fault.alerts))

        try:
            until(all_fired, f"{fault.alerts} after {fault.name}; active: {sorted(drill.active())}", fault.within)
        finally:
            drill.table += rows.values()
    mended = time.monotonic()
    for row in rows.values():
        row.mended_at = drill.ops.clock()
    if fault.at_once:
        until(lambda: drill.stored(since, "firing") >= set(fault.alerts), "arrival in the store", RESOLVES)
        for row in rows.values():
            row.stored = row.stored or passed(began)
        until(lambda: drill.stored(since, "resolved") >= set(fault.alerts), "the end in the store", RESOLVES)
        for row in rows.values():
            row.resolved = passed(mended)
    seen |= drill.stored(since, "firing")
    others = seen - before - set(fault.alerts) - fault.also - HOST - BACKGROUND - CONSEQUENCES
    for row in rows.values():
        row.others = tuple(sorted(others))
    write(drill.table)
    assert others == set(), "nothing unrelated fires"


@pytest.mark.sample
def test_a_healthy_stack_is_quiet_again(drill: Drill) -> None:
    """The alerts that look back for a quarter of an hour end, too, and nothing else is left."""
    waiting = [row for row in drill.table if row.resolved is None and row.mended_at]

    def quiet() -> bool:
        return not set(drill.active()) - HOST - CONSEQUENCES

    until(quiet, f"quiet; active: {sorted(drill.active())}", 1200)
    for row in waiting:
        row.resolved = until(partial(drill.end_of, row), f"the end of {row.alert} in the store", RESOLVES)
    write(drill.table)


def write(table: list[Measured]) -> None:
    """The measured table, where the operator asked for it."""
    lines = [
        "| fault | alert | severity | fired (s) | in the store (s) | end in the store after the mend (s) | others |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in table:
        cells = (row.fault, row.alert, row.severity, row.fired, row.stored, row.resolved, ", ".join(row.others))
        lines.append("| " + " | ".join("" if cell is None else str(cell) for cell in cells) + " |")
    if folder := os.environ.get("TRADEBOT_DRILL_REPORT"):
        (Path(folder) / "drill.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
