"""``GET /bots``: facts with their times for whoever has the key, and null for what is not known."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.api.app import create_app
from services.common.jobtypes import Registry
from services.common.settings import Settings
from tests.services.bots import fake
from tests.services.bots.fake import FakeBot, served

KEY = "unit-test-key"


@pytest.fixture
def bot() -> Iterator[FakeBot]:
    with served(trades=[fake.position(1), fake.waiting(2)]) as found:
        yield found


def get(
    tmp_path: Path, path: str, key: str = KEY, *, method: str = "GET", body: Any = None, **settings: Any
) -> httpx.Response:
    for name, value in {"api_key": KEY, "bot_password": fake.PASSWORD}.items():
        (tmp_path / name).write_text(value)
    app = create_app(
        Settings(api_key_file=tmp_path / "api_key", bot_password_file=tmp_path / "bot_password", **settings), Registry()
    )

    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://api") as client:
            return await client.request(method, path, headers={"X-API-Key": key}, json=body)

    return asyncio.run(ask())


def watched(bot: FakeBot) -> dict[str, str]:
    return {"bot_adapter": "freqtrade", "bot_url": bot.url, "bot_user": fake.USER}


def test_without_an_adapter_there_is_no_bot(tmp_path: Path) -> None:
    assert get(tmp_path, "/bots?read=true").json() == {"bots": []}


def test_it_takes_the_key(tmp_path: Path, bot: FakeBot) -> None:
    assert get(tmp_path, "/bots", "another", **watched(bot)).status_code == 401
    assert bot.asked == []


def test_facts_with_their_times(tmp_path: Path, bot: FakeBot) -> None:
    (found,) = get(tmp_path, "/bots?read=true", **watched(bot)).json()["bots"]
    assert (found["adapter"], found["mode"], found["state"], found["opening"]) == ("freqtrade", "live", "running", True)
    assert [(each["id"], each["symbol"], each["amount"]) for each in found["positions"]] == [("1", "BTC/USDT", 0.5)]
    assert [each["opens"] for each in found["orders"]] == [False, True]
    assert found["balance"] == [{"currency": "USDT", "total": 1000.5, "free": 900.5}]
    assert found["last_loop_age_s"] >= 0
    assert found["last_candle_age_s"] >= 59
    assert found["problems"] == {}
    assert all(found["read_at"].values())


def test_before_it_was_read_and_while_it_is_away_nothing_is_known(tmp_path: Path, bot: FakeBot) -> None:
    bot.faults["*"] = fake.dropped
    for path in ("/bots", "/bots?read=true"):
        (found,) = get(tmp_path, path, **watched(bot)).json()["bots"]
        assert [found[each] for each in ("mode", "positions", "orders", "balance")] == [None] * 4
        assert found["problems"].keys() == {"status", "positions", "balance", "candle"}


def test_an_account_without_positions_is_an_empty_list_and_not_null(tmp_path: Path, bot: FakeBot) -> None:
    bot.trades = []
    (found,) = get(tmp_path, "/bots?read=true", **watched(bot)).json()["bots"]
    assert (found["positions"], found["orders"]) == ([], [])


@pytest.mark.parametrize(("close", "left"), [(False, ["1"]), (True, [])])
def test_it_is_halted_and_read_afterwards(tmp_path: Path, bot: FakeBot, close: bool, left: list[str]) -> None:
    answer = get(tmp_path, "/bots/halt", method="POST", body={"close": close}, **watched(bot)).json()
    assert answer["failures"] == []
    assert [each["id"] for each in answer["bots"][0]["positions"]] == left
    assert answer["bots"][0]["opening"] is False


def test_whoever_has_no_key_halts_nothing(tmp_path: Path, bot: FakeBot) -> None:
    assert get(tmp_path, "/bots/halt", "another", method="POST", body={}, **watched(bot)).status_code == 401
    assert bot.asked == []


def test_without_a_bot_there_is_none_to_halt(tmp_path: Path) -> None:
    assert get(tmp_path, "/bots/halt", method="POST", body={}).json() == {"bots": [], "failures": [], "cancelled": 0}
