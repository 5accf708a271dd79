"""Guard of what takes the stack away: not while the watched bot holds a position, or nobody knows if it does."""

from collections.abc import Mapping, Sequence
from typing import Any

from tradebot_ops.context import Ops
from tradebot_ops.errors import OpsError
from tradebot_ops.facts.project.bots import named, watched
from tradebot_ops.records import WatchedBot

FORCE = "tradebot positions; if it has to be all the same, add: --force --reason TEXT"


def reason_of(*, force: bool, reason: str) -> str:
    """The reason of ``--force``; empty without it. Raises ``OpsError`` TB-0278 for one without the other."""
    if force == bool(reason.strip()):
        return reason.strip()
    missing, given = ("--reason", "--force") if force else ("--force", "--reason")
    raise OpsError(
        f"{given} goes with {missing}: whoever leaves a position alone says why, and the audit log keeps it.",
        code="TB-0278",
        hint="add: --force --reason TEXT",
    )


def words(forced: str) -> Sequence[str]:
    """The words of the command for the audit log."""
    return ("--force", "--reason", forced) if forced else ()


def remember(ops: Ops) -> None:
    """Keep whether this stack was started with a bot to watch: later commands may be typed where no setting says so."""
    adapter = named(ops)
    if ops.state.load(WatchedBot).adapter != adapter:
        ops.state.store(WatchedBot(adapter))


def check_flat(ops: Ops, forced: str = "") -> None:
    """Raise ``OpsError`` TB-0911 while the bot holds a position or has an order out, TB-0912 where that is not known.

    Asks nobody where no bot is watched, or nothing runs. With a reason it is a warning.
    """
    if not watched(ops):
        return
    if not any(replica.state.alive for replica in ops.engine.list()):
        return
    obstacle = _obstacle(ops)
    if obstacle is None:
        return
    if not forced:
        raise obstacle
    ops.warnings.append(f"{obstacle.message} It was done all the same: {forced}")


def _obstacle(ops: Ops) -> OpsError | None:
    try:
        bots = ops.api.bots(read=True)
    except OpsError as error:
        return _unknown("the bot", error.message)
    for bot in bots:
        if bot["positions"] is None or bot["orders"] is None:
            return _unknown(bot["adapter"], bot["problems"].get("positions", "It was not read."))
        if held := _held(bot):
            mode = f" ({bot['mode']})" if bot["mode"] else ""
            return OpsError(
                f"{bot['adapter']}{mode} has {held}, and nobody would watch over that; nothing was done.",
                code="TB-0911",
                hint=FORCE,
            )
    return None


def _unknown(name: str, why: str) -> OpsError:
    message = f"Whether {name} holds a position is not known, which is not the same as none; nothing was done. {why}"
    return OpsError(message, code="TB-0912", hint=FORCE)


def _held(bot: Mapping[str, Any]) -> str:
    """Positions, and orders that may become some; a stop of a position goes with it."""
    held = [f"{each['side']} {each['amount']:.12g} {each['symbol']}" for each in bot["positions"]]
    orders = [f"{each['side']} {each['symbol']}" for each in bot["orders"] if each["opens"]]
    parts = (("an open position", "open positions", held), ("an order out", "orders out", orders))
    return " and ".join(
        f"{one if len(found) == 1 else f'{len(found)} {more}'}: {', '.join(found[:5])}"
        for one, more, found in parts
        if found
    )
