"""Every metric of the project, declared once. API and worker create theirs from here.

A label with a known set of values gets its children at creation: the first jump of a counter that did not
exist before is invisible to ``increase()``. A label whose values come from outside goes through ``Bounded``.
"""

import itertools
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, cast

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, disable_created_metrics
from prometheus_client.core import Metric as Family
from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.registry import Collector

Kind = Literal["counter", "gauge", "histogram"]
Owner = Literal["api", "worker"]

# An edge stands on every threshold that an alert or an objective uses.
HTTP_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.5, 5.0, 10.0)
JOB_BUCKETS = (0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0)

OTHER = "other"
"""The value of a label that stands for all values nobody expected."""

LONGEST_VALUE = 100

REDIS_OPERATIONS = (
    "evalsha", "get", "getdel", "getex", "hgetall", "llen", "lmove", "mget", "ping", "script", "set", "smembers",
    "zrange", "zrem",
)  # fmt: skip
"""Every command that services send: heartbeats, the transport (``script`` after Redis was emptied), probes."""


@dataclass(frozen=True)
class Metric:
    """One metric. ``values`` are known values of labels; a ``computed`` one is gathered at each scrape.

    A ``late`` one is absent until the event that it reports: who misses it learns nothing.
    """

    name: str
    kind: Kind
    help: str
    owners: tuple[Owner, ...]
    labels: tuple[str, ...] = ()
    values: Mapping[str, Sequence[str]] = field(default_factory=dict)
    buckets: tuple[float, ...] = ()
    computed: bool = False
    late: bool = False


