"""`tradebot positions`: holdings of the bot that trades elsewhere, each with its age; "not known" is never "none"."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from tradebot_ops.context import Ops
from tradebot_ops.errors import Unreachable
from tradebot_ops.facts.project.bots import CLOCK_S, NONE, not_its_own
from tradebot_ops.model import Finding, Level, Report, Section, Table
from tradebot_ops.text.quantities import age, ago

SET_UP = "To watch one: tradebot config set BOT_ADAPTER=freqtrade BOT_URL=ADDRESS BOT_USER=NAME; then tradebot up"
NOT_KNOWN = "not known"
MODES = {"live": "LIVE: it trades with money", "paper": "paper: it trades with no money"}

Bot = Mapping[str, Any]


def positions(ops: Ops) -> Report:
    """Read the bot now. Not ok while its positions or resting orders are not known."""
    try:
        bots = ops.api.bots(read=True)
    except Unreachable as error:
        error.detail = (*error.detail, "So neither positions nor resting orders are known.")
        raise
    if not bots:
        return Report(data={"bots": []}, sections=(Section(lines=(NONE, SET_UP)),))
    sections = tuple(section for bot in bots for section in _sections(ops, bot))
    findings = tuple(finding for bot in bots for finding in _findings(bot))
    return Report(data={"bots": bots}, sections=sections, findings=findings)


def _findings(bot: Bot) -> Sequence[Finding]:
    found = []
    if bot["positions"] is None:
        why = bot["problems"].get("positions") or "It was not read."
        message = f"Positions and resting orders of {bot['adapter']} are not known: {why}"
        hint = "Look at the exchange itself; and: tradebot logs api --tail 50"
        found.append(Finding(Level.FAIL, "TB-0165", message, hint=hint))
    if bot["second_instance_at"]:
        found.append(Finding(Level.WARN, "TB-0165", bot["second_instance"], hint="Stop one of them."))
    for address, why in bot["not_compared"].items():
        message = f"Whether the bot at {address} is on the same account is not known: {why}"
        found.append(Finding(Level.WARN, "TB-0165", message, hint=f"Read it yourself: curl {address}/api/v1/ping"))
    if bot["foreign_positions"]:
        message = not_its_own(bot["adapter"], bot["foreign_positions"])
        found.append(Finding(Level.WARN, "TB-0165", message, hint="Find out who opened it: a person, or another bot."))
    return found


def _sections(ops: Ops, bot: Bot) -> Sequence[Section]:
    title = " ".join(filter(None, (bot["adapter"], bot["exchange"] and f"on {bot['exchange']}")))
    facts = Table(("fact", "value", "read"), tuple(_facts(ops, bot)))
    tables = [facts, *(table for table in (_held(bot), _resting(bot), _money(bot)) if table.rows)]
    return (Section(title=title, tables=tuple(tables)),)


def _facts(ops: Ops, bot: Bot) -> Sequence[tuple[str, str, str]]:
    def read(part: str) -> str:
        at = bot["read_at"].get(part)
        return f"{ago(at, ops.clock())} ago" if at else "never"

    opening = {True: "may open positions", False: "opens no positions", None: ""}[bot["opening"]]
    state = ", ".join(filter(None, (bot["state"], opening))) or NOT_KNOWN
    return (
        ("mode", MODES.get(bot["mode"] or "", NOT_KNOWN), read("status")),
        ("state", state, read("status")),
        ("open positions", _number(bot["positions"]), read("positions")),
        ("resting orders", _number(bot["orders"]), read("positions")),
        ("balance", _number(bot["balance"], "currencies"), read("balance")),
        ("last loop", _past(bot["last_loop_age_s"]), read("status")),
        ("newest candle ended", _past(bot["last_candle_age_s"]), read("candle")),
        ("clock", _clock(bot["clock_offset_s"]), read("status")),
    )


def _number(found: Sequence[Any] | None, unit: str = "") -> str:
    if found is None:
        return NOT_KNOWN
    return " ".join(filter(None, (str(len(found)) if found else "none", unit if found else "")))


def _past(seconds: float | None) -> str:
    return NOT_KNOWN if seconds is None else f"{age(timedelta(seconds=seconds))} ago"


def _clock(offset: float | None) -> str:
    if offset is None:
        return NOT_KNOWN
    if abs(offset) <= CLOCK_S:
        return "as ours"
    return f"{age(timedelta(seconds=abs(offset)))} {'ahead of' if offset > 0 else 'behind'} ours"


def _held(bot: Bot) -> Table:
    rows = tuple(
        (each["symbol"], each["side"], f"{each['amount']:.12g}", _price(each["price"]), str(each["opened_at"] or ""))
        for each in bot["positions"] or ()
    )
    return Table(("position", "side", "amount", "entry price", "opened"), rows)


def _resting(bot: Bot) -> Table:
    rows = tuple(
        (
            each["symbol"],
            each["side"],
            each["type"],
            _price(each["remaining"]),
            _price(each["price"]),
            "opens a position" if each["opens"] else "ends or protects one",
        )
        for each in bot["orders"] or ()
    )
    return Table(("resting order", "side", "type", "remaining", "price", "what it does"), rows)


def _money(bot: Bot) -> Table:
    rows = tuple((each["currency"], _price(each["total"]), _price(each["free"])) for each in bot["balance"] or ())
    return Table(("currency", "total", "free"), rows)


def _price(value: float | None) -> str:
    return "" if value is None else f"{value:.12g}"
