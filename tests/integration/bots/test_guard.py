"""A bot that trades elsewhere, beside a stack on this host: what it holds keeps the stack from being taken away."""

import json
from collections.abc import Iterator

import pytest

from tests.integration.local.conftest import ports
from tests.integration.tradebot import Tradebot
from tests.services.bots import fake
from tests.services.bots.fake import FakeBot, served

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("local-bot")]


@pytest.fixture(scope="module")
def bot() -> Iterator[FakeBot]:
    with served() as found:
        yield found


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, bot: FakeBot) -> Iterator[Tradebot]:
    home = tmp_path_factory.mktemp("bot") / "home"
    settings = {"BOT_ADAPTER": "freqtrade", "BOT_URL": bot.url, "BOT_USER": fake.USER, "WORKER_REPLICAS": "2"}
    project = Tradebot(home, environ=ports() | settings)
    (home / "password").write_text(fake.PASSWORD)
    try:
        project.ok("secrets", "import", "bot_password", str(home / "password"))
        project.ok("up", "--no-canary")
        yield project
    finally:
        bot.faults.clear()
        bot.trades = []
        project.clean()


@pytest.fixture(autouse=True)
def well(bot: FakeBot) -> None:
    bot.faults.clear()
    bot.trades = []
    bot.state = "running"


def test_with_an_open_position_nothing_stops_unless_it_is_forced(stack: Tradebot, bot: FakeBot) -> None:
    bot.trades = [fake.position()]
    before = stack.status()
    for words in (("down",), ("restart", "api"), ("scale", "workers", "1")):
        done = stack.run(*words, "--json")
        assert (words, done.returncode) == (words, 9)
        assert json.loads(done.stdout)["errors"][0]["code"] == "TB-0911"
    after = stack.status()
    assert {name: row["pid"] for name, row in after.items()} == {name: row["pid"] for name, row in before.items()}
    stack.ok("scale", "workers", "1", "--force", "--reason", "one is enough for this test")
    assert "one is enough for this test" in stack.ok("audit", "--json")
    assert "worker-2" not in stack.status()


def test_its_positions_are_shown_and_not_known_once_it_is_gone(stack: Tradebot, bot: FakeBot) -> None:
    bot.trades = [fake.position(1), fake.waiting(2)]
    (found,) = stack.json("positions")["bots"]
    assert (found["mode"], len(found["positions"]), len(found["orders"])) == ("live", 1, 2)
    bot.faults["*"] = fake.dropped
    gone = stack.run("positions", "--json")
    (found,) = json.loads(gone.stdout)["data"]["bots"]
    assert (gone.returncode, found["positions"], found["orders"]) == (1, None, None)
    refused = stack.run("stop", "worker", "--json")
    assert json.loads(refused.stdout)["errors"][0]["code"] == "TB-0912"


def test_a_halt_reads_what_became_of_the_bot_and_says_not_known_once_it_is_gone(stack: Tradebot, bot: FakeBot) -> None:
    bot.trades = [fake.position(1), fake.waiting(2)]
    facts = stack.json("halt", "--reason", "a test")["facts"]
    assert (facts["orders"]["state"], facts["positions"]["state"]) == ("1 resting", "1 open")
    assert bot.state == "paused"
    bot.faults["/forceexit"] = fake.dies
    gone = stack.run("halt", "--reason", "a test", "--close-positions", "--yes", "--json")
    facts = json.loads(gone.stdout)["data"]["facts"]
    assert (gone.returncode, facts["orders"]["state"], facts["positions"]["state"]) == (1, "not known", "not known")
    bot.faults.clear()
    stack.ok("resume")


def test_a_flat_bot_holds_nothing_up(stack: Tradebot) -> None:
    stack.ok("stop", "worker")
    assert stack.status()["worker-1"]["state"] == "stopped"
