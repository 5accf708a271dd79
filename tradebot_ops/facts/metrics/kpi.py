"""Inputs of the owner's key figures, over a period: alerts and jobs on record, and what Prometheus measured."""

from dataclasses import dataclass
from datetime import datetime

from tradebot_ops.context import Ops
from tradebot_ops.facts.alerting.alert_store import BY_DESIGN
from tradebot_ops.facts.fact import Fact, NotApplicable, Skip
from tradebot_ops.facts.metrics.config_files import rule_documents
from tradebot_ops.facts.metrics.usage import value_of
from tradebot_ops.monitoring.rules import alerts_of
from tradebot_ops.units import PROMETHEUS, seconds

#: More alerts than that in a period are counted, and the newest of them looked at.
MOST_ALERTS = 20_000
#: Looks at the past within a period: of 30 days every two minutes, or an hour of a young stack would not be seen.
STEPS = 20_000
_OURS = 'job="api",endpoint!~"/health.*|/metrics|/dashboard.*"'

_ALERTS = """
SELECT name, severity, fingerprint, starts_at, min(received_at) FILTER (WHERE status = 'firing') AS heard_at,
       max(ends_at) AS ended_at, NOT bool_or(false_positive) AS was_right
FROM alert_event LEFT JOIN alert_ack USING (fingerprint, starts_at)
WHERE starts_at > now() - make_interval(secs => %s) AND name <> ALL(%s)
GROUP BY name, severity, fingerprint, starts_at ORDER BY starts_at DESC LIMIT %s
"""
_JOBS = """
SELECT count(*) FILTER (WHERE state = 'succeeded') AS succeeded, count(*) FILTER (WHERE state = 'dead') AS dead,
       extract(epoch FROM now() - min(finished_at))::float8 AS seconds
FROM job WHERE finished_at > now() - make_interval(secs => %s) AND type NOT IN ('canary', 'failing_canary')
"""


@dataclass(frozen=True)
class Raised:
    """One alert from its start to its end. ``heard`` is when it arrived in the store, ``ended`` None while it lasts;
    ``pending_s`` is how long its rule waits before it fires, None where nobody knows the rule; ``right`` is a
    person's verdict, None where nobody acknowledged it."""

    name: str
    severity: str
    started: datetime
    heard: datetime | None
    ended: datetime | None
    pending_s: float | None
    right: bool | None = None


@dataclass(frozen=True)
class Worked:
    """Jobs that ended, and the seconds since the first of them; None where none did."""

    succeeded: int
    dead: int
    seconds: float | None


@dataclass(frozen=True)
class Measured:
    """None is what has no samples. ``seconds`` of the period are on record."""

    seconds: float
    p95_s: float | None = None
    queue: float | None = None
    busy: float | None = None
    up: float | None = None


def alerts(period_s: float) -> Fact[tuple[Raised, ...]]:
    """All that began within the period, newest first, without those that fire by design."""
    return Fact("kpi.alerts", lambda ops: _alerts(ops, period_s), seconds=12)


def jobs(period_s: float) -> Fact[Worked]:
    return Fact("kpi.jobs", lambda ops: _jobs(ops, period_s), seconds=8)


def measured(period_s: float) -> Fact[Measured]:
    return Fact("kpi.measured", lambda ops: _measured(ops, period_s), seconds=20)


def expressions(period_s: float) -> dict[str, str]:
    """Queries to Prometheus, by field of ``Measured``."""
    period, step = f"{period_s:.0f}s", _step(period_s)
    looks = f"[{period}:{step:.0f}s]"
    return {
        "steps": f'count_over_time(max(up{{job="api"}}){looks})',
        "p95_s": f"histogram_quantile(0.95, sum by (le) "
        f"(increase(http_request_duration_seconds_bucket{{{_OURS}}}[{period}])))",
        "queue": f'max_over_time(max(queue_length{{queue!~".+[.]dlq"}}){looks})',
        "busy": f'avg_over_time(avg(worker_busy{{job="worker"}}){looks})',
        "up": f'avg_over_time(max(up{{job="api"}}){looks})',
    }


def _step(period_s: float) -> float:
    return max(15.0, period_s / STEPS)


def _measured(ops: Ops, period_s: float) -> Measured:
    if "prometheus" not in ops.stack.services:
        raise NotApplicable(Skip.PROFILE, "Without the monitoring profile nobody measures it.")
    found = {name: value_of(ops, expression) for name, expression in expressions(period_s).items()}
    return Measured(min((found.pop("steps") or 0.0) * _step(period_s), period_s), **found)


def _alerts(ops: Ops, period_s: float) -> tuple[Raised, ...]:
    pending = waits(ops)
    rows = ops.postgres.rows(_ALERTS, (period_s, sorted(BY_DESIGN), MOST_ALERTS))
    return tuple(
        Raised(
            row["name"],
            row["severity"],
            row["starts_at"],
            row["heard_at"],
            row["ended_at"],
            pending.get(row["name"]),
            row["was_right"],
        )
        for row in rows
    )


def waits(ops: Ops) -> dict[str, float]:
    """How long the rules of each name wait before they fire: the quickest of them."""
    found: dict[str, float] = {}
    for rule in alerts_of(rule_documents(ops)):
        wait = seconds(str(rule.get("for") or "0s"), PROMETHEUS)
        found[rule["alert"]] = min(wait, found.get(rule["alert"], wait))
    return found


def _jobs(ops: Ops, period_s: float) -> Worked:
    row = ops.postgres.rows(_JOBS, (period_s,))[0]
    return Worked(row["succeeded"], row["dead"], row["seconds"])
