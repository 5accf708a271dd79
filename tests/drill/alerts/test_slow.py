"""Faults that take minutes to be told, and what is around the stack: told in time, ended, and nothing else."""

from collections.abc import Iterator

import pytest

from tests.drill.alerts import outside, stores, work
from tests.drill.alerts.drilling import Drill, drilling, parameters, quiet_again, told_in_time_and_ended
from tests.drill.faults import Fault
from tests.integration.local.test_channels import secret
from tests.integration.local.test_monitoring import monitored
from tests.integration.monitoring.rig import StandIn
from tests.services.bots import fake
from tests.services.bots.fake import FakeBot, served

pytestmark = [
    pytest.mark.integration,
    pytest.mark.drill,
    pytest.mark.xdist_group("drill-alerts-slow"),
    pytest.mark.timeout(2400),
]

#: Filled in once it is served.
BOT = FakeBot(trading_mode="futures")
#: Those of a line have nothing to do with each other, and are there at the same time: most of each is waiting.
LINES = (
    (*outside.slow(BOT), *stores.SLOW, work.NOBODY_KNOWS),
    (outside.silent_bot(BOT), outside.CHANNEL, *outside.UNREADABLE, *stores.NEARLY_FULL),
    (outside.two_bots(BOT), stores.EVICTS),
    # One of them takes the metrics of Redis away, so that nothing of Redis may be in this line.
    outside.RECONFIGURED,
    (outside.CANNOT_WRITE,),
    (outside.DEAF,),
)


@pytest.fixture(scope="module")
def drill(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Drill]:
    home = tmp_path_factory.mktemp("drill") / "home"
    people = StandIn()
    with served(BOT) as bot:
        settings = {"BOT_ADAPTER": "freqtrade", "BOT_URL": bot.url, "BOT_USER": fake.USER, "ALERT_WEBHOOK": "on"}
        stack = monitored(home, WORKER_REPLICAS="2", ENVIRONMENT="staging", **settings)
        (home / "password").write_text(fake.PASSWORD)
        stack.ok("secrets", "import", "bot_password", str(home / "password"))
        secret(stack, "alert_webhook_url", f"http://{people.address}/hook")
        with drilling(stack, "drill-slow.md") as found:
            yield found
    people.close()


@pytest.mark.parametrize("together", parameters(LINES))
def test_the_right_alerts_arrive_in_time_and_end(drill: Drill, together: tuple[Fault, ...]) -> None:
    told_in_time_and_ended(drill, together)


def test_a_healthy_stack_is_quiet_again(drill: Drill) -> None:
    quiet_again(drill)
