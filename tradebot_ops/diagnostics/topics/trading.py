"""Trading: with money or on paper, what is held, and what the bot knows of the market."""

from tradebot_ops.diagnostics.topic import Topic, View, doubtful, look, wrong
from tradebot_ops.facts.project import bots
from tradebot_ops.facts.work import halt
from tradebot_ops.text.quantities import quantity

TOPIC = Topic("trading", "Trading", order=3)
NOT_KNOWN = "not known"


@look(asks=(halt.halt,))
def halted(found: halt.Halt | None) -> View:
    """Nothing is wrong with a halt here: the queue speaks of what waits."""
    return View((("stack", "takes jobs" if found is None else f"halted for {quantity(found.seconds, 's')}"),))


@look(asks=(bots.trading,))
def bot(found: bots.Trading) -> View:
    problems = []
    if found.second_instance:
        problems.append(wrong(found.second_instance, "tradebot runbook show BotSecondInstance"))
    if found.foreign:
        problems.append(doubtful(found.others_hold, "tradebot runbook show BotForeignPositions"))
    runbook = "tradebot runbook show BotOthersNotCompared"
    problems += [doubtful(sentence, runbook) for sentence in found.others_not_known]
    if found.mode == "live" and found.env != "prod":
        problems.append(
            wrong(f"{found.adapter} trades with money, and this stack is for {found.env}.", "tradebot positions")
        )
    if found.clock_off:
        off = quantity(found.clock_off, "s")
        problems.append(doubtful(f"The clock of {found.adapter} is off by {off}.", "tradebot runbook show BotClockOff"))
    if found.candle_age is not None and found.feed_stale:
        old = quantity(found.candle_age, "s")
        problems.append(
            doubtful(f"The newest candle of {found.adapter} ended {old} ago.", "tradebot runbook show BotFeedStale")
        )
    values = (
        ("bot", f"{found.adapter}, {'with money' if found.mode == 'live' else 'on paper'} ({found.mode})"),
        ("opens positions", "yes" if found.opening else "no"),
        ("open positions", f"{found.positions}, read just now"),
        ("resting orders", NOT_KNOWN if found.orders is None else f"{found.orders}, read just now"),
        ("newest candle", NOT_KNOWN if found.candle_age is None else f"{quantity(found.candle_age, 's')} ago"),
    )
    return View(values, problems=tuple(problems))
