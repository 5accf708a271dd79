"""The worker's metrics, and the small server that shows them."""

import os
import time

import psutil
from prometheus_client import start_http_server
from prometheus_client.registry import Collector

from services.common.jobtypes import registry
from services.common.ledger import State
from services.common.metrics import OTHER, Bounded, Metrics, create_metrics
from services.common.settings import listen_address

# An attempt that was given back or taken over did not end here: another worker counts it.
STATUSES = {
    State.SUCCEEDED: "succeeded",
    State.DEAD: "failed",
    State.RETRYING: "failed",
    State.CANCELLED: "cancelled",
}

ERROR_TYPES = 50
"""So many types of errors get a label of their own: their names are chosen by whoever writes a job type."""


class WorkerMetrics:
    """Events of this worker, as metrics; methods may be called from any thread."""

    def __init__(self) -> None:
        known = sorted(registry().types)
        self._metrics: Metrics = create_metrics("worker", [*known, OTHER])
        # A job in the ledger may be of a type that another version of the services knew.
        self._job_types = Bounded(known)
        self._error_types = Bounded((), ERROR_TYPES)
        self._processes: dict[int, psutil.Process] = {}
        self._metrics.gauge("worker_active").set(1)

    def add(self, collector: Collector) -> None:
        """Show what is gathered at each scrape, too."""
        self._metrics.registry.register(collector)

    def serve(self, listen: str) -> int:
        """Answer scrapes in a thread of its own; the port. Raises ``OSError`` when the address is taken."""
        host, port = listen_address(listen)
        server, _ = start_http_server(port, host, registry=self._metrics.registry)
        return int(server.server_port)

    def job_started(self, job_type: str) -> None:
        self._metrics.gauge("worker_busy").set(1)
        self._metrics.gauge("worker_job_started_timestamp_seconds").labels(self._job_types.value(job_type)).set(
            time.time()
        )

    def job_ended(self, job_type: str) -> None:
        self._metrics.gauge("worker_busy").set(0)
        self._metrics.gauge("worker_job_started_timestamp_seconds").labels(self._job_types.value(job_type)).set(0)

    def job_recorded(self, job_type: str, state: State, seconds: float) -> None:
        if state not in STATUSES:
            return
        self._count(job_type, state)
        self._metrics.histogram("worker_job_duration_seconds").labels(self._job_types.value(job_type)).observe(seconds)

    def job_abandoned(self, job_type: str, state: State) -> None:
        """Another worker died with it; how long its last attempt took, nobody knows."""
        self._count(job_type, state)
        if state is State.DEAD:
            self.error("WorkerLost")

    def _count(self, job_type: str, state: State) -> None:
        job_type = self._job_types.value(job_type)
        self._metrics.counter("worker_jobs_processed_total").labels(job_type, STATUSES[state]).inc()
        if state is State.RETRYING:
            self._metrics.counter("job_retries_total").labels(job_type).inc()
        if state is State.DEAD:
            self._metrics.counter("job_dlq_moves_total").labels(job_type).inc()

    def error(self, error_type: str) -> None:
        self._metrics.counter("worker_errors_total").labels(self._error_types.value(error_type)).inc()

    def database_error(self) -> None:
        self._metrics.counter("db_connection_errors_total").inc()

    def redis_operation(self, operation: str, status: str) -> None:
        self._metrics.counter("redis_operations_total").labels(operation, status).inc()

    def draining(self) -> None:
        self._metrics.gauge("worker_active").set(0)

    def beat(self, at: float, child: int | None) -> None:
        """A heartbeat went out; look at the resources of this process and of the job process."""
        self._metrics.gauge("worker_heartbeat_timestamp").set(at)
        memory, cpu = 0, 0.0
        for process in self._look_at({os.getpid(), *([child] if child else [])}):
            try:
                memory += process.memory_info().rss
                cpu += process.cpu_percent()
            except psutil.Error:
                continue
        self._metrics.gauge("worker_memory_bytes").set(memory)
        self._metrics.gauge("worker_cpu_percent").set(cpu)

    def _look_at(self, pids: set[int]) -> list[psutil.Process]:
        """The same objects each time: a percentage is the difference to the look before."""
        for pid in pids - set(self._processes):
            try:
                self._processes[pid] = psutil.Process(pid)
            except psutil.NoSuchProcess:
                continue
        self._processes = {pid: process for pid, process in self._processes.items() if pid in pids}
        return list(self._processes.values())
