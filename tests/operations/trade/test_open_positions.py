"""No command takes the stack away under an open position, or while nobody knows of one; and it costs nobody else."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.operations.seen import refusal
from tradebot_ops.context import Ops
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.errors import OpsError, Unreachable
from tradebot_ops.operations.lifecycle import scale, startstop
from tradebot_ops.operations.lifecycle.down import down
from tradebot_ops.operations.trade import open_positions
from tradebot_ops.operations.trade.open_positions import check_flat, reason_of
from tradebot_ops.progress import ignore_progress
from tradebot_ops.records import WatchedBot
from tradebot_ops.settings import load_settings

COMPOSE = """
services:
  redis: {image: "redis:1"}
  worker: {image: "worker:1", x-tradebot: {scalable: true}}
  prometheus: {image: "prometheus:1", profiles: [monitoring]}
"""
LONG = {"id": "1", "symbol": "BTC/USDT", "side": "long", "amount": 0.5, "price": 60000.0, "opened_at": None}
ENTRY = {"id": "o1", "symbol": "ETH/USDT", "side": "buy", "type": "limit", "opens": True, "remaining": 1, "price": 3}


def bot(positions: Any = (), orders: Any = (), **more: Any) -> dict[str, Any]:
    return {"adapter": "freqtrade", "mode": "live", "positions": positions, "orders": orders, "problems": {}, **more}


class Api:
    def __init__(self, *bots: Any, error: OpsError | None = None) -> None:
        self._bots, self._error = list(bots), error
        self.asked = 0

    def bots(self, *, read: bool) -> list[Any]:
        assert read, "what it was a minute ago decides nothing"
        self.asked += 1
        if self._error:
            raise self._error
        return self._bots

    def workers(self) -> list[Any]:
        return []


def made(tmp_path: Path, api: Api, *, watched: bool = True, running: bool = True) -> Ops:
    environ = {"TRADEBOT_STATE": str(tmp_path / "state"), "HOME": str(tmp_path)}
    environ |= {"BOT_ADAPTER": "freqtrade"} if watched else {}
    engine = StubEngine("demo")
    tmp_path.mkdir(exist_ok=True)
    (tmp_path / "compose.yaml").write_text(COMPOSE)
    ops = Ops(load_settings({"project": "demo"}, environ, tmp_path), engine)
    ops.__dict__["redis"] = SimpleNamespace(desire_workers=lambda _count: None)
    if running:
        engine.prepare(ops.stack, lambda *_: None)
        for name in ("redis", "worker", "prometheus"):
            engine.apply(ops.stack, name, 1)
    ops.__dict__["api"] = api
    return ops


HELD = {
    "a position": (bot([LONG]), "TB-0911", "an open position: long 0.5 BTC/USDT"),
    "two": (bot([LONG, LONG]), "TB-0911", "2 open positions"),
    "an order that opens one": (bot([], [ENTRY]), "TB-0911", "an order out: buy ETH/USDT"),
    "both": (bot([LONG], [ENTRY]), "TB-0911", "and an order out"),
    "unknown": (bot(None, None, problems={"positions": "It is away."}), "TB-0912", "not known, which is not the same"),
}


@pytest.mark.parametrize("name", HELD)
def test_it_is_refused_with_its_reason(tmp_path: Path, name: str) -> None:
    found, code, words = HELD[name]
    with pytest.raises(OpsError, match=words) as caught:
        check_flat(made(tmp_path, Api(found)))
    assert (caught.value.code, int(caught.value.exit_code)) == (code, 9)
    assert "--force --reason" in caught.value.hint


def test_an_api_that_is_away_leaves_it_unknown(tmp_path: Path) -> None:
    with pytest.raises(OpsError) as caught:
        check_flat(made(tmp_path, Api(error=Unreachable("The API is away.", code="TB-0501"))))
    assert caught.value.code == "TB-0912"


@pytest.mark.parametrize("found", [(), (bot(),), (bot([], [ENTRY | {"opens": False}]),)])
def test_a_flat_account_is_no_obstacle(tmp_path: Path, found: Any) -> None:
    check_flat(made(tmp_path, Api(*found)))


def test_nobody_is_asked_without_a_bot_or_with_nothing_running(tmp_path: Path) -> None:
    api = Api(bot([LONG]))
    check_flat(made(tmp_path / "a", api, watched=False))
    check_flat(made(tmp_path / "b", api, running=False))
    assert api.asked == 0


def test_a_bot_of_the_last_start_counts_where_no_setting_names_it(tmp_path: Path) -> None:
    open_positions.remember(made(tmp_path, Api()))
    later = made(tmp_path, Api(bot([LONG])), watched=False)
    assert later.state.load(WatchedBot) == WatchedBot("freqtrade")
    with pytest.raises(OpsError, match="an open position"):
        check_flat(later)
    open_positions.remember(later)
    check_flat(later)


COMMANDS: dict[str, Any] = {
    "down": lambda ops, forced: down(ops, ignore_progress, forced=forced),
    "stop": lambda ops, forced: startstop.stop(ops, [], ignore_progress, forced=forced),
    "stop worker": lambda ops, forced: startstop.stop(ops, ["worker"], ignore_progress, forced=forced),
    "restart": lambda ops, forced: startstop.restart(ops, ["worker"], ignore_progress, forced=forced),
    "scale": lambda ops, forced: scale.scale(ops, "worker", 0, ignore_progress, forced=forced),
    "scale --reset": lambda ops, forced: scale.reset(ops, "worker", ignore_progress, forced=forced),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_with_a_position_nothing_stops(tmp_path: Path, name: str) -> None:
    api = Api(bot([LONG]))
    ops = made(tmp_path, api)
    if name == "scale --reset":
        scale.scale(ops, "worker", 3, ignore_progress)
    before = ops.engine.list()
    with pytest.raises(OpsError) as caught:
        COMMANDS[name](ops, "")
    assert caught.value.code == "TB-0911"
    assert ops.engine.list() == before


@pytest.mark.parametrize("name", COMMANDS)
def test_with_a_reason_each_goes_on(tmp_path: Path, name: str) -> None:
    ops = made(tmp_path, Api(bot([LONG])))
    if name == "scale --reset":
        scale.scale(ops, "worker", 3, ignore_progress)
    before = ops.engine.list()
    COMMANDS[name](ops, "the host burns")
    assert ops.engine.list() != before
    assert ops.warnings
    assert all(line.endswith("It was done all the same: the host burns") for line in ops.warnings)
    logged = (ops.state.folder / "audit.jsonl").read_text()
    assert '"--force", "--reason", "the host burns"' in logged.replace('","', '", "')


def test_the_monitoring_may_restart(tmp_path: Path) -> None:
    api = Api(bot([LONG]))
    startstop.restart(made(tmp_path, api), ["prometheus"], ignore_progress)
    assert api.asked == 0


def test_more_workers_hold_nothing_up(tmp_path: Path) -> None:
    api = Api(bot([LONG]))
    scale.scale(made(tmp_path, api), "worker", 3, ignore_progress)
    assert api.asked == 0


def test_forced_it_is_done_said_and_logged(tmp_path: Path) -> None:
    ops = made(tmp_path, Api(bot([LONG])))
    down(ops, ignore_progress, forced="the host burns")
    assert not ops.engine.list()
    assert [line for line in ops.warnings if line.endswith("It was done all the same: the host burns")]
    assert "the host burns" in (ops.state.folder / "audit.jsonl").read_text()


def test_what_was_given_is_the_reason() -> None:
    assert (reason_of(force=True, reason=" why "), reason_of(force=False, reason="")) == ("why", "")


def test_sentences(tmp_path: Path) -> None:
    many = [LONG | {"symbol": f"S{number}"} for number in range(6)]
    hint = "tradebot positions; if it has to be all the same, add: --force --reason TEXT"
    unknown = "Whether freqtrade holds a position is not known, which is not the same as none; nothing was done."
    seen = []
    for api in (
        Api(bot([LONG], [ENTRY, ENTRY])),
        Api(bot(many, mode="")),
        Api(bot(), bot([], [ENTRY])),
        Api(bot([], None)),
        Api(bot(None, [], problems={"positions": "It is away."})),
        Api(error=Unreachable("The API is away.", code="TB-0501")),
    ):
        with pytest.raises(OpsError) as caught:
            check_flat(made(tmp_path, api))
        seen.append(refusal(caught.value))
    alone = "and nobody would watch over that; nothing was done."
    longs = ", ".join(f"long 0.5 S{number}" for number in range(5))
    both = "an open position: long 0.5 BTC/USDT and 2 orders out: buy ETH/USDT, buy ETH/USDT"
    assert seen == [
        ("TB-0911", f"freqtrade (live) has {both}, {alone}", hint),
        ("TB-0911", f"freqtrade has 6 open positions: {longs}, {alone}", hint),
        ("TB-0911", f"freqtrade (live) has an order out: buy ETH/USDT, {alone}", hint),
        ("TB-0912", f"{unknown} It was not read.", hint),
        ("TB-0912", f"{unknown} It is away.", hint),
        ("TB-0912", f"{unknown.replace('freqtrade', 'the bot')} The API is away.", hint),
    ]


def test_with_a_reason_it_is_done_and_told(tmp_path: Path) -> None:
    ops = made(tmp_path, Api(bot([LONG])))
    check_flat(ops, "the exchange is down")
    (warning,) = ops.warnings
    assert warning.endswith("nothing was done. It was done all the same: the exchange is down")
    assert open_positions.words("the exchange is down") == ("--force", "--reason", "the exchange is down")
    assert open_positions.words("") == ()


@pytest.mark.parametrize(
    ("force", "reason", "given", "missing"), [(True, " ", "--force", "--reason"), (False, "x", "--reason", "--force")]
)
def test_force_and_reason_go_together(force: bool, reason: str, given: str, missing: str) -> None:
    with pytest.raises(OpsError) as caught:
        reason_of(force=force, reason=reason)
    message = f"{given} goes with {missing}: whoever leaves a position alone says why, and the audit log keeps it."
    assert refusal(caught.value) == ("TB-0278", message, "add: --force --reason TEXT")
    assert (reason_of(force=True, reason=" x "), reason_of(force=False, reason=" ")) == ("x", "")
