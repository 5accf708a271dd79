"""Two facts of a halt: what the bot holds as it was read afterwards, and never flat without that."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from tradebot_ops.context import Ops
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.errors import OpsError, Unreachable
from tradebot_ops.operations.trade.bot_facts import BotFacts, halted, standing
from tradebot_ops.records import HaltDrill
from tradebot_ops.settings import load_settings

LONG = {"side": "long", "amount": 0.5, "symbol": "BTC/USDT"}
STOP, ENTRY = {"opens": False}, {"opens": True}


def bot(positions: Any = (), orders: Any = (), **more: Any) -> dict[str, Any]:
    found = {"adapter": "freqtrade", "mode": "live", "opening": False, "positions": positions, "orders": orders}
    return found | {"problems": {}} | more


class Api:
    def __init__(
        self, *bots: Any, failures: tuple[str, ...] = (), error: OpsError | None = None, cancelled: int = 0
    ) -> None:
        self._bots, self._failures, self._error = list(bots), list(failures), error
        self._cancelled = cancelled
        self.asked = list[Any]()

    def halt_bots(self, *, close: bool) -> dict[str, Any]:
        self.asked.append(close)
        return {"bots": self.bots(read=True), "failures": self._failures, "cancelled": self._cancelled}

    def bots(self, *, read: bool) -> list[Any]:
        assert read
        self.asked.append("read")
        if self._error:
            raise self._error
        return self._bots


NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)


def ops_with(folder: Path, api: Api, adapter: str = "freqtrade", now: datetime = NOON) -> Ops:
    environ = {"TRADEBOT_STATE": str(folder), "HOME": str(folder), "BOT_ADAPTER": adapter}
    ops = Ops(load_settings({"project": "demo"}, environ, folder), StubEngine("demo"), clock=lambda: now)
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
    found = standing(ops_with(tmp_path, Api(bot([LONG], [STOP, ENTRY]))))
    assert (found.positions.state, found.positions.detail) == ("1 open", "live: long 0.5 BTC/USDT")
    assert (found.orders.state, found.orders.detail) == (
        "2 resting",
        "1 of them would open a position; the bot opens none",
    )
    assert found.findings == ()


@pytest.mark.parametrize(
    ("left", "close", "messages"),
    [
        (bot([LONG], [STOP]), False, []),
        (bot([LONG]), True, ["freqtrade was asked to close all, and positions are open still."]),
        (
            bot(orders=[STOP, ENTRY]),
            False,
            ["freqtrade was asked to cancel what would open a position, and 1 order is still resting."],
        ),
        (bot(opening=True), False, ["freqtrade was asked to open no positions, and opens them still."]),
        (
            bot([LONG], [ENTRY, ENTRY], opening=None),
            True,
            [
                "freqtrade was asked to open no positions, and whether it opens any is not known.",
                "freqtrade was asked to cancel what would open a position, and 2 orders are still resting.",
                "freqtrade was asked to close all, and positions are open still.",
            ],
        ),
    ],
)
def test_what_it_took_and_has_not_done_is_a_failure(tmp_path: Path, left: Any, close: bool, messages: Any) -> None:
    ops = ops_with(tmp_path, Api(left))
    assert [each.message for each in halted(ops, close=close).findings] == messages
    assert (ops.state.load(HaltDrill) == HaltDrill()) is bool(messages)


def test_a_halt_that_was_seen_to_work_is_remembered_and_whether_it_had_orders_to_cancel(tmp_path: Path) -> None:
    later = NOON + timedelta(days=1)
    cancelling, nothing_to_cancel = Api(bot(), cancelled=2), Api(bot())
    halted(ops_with(tmp_path, cancelling), close=False)
    ops = ops_with(tmp_path, nothing_to_cancel, now=later)
    standing(ops)
    assert ops.state.load(HaltDrill) == HaltDrill("freqtrade", NOON.isoformat(), NOON.isoformat())
    halted(ops, close=False)
    assert ops.state.load(HaltDrill) == HaltDrill("freqtrade", later.isoformat(), NOON.isoformat())


def test_what_another_kind_of_bot_cancelled_proves_nothing(tmp_path: Path) -> None:
    ops = ops_with(tmp_path, Api(bot()))
    ops.state.store(HaltDrill("other", NOON.isoformat(), NOON.isoformat()))
    halted(ops, close=False)
    assert ops.state.load(HaltDrill) == HaltDrill("freqtrade", NOON.isoformat(), "")


@pytest.mark.parametrize(
    "api",
    [Api(bot(), failures=("no",)), Api(bot(None, None)), Api(error=Unreachable("away", code="TB-0501")), Api()],
    ids=["refused", "unread", "API away", "none watched"],
)
def test_a_halt_that_was_not_seen_to_work_is_not_remembered(tmp_path: Path, api: Api) -> None:
    ops = ops_with(tmp_path, api)
    halted(ops, close=False)
    assert ops.state.load(HaltDrill) == HaltDrill()


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


def test_every_word_of_it(tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    many = [LONG | {"symbol": f"S{number}", "amount": 1 / 3} for number in range(6)]
    seen = []
    for api, close in (
        (Api(bot(mode="")), True),
        (Api(bot(many, [STOP, ENTRY, ENTRY], opening=None, mode="")), False),
        (Api(bot([LONG], [STOP], opening=True), failures=("It answers with HTTP 500", "It is away.")), True),
        (Api(bot(None, ())), True),
        (Api(bot((), None, problems={"positions": "it is gone"}), failures=("it is gone",)), False),
        (Api(error=Unreachable("The API is away.", code="TB-0501")), True),
    ):
        found = halted(ops_with(tmp_path, api), close=close)
        seen += [repr(found.orders), repr(found.positions), *map(repr, found.findings), ""]
        assert api.asked[0] == close
    assert seen == snapshot
