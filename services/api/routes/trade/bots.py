"""The bot that trades elsewhere: each fact with its time, null where it is not known."""

from datetime import UTC, datetime
from typing import Annotated

import structlog
from fastapi import APIRouter, Query

from services.api.schemas import BotHaltRequest, BotList, BotOut, HaltedBots
from services.api.security import Provided, Requester
from services.bots import halting
from services.bots.watcher import Known, Seen, Watcher

router = APIRouter(prefix="/bots", tags=["bots"])
log = structlog.get_logger(__name__)

Read = Annotated[bool, Query(description="Ask the bot now; otherwise its answers of the last minute.")]


@router.get("")
def list_bots(dependencies: Provided, read: Read = False) -> BotList:
    """Mode, positions, resting orders, balance and ages of the bot that is watched; an empty list where none is.

    What the last reading did not give is null, and `problems` says why: it is not known, and not none.
    """
    watcher = dependencies.watcher
    if watcher is None:
        return BotList(bots=[])
    return BotList(bots=[out(watcher, watcher.read() if read else watcher.seen())])


@router.post("/halt")
def halt(request: BotHaltRequest, dependencies: Provided, by: Requester) -> HaltedBots:
    """Have the bot open nothing more, cancel its orders that would, and with `close` close its positions at the market.

    Then it is read again: null is not known. An empty list of bots where none is watched.
    """
    watcher = dependencies.watcher
    if watcher is None:
        return HaltedBots(bots=[], failures=[], cancelled=0)
    done = halting.halt(watcher, close=request.close)
    log.warning("bot halted", by=by, close=request.close, failures=done.failures, cancelled=done.cancelled)
    return HaltedBots(bots=[out(watcher, done.seen)], failures=list(done.failures), cancelled=done.cancelled)


def out(watcher: Watcher, seen: Seen) -> BotOut:
    status, book, account, candle = seen.status.value, seen.book.value, seen.account.value, seen.candle.value
    parts: dict[str, Known[object]] = {
        "status": seen.status,
        "positions": seen.book,
        "balance": seen.account,
        "candle": seen.candle,
    }
    return BotOut.model_validate(
        {
            "adapter": watcher.adapter,
            "name": status and status.name,
            "mode": status and status.mode,
            "state": status and status.state,
            "opening": status and status.opening,
            "exchange": status and status.exchange,
            "positions": book and book.positions,
            "orders": book and book.orders,
            "balance": account and account.balances,
            "foreign_positions": account and account.foreign,
            "started_at": status and status.started_at,
            "last_loop_at": status and status.last_loop_at,
            "last_loop_age_s": _age(status.looped_at if status else None),
            "last_candle_at": candle and candle.ended_at,
            "last_candle_age_s": _age(candle.ended_at if candle else None),
            "candle_s": candle and candle.seconds,
            "clock_offset_s": status and status.clock_offset_s,
            "second_instance_at": seen.second_at,
            "second_instance": seen.second,
            "not_compared": watcher.not_compared(),
            "read_at": {name: known.at for name, known in parts.items()},
            "problems": {name: known.problem for name, known in parts.items() if known.problem},
        },
        from_attributes=True,
    )


def _age(moment: datetime | None) -> float | None:
    return None if moment is None else (datetime.now(UTC) - moment).total_seconds()
