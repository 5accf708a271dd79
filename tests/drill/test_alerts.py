"""From fault to store, on a real stack with the real fifteen seconds between scrapes: outages, and what looks like one.

``pytest -m drill tests/drill`` runs all and writes ``drill.md`` into the folder that ``TRADEBOT_DRILL_REPORT`` names;
``-m "drill and sample"`` runs the part that CI runs. Faults of other kinds: ``tests/drill/alerts``.
"""

from collections.abc import Iterator

import pytest

from tests.drill import faults
from tests.drill.alerts.drilling import Drill, drilling, parameters, quiet_again, told_in_time_and_ended
from tests.drill.faults import Fault, hung, stopped
from tests.integration.local.test_monitoring import monitored

pytestmark = [
    pytest.mark.integration,
    pytest.mark.drill,
    pytest.mark.xdist_group("drill-alerts"),
    pytest.mark.timeout(1800),
]

#: In this order: for five minutes after an outage, what follows from it is kept quiet (the rule RecentOutage), which
#: would keep a later fault quiet that looks the same. So outages come after what they could hide. What looks back over
#: many minutes comes last of all, once no outage is recent: what ends while it is kept quiet, nobody is told of.
FAULTS = (
    Fault("one worker of two hung", faults.one_worker_hung, ("WorkerInstanceDown",), within=180),
    Fault("170 jobs behind long ones", faults.long_queue, ("WorkerQueueBacklog",), within=180),
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


@pytest.fixture(scope="module")
def drill(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Drill]:
    with drilling(monitored(tmp_path_factory.mktemp("drill") / "home", WORKER_REPLICAS="2")) as found:
        yield found


@pytest.mark.parametrize("together", parameters([[fault] for fault in FAULTS], SAMPLE))
def test_the_right_alert_arrives_in_time_and_ends(drill: Drill, together: tuple[Fault, ...]) -> None:
    told_in_time_and_ended(drill, together)


@pytest.mark.sample
def test_a_healthy_stack_is_quiet_again(drill: Drill) -> None:
    quiet_again(drill)