METRICS: tuple[Metric, ...] = (
    Metric(
        "http_requests_total",
        "counter",
        "HTTP requests answered; endpoint is the route's template, <unmatched> for unknown paths.",
        ("api",),
        ("method", "endpoint", "status"),
    ),
    Metric(
        "http_request_duration_seconds",
        "histogram",
        "Seconds from the first byte of a request to the last of its answer.",
        ("api",),
        ("method", "endpoint"),
        buckets=HTTP_BUCKETS,
    ),
    Metric(
        "http_requests_in_progress",
        "gauge",
        "HTTP requests being answered now.",
        ("api",),
        ("method",),
        {"method": ("GET", "POST", "DELETE")},
    ),
    Metric("job_submissions_total", "counter", "Jobs accepted, by type.", ("api",), ("job_type",)),
    Metric("job_timeout_seconds", "gauge", "Seconds a job of the type may take.", ("api", "worker"), ("job_type",)),
    Metric(
        "redis_operations_total",
        "counter",
        "Redis operations by command and outcome.",
        ("api", "worker"),
        ("operation", "status"),
        {"operation": REDIS_OPERATIONS, "status": ("ok", "error")},
    ),
    Metric(
        "queue_length",
        "gauge",
        "Jobs waiting in the queue; of <queue>.dlq: dead jobs.",
        ("api", "worker"),
        ("queue",),
        computed=True,
    ),
    Metric(
        "circuit_breaker_open",
        "gauge",
        "1 while a service outside of the stack is left alone, 0 when it is called; absent before its first failure.",
        ("api",),
        ("dependency",),
        computed=True,
        late=True,
    ),
    Metric(
        "circuit_breaker_trips_total",
        "counter",
        "How often the circuit breaker opened.",
        ("api",),
        ("dependency",),
        computed=True,
        late=True,
    ),
    Metric(
        "tradebot_workers_desired",
        "gauge",
        "Workers asked for by `tradebot scale`; absent until it is used.",
        ("api",),
        computed=True,
        late=True,
    ),
    Metric(
        "stack_halted_timestamp_seconds",
        "gauge",
        "Unix time since when the stack is halted (`tradebot halt`); 0 while it is not.",
        ("api",),
        computed=True,
    ),
    Metric(
        "watchdog_last_received_timestamp_seconds",
        "gauge",
        "Unix time of Alertmanager's last notification of Watchdog; absent before the first.",
        ("api",),
        computed=True,
        late=True,
    ),
    Metric(
        "candles_newest_timestamp_seconds",
        "gauge",
        "Unix time at which the newest bar ends of a series that a schedule downloads; 0: it has none.",
        ("api",),
        ("symbol", "interval"),
        computed=True,
        late=True,
    ),
    Metric(
        "candles_expected_timestamp_seconds",
        "gauge",
        "Unix time at which the newest bar ends at least that the last time of its schedule should have brought.",
        ("api",),
        ("symbol", "interval"),
        computed=True,
        late=True,
    ),
    Metric(
        "backup_last_taken_timestamp_seconds",
        "gauge",
        "Unix time of the newest whole backup of `tradebot backup`; 0: there is none.",
        ("api",),
        ("environment",),
        computed=True,
    ),
    Metric(
        "backup_last_proved_timestamp_seconds",
        "gauge",
        "Unix time at which a backup was last restored and compared; 0: never.",
        ("api",),
        ("environment",),
        computed=True,
    ),
    Metric(
        "backup_last_refuted_timestamp_seconds",
        "gauge",
        "Unix time at which a backup that is still kept last failed its verification; 0: none did.",
        ("api",),
        ("environment",),
        computed=True,
    ),
    Metric(
        "backup_clearing_failed",
        "gauge",
        "1 while old backups could not be cleared away the last time.",
        ("api",),
        ("environment",),
        computed=True,
    ),
    Metric(
        "bot_readable",
        "gauge",
        "1 while the bot that trades elsewhere says its state and its positions; absent where none is watched.",
        ("api",),
        ("bot",),
        computed=True,
        late=True,
    ),
    Metric(
        "bot_live",
        "gauge",
        "1 for a bot that trades with money, 0 for paper.",
        ("api",),
        ("bot",),
        computed=True,
        late=True,
    ),
    Metric(
        "bot_opening",
        "gauge",
        "1 while the bot may open positions.",
        ("api",),
        ("bot",),
        computed=True,
        late=True,
    ),
    Metric(
        "bot_open_positions",
        "gauge",
        "Open positions of the bot; absent while they are not known.",
        ("api",),
        ("bot",),
        computed=True,
        late=True,
    ),
    Metric(
        "bot_resting_orders",
        "gauge",
        "Orders of the bot that rest at the exchange; absent while they are not known.",
        ("api",),
        ("bot",),
        computed=True,
        late=True,
    ),
    Metric(
        "bot_last_loop_timestamp_seconds",
        "gauge",
        "Unix time of the bot's last loop, by our clock; absent while it is stopped.",
        ("api",),
        ("bot",),
        computed=True,
        late=True,
    ),
    Metric(
        "bot_last_candle_timestamp_seconds",
        "gauge",
        "Unix time at which the newest candle that the bot has ended.",
        ("api",),
        ("bot",),
        computed=True,
        late=True,
    ),
    Metric(
        "bot_candle_seconds",
        "gauge",
        "How long one candle of the bot lasts.",
        ("api",),
        ("bot",),
        computed=True,
        late=True,
    ),
    Metric(
        "bot_clock_offset_seconds",
        "gauge",
        "By how much the bot's clock is ahead of ours, beyond the second that its answers leave open.",
        ("api",),
        ("bot",),
        computed=True,
        late=True,
    ),
    Metric(
        "bot_second_instance",
        "gauge",
        "1 for an hour after another instance of the bot was seen on its account.",
        ("api",),
        ("bot",),
        computed=True,
        late=True,
    ),
    Metric(
        "bot_foreign_positions",
        "gauge",
        "Positions on the bot's account that it does not know as its own; absent where it does not show them.",
        ("api",),
        ("bot",),
        computed=True,
        late=True,
    ),
    Metric(
        "bot_others_not_compared",
        "gauge",
        "Bots of BOT_OTHERS of which it is not known whether they trade on its account; absent where none is named.",
        ("api",),
        ("bot",),
        computed=True,
        late=True,
    ),
    Metric(
        "db_connection_errors_total",
        "counter",
        "Connections to Postgres that were refused, lost or not answered.",
        ("api", "worker"),
    ),
    Metric("worker_active", "gauge", "1 while the worker takes jobs, 0 while it drains.", ("worker",)),
    Metric("worker_busy", "gauge", "1 while the worker runs a job.", ("worker",)),
    Metric(
        "worker_jobs_processed_total",
        "counter",
        "Attempts ended, by type and outcome.",
        ("worker",),
        ("job_type", "status"),
        {"status": ("succeeded", "failed", "cancelled")},
    ),
    Metric(
        "worker_job_duration_seconds",
        "histogram",
        "Seconds from claim to end of an attempt.",
        ("worker",),
        ("job_type",),
        buckets=JOB_BUCKETS,
    ),
    Metric(
        "worker_job_started_timestamp_seconds",
        "gauge",
        "Unix time at which the running job started; 0 while none runs.",
        ("worker",),
        ("job_type",),
    ),
    Metric(
        "worker_errors_total",
        "counter",
        "Errors of the worker by type; other once there are too many types.",
        ("worker",),
        ("error_type",),
        {"error_type": (OTHER,)},
    ),
    Metric("worker_heartbeat_timestamp", "gauge", "Unix time of the worker's last heartbeat.", ("worker",)),
    Metric("worker_memory_bytes", "gauge", "Resident memory of worker and running job.", ("worker",)),
    Metric(
        "worker_memory_limit_bytes",
        "gauge",
        "Resident memory of worker and running job at which one of them is killed.",
        ("worker",),
    ),
    Metric("worker_cpu_percent", "gauge", "CPU use of worker and running job; 100 is one core.", ("worker",)),
    Metric("job_retries_total", "counter", "Attempts that will be tried again.", ("worker",), ("job_type",)),
    Metric("job_dlq_moves_total", "counter", "Jobs that became dead.", ("worker",), ("job_type",)),
)

