"""Two facts of a halt: what the bot holds as it was read afterwards, and never flat without that."""

from pathlib import Path
from typing import Any

import pytest

from tradebot_ops.context import Ops
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.errors import OpsError, Unreachable
from tradebot_ops.operations.trade.bot_facts import BotFacts, halted, standing
from tradebot_ops.settings import load_settings

LONG = {"side": "long", "amount": 0.5, "symbol": "BTC/USDT"}
STOP, ENTRY = {"opens": False}, {"opens": True}


def bot(positions: Any = (), orders: Any = (), **more: Any) -> dict[str, Any]:
    found = {"adapter": "freqtrade", "mode": "live", "opening": False, "positions": positions, "orders": orders}
    return found | {"problems": {}} | more


class Api:
    def __init__(self, *bots: Any, failures: tuple[str, ...] = (), error: OpsError | None = None) -> None:
        self._bots, self._failures, self._error = list(bots), list(failures), error
        self.asked = list[Any]()

    def halt_bots(self, *, close: bool) -> dict[str, Any]:
        self.asked.append(close)
        return {"bots": self.bots(read=True), "failures": self._failures}

    def bots(self, *, read: bool) -> list[Any]:
        assert read
        self.asked.append("read")
        if self._error:
            raise self._error
        return self._bots


def ops_with(folder: Path, api: Api, adapter: str = "freqtrade") -> Ops:
    environ = {"TRADEBOT_STATE": str(folder), "HOME": str(folder), "BOT_ADAPTER": adapter}
    ops = Ops(load_settings({"project": "demo"}, environ, folder), StubEngine("demo"))
    ops.__dict__["api"] = api
    return ops


def test_nobody_is_asked_where_no_bot_is_watched(tmp_path: Path) -> None:
    api = Api(bot())
    ops = ops_with(tmp_path, api, "")
    assert halted(ops, close=True) == standing(ops) == BotFacts()
    assert api.asked == []


def test_a_flat_bot_is_flat_because_it_was_read(tmp_path: Path) -> None:
    found = halted(ops_with(tmp_path, Api(bot())), close=False)
    assert (found.orders.state, found.positions.state, found.findings) == ("none resting", "none open", ())
    assert found.orders.detail == "the bot opens none"


def test_what_stays_is_named(tmp_path: Path) -> None:
    found = halted(ops_with(tmp_path, Api(bot([LONG], [STOP, ENTRY]))), close=False)
    assert (found.positions.state, found.positions.detail) == ("1 open", "live: long 0.5 BTC/USDT")
    assert (found.orders.state, found.orders.detail) == (
        "2 resting",
        "1 of them would open a position; the bot opens none",
    )
    assert found.findings == ()


def test_a_position_that_was_to_be_closed_and_is_open_is_a_failure(tmp_path: Path) -> None:
    found = halted(ops_with(tmp_path, Api(bot([LONG]))), close=True)
    assert [each.message for each in found.findings] == [
        "freqtrade was asked to close all, and positions are open still."
    ]


def test_an_order_that_the_bot_did_not_take_is_a_failure(tmp_path: Path) -> None:
    found = halted(ops_with(tmp_path, Api(bot(opening=True), failures=("It answers with HTTP 500.",))), close=False)
    assert found.orders.detail == "the bot opens positions"
    assert "did not do as it was asked: It answers with HTTP 500." in found.findings[0].message


@pytest.mark.parametrize(
    "api",
    [
        Api(bot(None, None, problems={"positions": "it is gone"}, opening=None)),
        Api(bot(None, None, opening=None), failures=("it is gone",)),
        Api(error=Unreachable("The API is away.", code="TB-0501")),
    ],
    ids=["unread", "gone in the middle", "API away"],
)
def test_what_nobody_read_is_not_known(tmp_path: Path, api: Api) -> None:
    for found in (halted(ops_with(tmp_path, api), close=True), standing(ops_with(tmp_path, api))):
        assert (found.orders.state, found.positions.state) == ("not known", "not known")
        assert found.findings


def test_an_api_that_watches_none_knows_of_none(tmp_path: Path) -> None:
    assert standing(ops_with(tmp_path, Api())) == BotFacts()
