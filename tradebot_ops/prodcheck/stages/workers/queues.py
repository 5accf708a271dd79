"""Jobs that wait, jobs that died, and whether the queue is worked on."""

from collections.abc import Sequence
from statistics import fmean

from tradebot_ops.facts.work import halt, queue, workers
from tradebot_ops.facts.work.halt import Halt
from tradebot_ops.facts.work.queue import DeadLetters, Queue
from tradebot_ops.facts.work.workers import Beat, Worker
from tradebot_ops.prodcheck.check import Severity, Verdict, check, failed, passed, warned
from tradebot_ops.text.quantities import quantity
from tradebot_ops.text.sentences import ended

MANY, TOO_MANY = 70, 100
#: A handful of jobs that comes and goes is no trend.
FEW = 10
LEAST_POINTS = 12
GROWING_AN_HOUR = 10
#: Three rounds of the sweeper, which sends again what the transport lost.
STALLED_S = 15.0


@check(
    "WRK-06",
    "The queue is short and does not grow",
    asks=(queue.queue, queue.course, workers.replicas),
    source="brief: queue depth below 100",
    needs=("DAT-05",),
    anchor="compose.yaml#worker",
    remedy="tradebot scale workers 4",
)
def short(queue: Queue, course: Sequence[float], replicas: Sequence[Worker]) -> Verdict:
    """Jobs that wait are late; a queue that grows for a quarter of an hour will not shrink by itself."""
    oldest = f", the oldest for {quantity(queue.oldest_s, 's')}" if queue.oldest_s is not None else ""
    observed = f"{queue.waiting} waiting{oldest}"
    evidence = f"ledger: {queue}\nby the minute: {', '.join(f'{each:g}' for each in course) or 'not on record'}"
    hint = f"tradebot scale workers {max(2 * len(replicas), 2)}"
    if queue.waiting >= TOO_MANY:
        message = f"{queue.waiting} jobs wait for a worker."
        return failed(message, observed=observed, expected=f"under {TOO_MANY}", evidence=evidence, hint=hint)
    if queue.waiting > MANY:
        message = "Nearly too many jobs wait for a worker."
        return warned(message, observed=observed, expected=f"at most {MANY}", evidence=evidence, hint=hint)
    if rising(course) and queue.waiting > FEW:
        message = "The queue has grown for a quarter of an hour."
        return warned(message, observed=observed, expected="not rising", evidence=evidence, hint=hint)
    return passed("The queue is short.", observed=observed, evidence=evidence)


def rising(course: Sequence[float]) -> bool:
    """Each five minutes more than the five before, and so many that it matters."""
    if len(course) < LEAST_POINTS:
        return False
    third = len(course) // 3
    first, second, last = (fmean(course[-3 * third :][part * third : (part + 1) * third]) for part in range(3))
    return first < second < last and last > FEW


@check(
    "WRK-07",
    "Hardly a job is given up",
    asks=(queue.dead_letters,),
    source="brief: dead letter queue",
    needs=("DAT-05",),
    anchor="compose.yaml#worker",
    remedy="tradebot jobs list --state dead",
)
def few_dead(letters: DeadLetters) -> Verdict:
    """Dead letters are work that was promised and not done. Old ones want a decision; many new ones are an outage."""
    age = f", the oldest {quantity(letters.oldest_s, 's')} old" if letters.oldest_s is not None else ""
    observed = f"{letters.count} dead, {letters.hour} within an hour, {letters.day} within a day{age}"
    evidence = f"ledger: {letters}"
    if letters.hour > GROWING_AN_HOUR:
        message = f"{letters.hour} jobs were given up within an hour."
        expected = f"at most {GROWING_AN_HOUR} an hour"
        return failed(message, observed=observed, expected=expected, evidence=evidence)
    if letters.count:
        message = f"{letters.count} jobs were given up and wait for a decision."
        return warned(message, observed=observed, expected="none", evidence=evidence)
    return passed("No job was given up.", observed=observed, evidence=evidence)


@check(
    "WRK-11",
    "Workers that are heard take jobs",
    asks=(queue.queue, workers.beats, halt.halt),
    severity=Severity.CRITICAL,
    source="incidents: workers alive and idle",
    needs=("WRK-01",),
    anchor="services/worker/consumer.py",
    remedy="tradebot logs worker --tail 50; tradebot restart worker",
)
def progressing(queue: Queue, beats: Sequence[Beat], halt: Halt | None) -> Verdict:
    """A heartbeat proves that a worker lives, not that it works. While one is idle, no job that is due may wait for
    long, and none may go untaken. While the stack is halted they take canaries alone, which is no proof.
    """
    idle = [beat.name for beat in beats if beat.state == "idle" and beat.fresh]
    oldest, claimed = queue.oldest_s or 0.0, queue.claimed_s
    last = f"{quantity(claimed, 's')} ago" if claimed is not None else "not on record"
    observed = f"{queue.due} due, the oldest for {quantity(oldest, 's')}, last taken {last}, {len(idle)} workers idle"
    stalled = queue.due > 0 and oldest > STALLED_S and (claimed is None or claimed > STALLED_S)
    expected = f"a job that is due is taken within {STALLED_S:g} s"
    evidence = f"ledger: {queue}\nheartbeats: {', '.join(f'{each.name} {each.state}' for each in beats)}"
    if stalled and idle:
        message = "Jobs wait, workers say that they are idle, and none takes one."
        return failed(message, observed=observed, expected=expected, evidence=evidence)
    if halt is not None:
        since = quantity(halt.seconds, "s")
        return warned(
            f"{halt.by} halted the stack {since} ago, so that no job starts: {ended(halt.reason)}",
            observed=f"halted for {since}; {observed}",
            expected="not halted",
            evidence=evidence,
            hint="tradebot resume",
        )
    return passed("Workers take jobs.", observed=observed, expected=expected, evidence=evidence)
