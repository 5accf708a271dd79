"""Dependencies of the routes, made once per application: pools, ledger, transport, metrics, job types."""

from dataclasses import dataclass

from fastapi import Request

from services.api.access.calls import ApiCalls
from services.api.access.keys import KeyStore
from services.api.access.roles import on_loopback
from services.api.alerts.notifier import Alertmanager, Notifier
from services.api.alerts.store import AlertStore
from services.api.collectors.backups import BackupCollector
from services.api.collectors.breakers import BreakerCollector
from services.api.collectors.candles import CandleCollector
from services.api.collectors.halt import HaltCollector
from services.api.collectors.watchdog import WatchdogCollector
from services.api.dashboard.board import Board
from services.api.dashboard.login import Sessions, Tries
from services.api.dashboard.prometheus import Prometheus
from services.api.error_tracker import ErrorTracker
from services.api.job_streams import JobStreams
from services.api.live_secret import LiveSecret
from services.api.trust import Trust
from services.bots.collector import BotCollector
from services.bots.watcher import Watcher, watcher_for
from services.common.breaker import Breakers
from services.common.data.candle_csv import CandleCsv
from services.common.data.candle_files import CandleFiles
from services.common.data.freshness import Freshness
from services.common.data.series import Series
from services.common.database import Database
from services.common.jobtypes import Registry
from services.common.ledger import (
    DeadLetters,
    Halts,
    Handover,
    History,
    Ledger,
    Notices,
    Queues,
    Schedules,
    declared_limits,
)
from services.common.ledger.watch import Watch
from services.common.logging import redactor_for
from services.common.metrics import Metrics, create_metrics
from services.common.queue_metrics import QueueCollector
from services.common.redis_client import ObservedRedis, redis_client
from services.common.settings import Settings
from services.common.transport import Transport, make_broker

# A caller of the API waits for an answer: better a 503 with Retry-After than a long silence.
STATEMENT_TIMEOUT_S = 5.0
POOL_SIZE = 10


@dataclass(frozen=True)
class Dependencies:
    settings: Settings
    job_types: Registry
    metrics: Metrics
    database: Database
    redis: ObservedRedis
    breakers: Breakers
    ledger: Ledger
    dead_letters: DeadLetters
    history: History
    handover: Handover
    queues: Queues
    halts: Halts
    candle_files: CandleFiles
    candle_csv: CandleCsv
    series: Series
    schedules: Schedules
    job_streams: JobStreams
    notifier: Notifier
    transport: Transport
    errors: ErrorTracker
    api_key: LiveSecret | None
    keys: KeyStore
    calls: ApiCalls
    on_loopback: bool
    alert_token: LiveSecret | None
    board: Board
    dashboard_password: LiveSecret | None
    tries: Tries
    watcher: Watcher | None

    @property
    def sessions(self) -> Sessions | None:
        """Those of the password of now."""
        return None if self.dashboard_password is None else Sessions(self.dashboard_password.get())

    def open(self) -> None:
        self.database.open()
        if self.watcher is not None:
            self.watcher.start()

    def close(self) -> None:
        if self.watcher is not None:
            self.watcher.stop()
        self.errors.store()
        self.transport.close()
        self.redis.close()
        self.database.close()


def make_dependencies(settings: Settings, job_types: Registry) -> Dependencies:
    """All parts, unconnected: neither Postgres nor Redis need be there."""
    metrics = create_metrics("api", sorted(job_types.types))
    for name, job_type in job_types.types.items():
        metrics.gauge("job_timeout_seconds").labels(name).set(job_type.timeout_s)
    operations = metrics.counter("redis_operations_total")
    database = Database(
        settings,
        "api",
        max_size=POOL_SIZE,
        statement_timeout_s=STATEMENT_TIMEOUT_S,
        on_error=metrics.counter("db_connection_errors_total").inc,
    )
    redis = redis_client(settings, lambda operation, status: operations.labels(operation, status).inc())
    ledger = Ledger(database, declared_limits(job_types.types))
    breakers = Breakers(redis)
    metrics.add(QueueCollector(ledger, redis, workers_desired=True))
    metrics.add(BreakerCollector(breakers))
    metrics.add(WatchdogCollector(AlertStore(database)))
    metrics.add(BackupCollector(database, settings.environment))
    metrics.add(CandleCollector(Freshness(database)))
    metrics.add(HaltCollector(Halts(database)))
    watcher = watcher_for(settings)
    if watcher is not None:
        metrics.add(BotCollector(watcher))
    return Dependencies(
        settings=settings,
        job_types=job_types,
        metrics=metrics,
        database=database,
        redis=redis,
        breakers=breakers,
        ledger=ledger,
        dead_letters=DeadLetters(database),
        history=History(database),
        handover=Handover(database),
        queues=Queues(database),
        halts=Halts(database),
        candle_files=CandleFiles(database),
        candle_csv=CandleCsv(database),
        series=Series(database),
        schedules=Schedules(database),
        job_streams=JobStreams(Watch(database).look),
        notifier=Notifier(Notices(database), Alertmanager(settings)),
        transport=Transport(make_broker(settings, client=redis)),
        errors=ErrorTracker(database, redactor_for(settings)),
        api_key=LiveSecret.of(settings.api_key_file),
        keys=KeyStore(database),
        calls=ApiCalls(database),
        on_loopback=on_loopback(settings.published_on()),
        alert_token=LiveSecret.of(settings.alert_token_file),
        board=_board(settings),
        dashboard_password=LiveSecret.of(settings.dashboard_password_file or settings.api_key_file),
        tries=Tries(),
        watcher=watcher,
    )


def _board(settings: Settings) -> Board:
    password = LiveSecret.of(settings.prometheus_password_file)
    trust = Trust.of(settings, settings.prometheus_url)
    prometheus = Prometheus(settings.prometheus_url, settings.prometheus_user, password, trust=trust)
    return Board(settings.dashboard_file, prometheus)


def get_dependencies(request: Request) -> Dependencies:
    """Dependency of the routes."""
    dependencies: Dependencies = request.app.state.dependencies
    return dependencies
