"""Usage of the stack over a window: workers, memory, queue, connections; from Prometheus and from the ledger."""

import math
from dataclasses import dataclass

from tradebot_ops.context import Ops
from tradebot_ops.facts.fact import Fact
from tradebot_ops.monitoring.contract import Use

#: Prometheus looks at a window in at most so many steps; its samples are 15 s apart.
STEPS, SCRAPE_S = 2000, 15.0

_JOBS = """
SELECT count(peak_memory_bytes) AS jobs, max(peak_memory_bytes) AS peak,
       count(*) FILTER (WHERE error_type = 'MemoryLimitExceeded') AS killed
FROM job WHERE finished_at > now() - make_interval(secs => %s) AND type NOT IN ('canary', 'failing_canary')
"""


@dataclass(frozen=True)
class JobMemory:
    """Jobs that ended, the highest resident memory of their processes, and how many were killed for theirs."""

    jobs: int = 0
    peak_bytes: float = 0.0
    killed: int = 0


@dataclass(frozen=True)
class Usage:
    """``measured_s`` of ``window_s`` are on record. None is what nobody measured.

    ``busy`` is the number of workers busy at once and ``waiting`` that of jobs in the queue which were exceeded in
    one twentieth of the time; ``cpu`` the cores that the busiest worker used, measured alike. ``hits`` is the share
    of ``blocks`` that Postgres found in its cache.
    """

    window_s: float
    measured_s: float
    busy: float | None = None
    waiting: float | None = None
    cpu: float | None = None
    worker_idle_bytes: float | None = None
    worker_peak_bytes: float | None = None
    redis_peak_bytes: float | None = None
    connections_peak: float | None = None
    hits: float | None = None
    blocks: float = 0.0
    database_bytes: float | None = None
    host_bytes: float | None = None
    jobs: JobMemory = JobMemory()


def over(window_s: float) -> Fact[Usage]:
    """The fact for a window that ends now."""
    return Fact(f"usage.over {window_s:g} s", lambda ops: _usage(ops, window_s), seconds=20)


def expressions(window_s: float) -> dict[str, str]:
    """Queries to Prometheus, by field of ``Usage``; ``steps`` are the looks at which it had samples."""
    window = f"{window_s:.0f}s"
    looks = f"[{window}:{step(window_s):.0f}s]"
    mean = f"[{min(max(window_s / 12, 30), 300):.0f}s]"  # what lasts shorter than this is no load
    database = 'datname="tradebot"'
    return {
        "steps": f'count_over_time(max(up{{job="worker"}}){looks})',
        "busy": f'quantile_over_time(0.95, sum(avg_over_time(worker_busy{{job="worker"}}{mean})){looks})',
        "waiting": f'quantile_over_time(0.95, max(queue_length{{queue!~".+[.]dlq"}}){looks})',
        "cpu": f'max(quantile_over_time(0.95, worker_cpu_percent{{job="worker"}}[{window}])) / 100',
        "worker_idle_bytes": f'max(min_over_time((worker_memory_bytes{{job="worker"}} > 0)[{window}:]))',
        "worker_peak_bytes": f'max(max_over_time(worker_memory_bytes{{job="worker"}}[{window}]))',
        "redis_peak_bytes": f"max(max_over_time(redis_memory_used_bytes[{window}]))",
        "connections_peak": f"max_over_time(sum(pg_stat_activity_count){looks})",
        "found": f"sum(increase(pg_stat_database_blks_hit{{{database}}}[{window}]))",
        "fetched": f"sum(increase(pg_stat_database_blks_read{{{database}}}[{window}]))",
        "database_bytes": f"max(max_over_time(pg_database_size_bytes{{{database}}}[{window}]))",
        "host_bytes": "max(node_memory_MemTotal_bytes)",
    }


def uses() -> list[Use]:
    """The same for whoever compares what is asked for with what is declared."""
    return [Use(f"optimize: {field}", expression) for field, expression in expressions(3600).items()]


def step(window_s: float) -> float:
    return max(SCRAPE_S, window_s / STEPS)


def _usage(ops: Ops, window_s: float) -> Usage:
    found = {name: value_of(ops, expression) for name, expression in expressions(window_s).items()}
    steps, hit, read = found.pop("steps"), found.pop("found") or 0.0, found.pop("fetched") or 0.0
    return Usage(
        window_s,
        min((steps or 0.0) * step(window_s), window_s),
        hits=hit / (hit + read) if hit + read else None,
        blocks=hit + read,
        jobs=_jobs(ops, window_s),
        **found,
    )


def value_of(ops: Ops, expression: str) -> float | None:
    """The first value of an expression; None for no series and for NaN, such as a share of nothing."""
    series = ops.prometheus.query(expression)
    value = series[0].value if series else None
    return None if value is None or math.isnan(value) else value


def _jobs(ops: Ops, window_s: float) -> JobMemory:
    row = ops.postgres.rows(_JOBS, (window_s,))[0]
    return JobMemory(int(row["jobs"]), float(row["peak"] or 0), int(row["killed"]))
