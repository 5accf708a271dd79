"""What people read of the bot: the mode spelt out, ages, and "not known" where an empty list would be a guess."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.operations.jobs.test_dead_letters import NOW
from tests.operations.seen import whole
from tradebot_ops.context import Ops
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.errors import OpsError, Unreachable
from tradebot_ops.facts.project.bots import CLOCK_S, NONE
from tradebot_ops.operations.trade.positions import positions
from tradebot_ops.settings import load_settings

READ = (NOW - timedelta(seconds=3)).isoformat()
FULL: dict[str, Any] = {
    "adapter": "freqtrade",
    "name": "freqtrade",
    "mode": "live",
    "state": "running",
    "opening": True,
    "exchange": "binance",
    "positions": [{"symbol": "BTC/USDT", "side": "long", "amount": 0.5, "price": 60000.0, "opened_at": None}],
    "orders": [
        {"symbol": "BTC/USDT", "side": "stoploss", "type": "limit", "opens": False, "remaining": 0.5, "price": 58000.0}
    ],
    "balance": [{"currency": "USDT", "total": 1000.5, "free": 900.5}],
    "last_loop_age_s": 4.0,
    "last_candle_age_s": 600.0,
    "clock_offset_s": 0.0,
    "second_instance_at": None,
    "second_instance": "",
    "foreign_positions": None,
    "not_compared": {},
    "read_at": dict.fromkeys(("status", "positions", "balance", "candle"), READ),
    "problems": {},
}
GONE = (
    FULL
    | dict.fromkeys(
        (
            "mode",
            "state",
            "opening",
            "exchange",
            "positions",
            "orders",
            "balance",
            "last_loop_age_s",
            "last_candle_age_s",
        )
    )
    | {"clock_offset_s": None, "problems": {"positions": "freqtrade does not answer."}}
)


def report(tmp_path: Path, *bots: Any) -> Any:
    class Api:
        def bots(self, *, read: bool) -> list[Any]:
            assert read
            if bots and isinstance(bots[0], OpsError):
                raise bots[0]
            return list(bots)

    settings = load_settings({"project": "demo"}, {"TRADEBOT_STATE": str(tmp_path)}, tmp_path)
    ops = Ops(settings, StubEngine("demo"), lambda: NOW)
    ops.__dict__["api"] = Api()
    return positions(ops)


def facts(found: Any) -> dict[str, tuple[str, str]]:
    return {name: (value, read) for name, value, read in found.sections[0].tables[0].rows}


def test_a_bot_that_is_well(tmp_path: Path) -> None:
    found = report(tmp_path, FULL)
    assert facts(found) == {
        "mode": ("LIVE: it trades with money", "3 s ago"),
        "state": ("running, may open positions", "3 s ago"),
        "open positions": ("1", "3 s ago"),
        "resting orders": ("1", "3 s ago"),
        "balance": ("1 currencies", "3 s ago"),
        "last loop": ("4 s ago", "3 s ago"),
        "newest candle ended": ("10 min ago", "3 s ago"),
        "clock": ("as ours", "3 s ago"),
    }
    assert [table.rows[0][0] for table in found.sections[0].tables[1:]] == ["BTC/USDT", "BTC/USDT", "USDT"]
    assert (found.sections[0].title, found.exit_code) == ("freqtrade on binance", 0)


def test_one_that_holds_nothing_says_so(tmp_path: Path) -> None:
    found = report(tmp_path, FULL | {"positions": [], "orders": [], "mode": "paper", "opening": False})
    shown = facts(found)
    assert (shown["open positions"][0], shown["resting orders"][0]) == ("none", "none")
    assert shown["mode"][0].startswith("paper")
    assert shown["state"][0] == "running, opens no positions"


def test_what_is_not_known_is_neither_none_nor_zero(tmp_path: Path) -> None:
    found = report(tmp_path, GONE)
    assert {value for value, _ in facts(found).values()} == {"not known"}
    assert found.exit_code == 1
    assert "are not known: freqtrade does not answer." in found.findings[0].message


def test_one_that_was_never_read_has_no_age(tmp_path: Path) -> None:
    found = report(tmp_path, GONE | {"read_at": {}, "problems": {}})
    assert {read for _, read in facts(found).values()} == {"never"}


@pytest.mark.parametrize(("offset", "words"), [(30.0, "30 s ahead of ours"), (-300.0, "5 min behind ours")])
def test_a_clock_that_is_off(tmp_path: Path, offset: float, words: str) -> None:
    assert facts(report(tmp_path, FULL | {"clock_offset_s": offset}))["clock"][0] == words


def test_a_second_instance_is_a_warning(tmp_path: Path) -> None:
    said = "Two instances of freqtrade answer in turn."
    found = report(tmp_path, FULL | {"second_instance_at": READ, "second_instance": said})
    assert [each.message for each in found.findings] == [said]
    assert found.exit_code == 0


def test_who_else_may_trade_on_its_account_is_said(tmp_path: Path) -> None:
    unread = {"http://10.0.0.7": "freqtrade does not answer /show_config."}
    foreign = ["BTC/USDT:USDT", "ETH/USDT:USDT"]
    found = report(tmp_path, FULL | {"not_compared": unread, "foreign_positions": foreign})
    unknown = "Whether the bot at http://10.0.0.7 is on the same account is not known: "
    assert [each.message for each in found.findings] == [
        unknown + "freqtrade does not answer /show_config.",
        "The account of freqtrade holds what is not its own: BTC/USDT:USDT and 1 more.",
    ]
    assert found.exit_code == 0


def test_without_a_bot_it_says_how_to_watch_one(tmp_path: Path) -> None:
    assert report(tmp_path).sections[0].lines[0] == NONE


def test_an_api_that_is_away_knows_of_nothing(tmp_path: Path) -> None:
    with pytest.raises(Unreachable) as caught:
        report(tmp_path, Unreachable("The API is away.", code="TB-0501"))
    assert caught.value.detail == ("So neither positions nor resting orders are known.",)


def test_screens(tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    order = FULL["orders"][0] | {"opens": True, "side": "buy", "price": None, "remaining": 1 / 3}
    held = FULL["positions"][0] | {"opened_at": "2026-11-26T10:00:00Z", "amount": 1 / 3, "price": None}
    full = FULL | {"positions": [held, *FULL["positions"]], "orders": [order, *FULL["orders"]]}
    odd = full | {
        "second_instance_at": READ,
        "second_instance": "Two instances of freqtrade answer in turn.",
        "not_compared": {"http://10.0.0.7": "It does not answer."},
        "foreign_positions": ["ETH/USDT:USDT"],
        "mode": "unheard-of",
        "opening": None,
        "exchange": "",
    }
    seen = [report(tmp_path, full), report(tmp_path, odd, GONE), report(tmp_path)]
    seen.append(report(tmp_path, GONE | {"problems": {}}))
    assert "\n\n".join(map(whole, seen)) == snapshot


@pytest.mark.parametrize("offset", [CLOCK_S, -CLOCK_S, 0.0])
def test_a_clock_within_its_bounds_is_as_ours(tmp_path: Path, offset: float) -> None:
    assert facts(report(tmp_path, FULL | {"clock_offset_s": offset}))["clock"][0] == "as ours"
    beyond = CLOCK_S + 1
    assert facts(report(tmp_path, FULL | {"clock_offset_s": beyond}))["clock"][0].endswith("ahead of ours")
