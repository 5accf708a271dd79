"""`diag errors`: what went wrong, each fault once: from the logs, the API's own count, and the jobs that died."""

from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from tradebot_ops.context import Ops
from tradebot_ops.diagnostics.fingerprints import Group, Grouped, group
from tradebot_ops.diagnostics.redaction import of_project
from tradebot_ops.diagnostics.related import Alarm, alarm_of, alarms
from tradebot_ops.engines.base import LogQuery
from tradebot_ops.facts.alerting import alert_store
from tradebot_ops.facts.asking import Facts
from tradebot_ops.facts.fact import Fact, NotHere, Unknown
from tradebot_ops.facts.metrics import prometheus
from tradebot_ops.facts.replicas import errors
from tradebot_ops.facts.replicas.errors import Recorded
from tradebot_ops.model import Report, Section, Table
from tradebot_ops.operations.logs import since
from tradebot_ops.text.lists import few
from tradebot_ops.text.quantities import age
from tradebot_ops.text.sentences import agreed, shortened

#: Lines read of each replica, the last ones: a log may be a gigabyte long. On the screen of everything a person waits.
MOST_LINES, AT_ONCE = 1_000_000, 100_000
#: Reading so many takes a while.
LOGS_S = 60.0
SHOWN = 20
#: Characters of a sample.
LONGEST_SAMPLE = 300


@dataclass(frozen=True)
class Fault:
    """Equal errors of one source: ``log``, ``api`` or ``job``. ``new``: none of them is older than the last start.
    ``alert`` is the one about the same service at the same time."""

    source: str
    id: str
    service: str
    level: str
    event: str
    exception: str
    count: int
    first: datetime | None
    last: datetime | None
    replicas: tuple[str, ...]
    jobs: tuple[str, ...]
    sample: str
    new: bool = False
    alert: str = ""


def report(ops: Ops, begin: str, *, only_new: bool = False) -> Report:
    """Faults since ``begin``, the most frequent first. A source that is away is named; the others are shown.

    Raises ``OpsError`` TB-0204 for a time that is none, TB-0805 when a secret cannot be read.
    """
    now = ops.clock()
    start = since(begin, now) or now
    seconds = max((now - start).total_seconds(), 0.0)
    of_project(ops)  # raises at once, rather than to call the logs a source that is away
    logs = of_logs(seconds, MOST_LINES, LOGS_S)
    api, jobs = of_api(seconds), of_jobs(seconds)
    facts = Facts(ops)
    facts.start((logs, api, jobs, errors.last_start, prometheus.alerts, alert_store.history))
    grouped, counted, dead, started = (
        facts.value(logs), facts.value(api), facts.value(jobs), facts.value(errors.last_start),
    )  # fmt: skip
    moment = started if isinstance(started, datetime) else None
    firing, stored = facts.value(prometheus.alerts), facts.value(alert_store.history)
    known = alarms(firing if isinstance(firing, tuple) else (), stored if isinstance(stored, tuple) else ())
    found = [replace(each, alert=_alert(each, known, now)) for each in faults(grouped, counted, dead, moment)]
    away = {name: each.why for name, each in (("logs", grouped), ("API errors", counted), ("dead jobs", dead),
                                        ("alerts that fire", firing), ("alerts that are over", stored))
            if isinstance(each, Unknown | NotHere)}  # fmt: skip
    wanted = [each for each in found if each.new or not only_new]
    head = [_head(grouped, wanted, moment, now, only_new=only_new)]
    if isinstance(grouped, Grouped) and (cut := unread(grouped, MOST_LINES)):
        head.append(cut)
    return _report(ops, wanted, away, head)


def of_api(seconds: float) -> Fact[tuple[Recorded, ...]]:
    """Errors that the API counted, without secrets."""
    return _clean(errors.of_api(seconds))


def of_jobs(seconds: float) -> Fact[tuple[Recorded, ...]]:
    """Jobs that died, without secrets."""
    return _clean(errors.of_jobs(seconds))


def _clean(recorded: Fact[tuple[Recorded, ...]]) -> Fact[tuple[Recorded, ...]]:
    def read(ops: Ops) -> tuple[Recorded, ...]:
        safe = of_project(ops).safe
        return tuple(
            replace(each, type=safe(each.type), message=safe(each.message), location=safe(each.location))
            for each in recorded(ops)
        )

    return Fact(recorded.name, read, recorded.seconds)