_CLASSES: dict[Kind, type[MetricWrapperBase]] = {"counter": Counter, "gauge": Gauge, "histogram": Histogram}


class Metrics:
    """The metrics of one process, by name. ``KeyError`` for a name that its owner does not declare."""

    def __init__(self, owner: Owner, known: Mapping[str, Sequence[str]]) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        self._computed = _Computed()
        self.registry.register(self._computed)
        ProcessCollector(registry=self.registry)
        mine = [metric for metric in METRICS if owner in metric.owners and not metric.computed]
        self._metrics = {metric.name: _create(metric, known, self.registry) for metric in mine}

    def add(self, collector: Collector) -> None:
        """Show what is gathered at each scrape, too."""
        self._computed.collectors.append(collector)

    def counter(self, name: str) -> Counter:
        return cast("Counter", self._metrics[name])

    def gauge(self, name: str) -> Gauge:
        return cast("Gauge", self._metrics[name])

    def histogram(self, name: str) -> Histogram:
        return cast("Histogram", self._metrics[name])


class _Computed(Collector):
    """Collectors that gather at each scrape. Registered first: an error met in asking counts in this scrape, not in the
    next, for the alerts on outages, which ask whether clients have trouble.
    """

    def __init__(self) -> None:
        self.collectors: list[Collector] = []

    def collect(self) -> Iterator[Family]:
        return itertools.chain.from_iterable(collector.collect() for collector in self.collectors)

    def describe(self) -> list[Family]:
        return []  # so that registering does not collect


class Bounded:
    """Values of one label: the known ones, the first ``room`` others that are names of classes, and ``other``.

    Every value is a series that Prometheus keeps for weeks; nobody may mint them at will.
    """

    def __init__(self, known: Iterable[str], room: int = 0) -> None:
        self._values = {*known, OTHER}
        self._room = room
        self._lock = threading.Lock()

    def value(self, given: str) -> str:
        """Return the value to label with; may be called from any thread."""
        with self._lock:
            if given not in self._values and self._room and given.isidentifier() and len(given) <= LONGEST_VALUE:
                self._values.add(given)
                self._room -= 1
            return given if given in self._values else OTHER


def create_metrics(owner: Owner, job_types: Sequence[str] = ()) -> Metrics:
    """The metrics of the API or of a worker, with a child for each of these job types."""
    return Metrics(owner, {"job_type": job_types})


def declared(name: str) -> Metric:
    """The declaration of a metric; raises ``KeyError``."""
    return {metric.name: metric for metric in METRICS}[name]


def _create(metric: Metric, known: Mapping[str, Sequence[str]], registry: CollectorRegistry) -> MetricWrapperBase:
    options = {"buckets": metric.buckets} if metric.buckets else {}
    created = _CLASSES[metric.kind](metric.name, metric.help, metric.labels, registry=registry, **options)  # type: ignore[arg-type]
    values = [metric.values.get(label) or known.get(label, ()) for label in metric.labels]
    if metric.labels:
        for combination in itertools.product(*values):
            created.labels(*combination)
    return created
