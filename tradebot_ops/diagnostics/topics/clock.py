"""The clock: kept right, and the same everywhere."""

from tradebot_ops.diagnostics.topic import Topic, View, doubtful, look, wrong
from tradebot_ops.facts import host
from tradebot_ops.text.quantities import quantity

TOPIC = Topic("clock", "Clock", order=90)
OFF_S, FAR_OFF_S = 0.1, 1.0


@look(asks=(host.clock,))
def clock(found: host.Clock) -> View:
    offset = max(abs(found.offset or 0.0), abs(found.engine_apart))
    hint = "Enable chrony or systemd-timesyncd on the host."
    problems = []
    if offset > OFF_S:
        say = wrong if offset > FAR_OFF_S else doubtful
        problems.append(say(f"The clock is off by {quantity(offset, 's')}.", hint))
    values = (
        ("kept right", "yes" if found.synchronised else "no"),
        ("offset", "not known" if found.offset is None else quantity(found.offset, "s")),
        ("engine against here", quantity(found.engine_apart, "s")),
    )
    return View(values, problems=tuple(problems))
