"""The peer of ``tests.bench.jobs``: Dramatiq's own worker and Redis broker, an actor that only counts."""

import sys
import threading
import time

import dramatiq
from dramatiq.worker import Worker

from services.common.settings import Settings
from services.common.transport import make_broker
from services.worker.lane import SHORT_IDLE_MS
from tests.bench.jobs import BARE_QUEUE


def main(jobs: int, threads: int) -> None:
    broker: dramatiq.Broker = make_broker(Settings())
    ends: list[float] = []
    finished = threading.Event()

    def bare() -> None:
        ends.append(time.monotonic())
        if len(ends) >= jobs:
            finished.set()

    dramatiq.Actor(bare, broker=broker, actor_name="bare", queue_name=BARE_QUEUE, priority=0, options={})
    worker = Worker(broker, queues={BARE_QUEUE}, worker_threads=threads, worker_timeout=SHORT_IDLE_MS)
    worker.start()
    if not finished.wait(240):
        raise SystemExit("not all messages arrived")
    worker.stop()
    skip = jobs // 10
    print((len(ends) - 1 - skip) / (ends[-1] - ends[skip]))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
