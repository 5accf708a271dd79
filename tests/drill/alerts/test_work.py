"""Faults of jobs and workers: told in time, ended, and nothing else."""

from collections.abc import Iterator

import pytest

from tests.drill.alerts import stores, work
from tests.drill.alerts.drilling import Drill, drilling, parameters, quiet_again, told_in_time_and_ended
from tests.drill.faults import Fault
from tests.integration.local.test_monitoring import monitored

pytestmark = [
    pytest.mark.integration,
    pytest.mark.drill,
    pytest.mark.xdist_group("drill-alerts.work"),
    pytest.mark.timeout(2400),
]


#: Those of a line have nothing to do with each other, and are there at the same time.
LINES = (
    work.HANGS,
    work.COME_AND_GO,
    stores.REFUSE,
    (stores.ALL_TAKEN,),
    (work.NOBODY_FETCHES, work.ONE_FEWER, work.KILLED),
    # Last: it starts the workers three times, which is remembered for ten minutes.
    (work.LITTLE_MEMORY,),
)


@pytest.fixture(scope="module")
def drill(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Drill]:
    stack = monitored(tmp_path_factory.mktemp("drill") / "home", WORKER_REPLICAS="2")
    with drilling(stack, "drill-work.md") as found:
        yield found


@pytest.mark.parametrize("together", parameters(LINES))
def test_the_right_alerts_arrive_in_time_and_end(drill: Drill, together: tuple[Fault, ...]) -> None:
    told_in_time_and_ended(drill, together)


def test_a_healthy_stack_is_quiet_again(drill: Drill) -> None:
    quiet_again(drill)
