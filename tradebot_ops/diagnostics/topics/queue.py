"""The queue: how much waits, for how long, whether it moves, and what was given up."""

from collections.abc import Sequence

from tradebot_ops.diagnostics.topic import Topic, View, doubtful, look, wrong
from tradebot_ops.facts.work import halt, queue
from tradebot_ops.text.quantities import quantity, sparkline
from tradebot_ops.text.sentences import ended

TOPIC = Topic("queue", "Queue", order=30)
LONG, NEARLY_LONG = 100, 70
#: Jobs are due, and for so long no worker took one: nobody works, whatever the heartbeats say.
STUCK_S = 30
DEAD_AN_HOUR = 10


@look(asks=(halt.halt,))
def halted(found: halt.Halt | None) -> View:
    if found is None:
        return View((("halted", "no"),))
    since = quantity(found.seconds, "s")
    message = f"{found.by} halted the stack {since} ago, so that no job starts: {ended(found.reason)}"
    return View((("halted", f"for {since}"),), problems=(doubtful(message, "tradebot resume"),))


@look(asks=(queue.queue,))
def waiting(found: queue.Queue) -> View:
    problems = []
    if found.waiting > NEARLY_LONG:
        say = wrong if found.waiting >= LONG else doubtful
        problems.append(say(f"{found.waiting} jobs wait.", "tradebot optimize plan"))
    stuck = (found.oldest_s or 0) > STUCK_S and (found.claimed_s is None or found.claimed_s > STUCK_S)
    if found.due and stuck:
        last = "never" if found.claimed_s is None else f"{quantity(found.claimed_s, 's')} ago"
        problems.append(
            wrong(f"{found.due} jobs are due and no worker takes them; last: {last}.", "tradebot diag workers")
        )
    values = (
        ("waiting", f"{found.waiting}, {found.due} due"),
        ("oldest", "none" if found.oldest_s is None else quantity(found.oldest_s, "s")),
        ("last taken", "never" if found.claimed_s is None else f"{quantity(found.claimed_s, 's')} ago"),
    )
    return View(values, problems=tuple(problems))


@look(asks=(queue.course,))
def course(values: Sequence[float]) -> View:
    """How many waited over the last 15 minutes."""
    return View((("last 15 minutes", f"{sparkline(values, 15)}  at most {max(values):g}"),)) if values else View()


@look(asks=(queue.dead_letters,))
def dead_letters(found: queue.DeadLetters) -> View:
    problems = []
    if found.count:
        say = wrong if found.hour > DEAD_AN_HOUR else doubtful
        message = f"{found.count} jobs were given up, {found.hour} of them within an hour."
        problems.append(say(message, "tradebot jobs list --state dead"))
    oldest = "none" if found.oldest_s is None else quantity(found.oldest_s, "s")
    return View((("given up", f"{found.count}, oldest {oldest}"),), problems=tuple(problems))