def of_logs(seconds: float, most: int = AT_ONCE, within: float = 10.0) -> Fact[Grouped]:
    """The errors in the logs of so many seconds until now, in the last ``most`` lines of each replica."""

    def read(ops: Ops) -> Grouped:
        query = LogQuery(since=ops.clock() - timedelta(seconds=seconds), tail=most)
        return group(ops.engine.logs(query), of_project(ops), most)

    return Fact("errors.of_logs", read, seconds=within)


def unread(grouped: Grouped, most: int) -> str:
    """Logs that were not read to their beginning, in one sentence; empty where all was."""
    return agreed(f"Of {few(grouped.cut)} only the last {most} lines were read.") if grouped.cut else ""


def faults(
    grouped: Grouped | Unknown | NotHere,
    counted: tuple[Recorded, ...] | Unknown | NotHere,
    dead: tuple[Recorded, ...] | Unknown | NotHere,
    started: datetime | None,
) -> list[Fault]:
    """All that is known, the most frequent first. Pure."""
    found = [of_log(each, started) for each in grouped.groups] if isinstance(grouped, Grouped) else []
    for service, recorded in (("api", counted), ("worker", dead)):
        found += [of_record(service, each, started) for each in recorded] if isinstance(recorded, tuple) else []
    return sorted(found, key=lambda each: -each.count)


def of_log(each: Group, started: datetime | None) -> Fault:
    key = each.key
    where = f" in {key.frames[-1]}" if key.frames else ""
    facts = (key.level, key.event + where, key.exception, each.count, each.first, each.last)
    seen = (tuple(sorted(each.replicas)), tuple(each.jobs), each.sample)
    return Fault("log", key.id, key.service, *facts, *seen, _new(each.first, started))


def of_record(service: str, each: Recorded, started: datetime | None = None) -> Fault:
    source = "job" if service == "worker" else "api"
    facts = ("error", each.location, each.type, each.count, each.first, each.last)
    return Fault(source, each.fingerprint[:12], service, *facts, (), each.jobs, each.message, _new(each.first, started))


def _alert(each: Fault, known: tuple[Alarm, ...], now: datetime) -> str:
    found = alarm_of(each.service, each.first, each.last, known, now)
    return found.shown(now) if found else ""


def _new(first: datetime | None, started: datetime | None) -> bool:
    return first is not None and started is not None and first >= started


def _head(
    grouped: Grouped | Unknown | NotHere, found: list[Fault], started: datetime | None, now: datetime, *, only_new: bool
) -> str:
    lines = agreed(f"{grouped.lines} lines of logs read") if isinstance(grouped, Grouped) else "no logs read"
    total = sum(each.count for each in found)
    new = sum(each.new for each in found)
    since_start = f"{new} new since the last start {age(now - started)} ago; " if started else ""
    if not found:
        return f"No {'new ' if only_new else ''}errors; {lines}."
    return agreed(f"{len(found)} faults, seen {total} times; {since_start}{lines}.")


def _report(ops: Ops, found: list[Fault], away: dict[str, str], head: list[str]) -> Report:
    now = ops.clock()
    rows = tuple(
        (
            each.id, f"{each.count} ×", each.source, each.service, " ".join(filter(None, (each.event, each.exception))),
            "–" if each.last is None else age(now - each.last), "new" if each.new else "", each.alert,
        )
        for each in found[:SHOWN]
    )  # fmt: skip
    tables = [Table(("id", "count", "from", "service", "what", "last", "", "alert"), rows)] if rows else []
    lines = [*head, *(f"{name} not examined: {why}" for name, why in away.items())]
    if len(found) > SHOWN:
        lines.append(f"The {SHOWN} most frequent are shown; --json has all.")
    samples = {each.id: each.sample.splitlines()[0] for each in found[:3] if each.sample}
    sample = [f"{id_}  {shortened(text, LONGEST_SAMPLE)}" for id_, text in samples.items()]
    sections = [Section(lines=tuple(lines), tables=tuple(tables))]
    sections += [Section("The last of the most frequent", lines=tuple(sample))] if sample else []
    data = {"faults": [_content(each) for each in found], "not_examined": away}
    return Report(data=data, sections=tuple(sections))


def _content(each: Fault) -> dict[str, Any]:
    times = {name: at.isoformat() if at else None for name, at in (("first", each.first), ("last", each.last))}
    return {**asdict(each), **times, "replicas": list(each.replicas), "jobs": list(each.jobs)}
