"""`tradebot kpi`: the owner's key figures against their targets; what nobody recorded says so."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from statistics import fmean

from tradebot_ops.context import Ops
from tradebot_ops.facts.asking import Facts
from tradebot_ops.facts.fact import NotHere, Unknown
from tradebot_ops.facts.metrics import kpi
from tradebot_ops.facts.metrics.kpi import Measured, Raised, Worked
from tradebot_ops.model import Report, Section, Table
from tradebot_ops.operations.monitoring.query import seconds
from tradebot_ops.text.quantities import age, quantity
from tradebot_ops.text.sentences import agreed

#: Severities that mean a fault; others are notes.
FAULTS = frozenset({"critical", "warning", "performance"})
DETECT_S, RESPOND_S, LATENCY_S, QUEUE, UPTIME, ACCURACY = 120.0, 300.0, 1.0, 100, 0.999, 0.95
BUSY_LOW, BUSY_HIGH = 0.6, 0.8
WORDS = {True: "met", False: "missed", None: ""}


@dataclass(frozen=True)
class Figure:
    """One key figure: ``value`` None is what nobody recorded, and ``note`` says why. ``met`` is None where nothing
    is promised or known."""

    name: str
    value: float | None
    shown: str
    target: str
    met: bool | None
    note: str = ""


def report(ops: Ops, period: str) -> Report:
    """All figures of the period that ends now. A source that is away costs its own figures and no others."""
    length = seconds(period)
    alerts, jobs, measurements = kpi.alerts(length), kpi.jobs(length), kpi.measured(length)
    facts = Facts(ops)
    facts.start((alerts, jobs, measurements))
    raised, worked, measured = facts.value(alerts), facts.value(jobs), facts.value(measurements)
    figures = judge(raised, worked, measured, length)
    rows = tuple((each.name, each.shown, each.target, _verdict(each), each.note) for each in figures)
    known = quantity(measured.seconds, "s") if isinstance(measured, Measured) else "nothing"
    lines = (line(figures), f"The last {age(timedelta(seconds=length))}; Prometheus has {known} of it on record.")
    table = Table(("figure", "value", "target", "", "note"), rows)
    data = {"period_s": length, "figures": [asdict(each) for each in figures]}
    return Report(data=data, sections=(Section(lines=lines, tables=(table,)),))


def line(figures: Sequence[Figure]) -> str:
    """The verdict in one line, worst first."""
    missed = [each.name for each in figures if each.met is False]
    met = sum(each.met is True for each in figures)
    unknown = sum(each.value is None for each in figures)
    if not met and not missed:
        return agreed(f"Nothing can be judged yet: {unknown} figures have no data.")
    first = f"Missed: {', '.join(missed)}" if missed else "Nothing missed"
    return f"{first}. {met} met, {unknown} without data."


def judge(
    alerts: tuple[Raised, ...] | Unknown | NotHere,
    jobs: Worked | Unknown | NotHere,
    measured: Measured | Unknown | NotHere,
    period_s: float,
) -> tuple[Figure, ...]:
    """Every figure in the order of the brief, whatever is known."""
    return (
        *_of_alerts(alerts, measured, period_s),
        *_of_prometheus(measured),
        _rate(jobs),
        _accuracy(alerts),
        Figure("time to diagnose", None, "no data", "< 10 min", None, "Nobody records when a cause was found."),
    )


def _of_alerts(
    alerts: tuple[Raised, ...] | Unknown | NotHere, measured: Measured | Unknown | NotHere, period_s: float
) -> tuple[Figure, ...]:
    detect, resolve, between = f"< {quantity(DETECT_S, 's')}", f"< {quantity(RESPOND_S, 's')}", ""
    names = {"time to detect": detect, "time to resolve": resolve, "time between failures": between}
    if isinstance(alerts, Unknown | NotHere):
        return tuple(_missing(name, target, alerts.why) for name, target in names.items())
    faults = [alert for alert in alerts if alert.severity in FAULTS]
    if not faults:
        return tuple(_missing(name, target, "No alert was raised.") for name, target in names.items())
    detected = [
        (alert.heard - alert.started).total_seconds() + alert.pending_s
        for alert in faults
        if alert.heard is not None and alert.pending_s is not None
    ]
    resolved = [(alert.ended - alert.started).total_seconds() for alert in faults if alert.ended is not None]
    lasting = len(faults) - len(resolved)
    note = f"{len(resolved)} ended" + (f", {lasting} not yet" if lasting else "")
    # A stack of yesterday has not held for 30 days.
    known = measured.seconds if isinstance(measured, Measured) else period_s
    return (
        _mean(
            "time to detect", detected, detect, DETECT_S, agreed(f"{len(detected)} alerts, from their first symptom")
        ),
        _mean("time to resolve", resolved, resolve, RESPOND_S, note),
        Figure(
            "time between failures",
            known / len(faults),
            age(timedelta(seconds=known / len(faults))),
            between,
            None,
            agreed(f"{len(faults)} alerts"),
        ),
    )


def _accuracy(alerts: tuple[Raised, ...] | Unknown | NotHere) -> Figure:
    """Only what a person acknowledged is judged: silence about an alert is no praise of it."""
    name, target = "alert accuracy", f"> {ACCURACY:.0%}"
    if isinstance(alerts, Unknown | NotHere):
        return _missing(name, target, alerts.why)
    judged = [alert.right for alert in alerts if alert.right is not None]
    if not judged:
        why = "No alert was acknowledged. tradebot alerts ack ALERT" if alerts else "No alert was raised."
        return _missing(name, target, why)
    right = fmean(judged)
    note = agreed(f"{len(judged)} of {len(alerts)} alerts acknowledged, {judged.count(False)} false")
    return Figure(name, right, f"{right:.1%}", target, right > ACCURACY, note)


def _of_prometheus(measured: Measured | Unknown | NotHere) -> tuple[Figure, ...]:
    names = {
        "API p95": f"< {quantity(LATENCY_S, 's')}",
        "queue depth": f"at most {QUEUE}",
        "worker utilisation": f"{BUSY_LOW:.0%} to {BUSY_HIGH:.0%}",
        "uptime": f"> {UPTIME:.1%}",
    }
    if isinstance(measured, Unknown | NotHere):
        return tuple(_missing(name, target, measured.why) for name, target in names.items())
    whole = f"over {quantity(measured.seconds, 's')}"
    latency, depth, busy, uptime = names.items()
    return (
        _value(*latency, measured.p95_s, lambda value: quantity(value, "s"), lambda value: value < LATENCY_S),
        _value(*depth, measured.queue, lambda value: f"{value:.0f} at most", lambda value: value <= QUEUE),
        _busy(*busy, measured.busy),
        _value(*uptime, measured.up, lambda value: f"{value:.3%}", lambda value: value > UPTIME, whole),
    )


def _busy(name: str, target: str, busy: float | None) -> Figure:
    """Workers with nothing to do are no fault: whether there are too many says `optimize plan`."""
    if busy is not None and busy < BUSY_LOW:
        return Figure(name, busy, f"{busy:.1%}", target, None, "Too many for this work? tradebot optimize plan")
    return _value(name, target, busy, lambda value: f"{value:.1%}", lambda value: value <= BUSY_HIGH)


def _rate(jobs: Worked | Unknown | NotHere) -> Figure:
    if isinstance(jobs, Unknown | NotHere):
        return _missing("jobs an hour", "", jobs.why)
    ended = jobs.succeeded + jobs.dead
    if not ended or not jobs.seconds:
        return _missing("jobs an hour", "", "No job ended.")
    rate = ended / max(jobs.seconds / 3600, 1.0)
    return Figure("jobs an hour", rate, f"{rate:.1f}", "", None, f"{jobs.succeeded} succeeded, {jobs.dead} failed")


def _mean(name: str, values: Sequence[float], target: str, limit: float, note: str) -> Figure:
    if not values:
        return _missing(name, target, note)
    mean = fmean(values)
    return Figure(name, mean, quantity(mean, "s"), target, mean < limit, note)


def _value(
    name: str,
    target: str,
    value: float | None,
    show: Callable[[float], str],
    meets: Callable[[float], bool],
    note: str = "",
) -> Figure:
    if value is None:
        return _missing(name, target, "Prometheus has no samples of it.")
    return Figure(name, value, show(value), target, meets(value), note)


def _missing(name: str, target: str, why: str) -> Figure:
    return Figure(name, None, "no data", target, None, why)


def _verdict(figure: Figure) -> str:
    return WORDS[figure.met]
