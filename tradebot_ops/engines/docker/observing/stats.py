"""Processor and memory use of containers.

The engine's own average takes a second and a half a container. Two one-shot samples a moment apart, all containers
in parallel, gives the same; whoever asks again soon gets the average since last time and waits for nothing.
"""

import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import Any

from docker.errors import NotFound

from tradebot_ops.docker.client import Client
from tradebot_ops.engines.base import Replica, Stats
from tradebot_ops.engines.docker.observing.observe import parse_time, stats_of

THREADS = 8
#: Seconds between two samples; shorter ones make the figure jump.
APART = 0.2
#: Seconds after which an earlier sample says nothing about now.
STALE = 30.0

Sample = Mapping[str, Any]


class Sampler:
    """Remembers the last sample of each container. Safe to use from several threads."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self._before: dict[str, Sample] = {}
        self._guard = threading.Lock()

    def sample(self, replicas: Sequence[Replica], *, cpu: bool) -> tuple[Stats, ...]:
        """Use since the last sample, or within the next moment; what vanished meanwhile is left out."""
        if not replicas:
            return ()
        with ThreadPoolExecutor(min(THREADS, len(replicas))) as pool:
            now = self._collect(pool, replicas)
            if cpu and any(not self._usable(replica.id, now) for replica in replicas):
                with self._guard:
                    self._before |= now
                time.sleep(APART)
                now = self._collect(pool, replicas)
        found = []
        for replica in replicas:
            with self._guard:
                before = self._before.get(replica.id) if cpu else None
            after = now.get(replica.id)
            if after and (stats := stats_of(replica.id, before, after, self._host_memory)):
                found.append(stats)
        with self._guard:
            self._before |= now
        return tuple(found)

    def _usable(self, container: str, now: Mapping[str, Sample]) -> bool:
        with self._guard:
            before = self._before.get(container)
        first, last = (parse_time((sample or {}).get("read", "")) for sample in (before, now.get(container)))
        return last is None or (first is not None and APART / 2 <= (last - first).total_seconds() <= STALE)

    def _collect(self, pool: ThreadPoolExecutor, replicas: Sequence[Replica]) -> dict[str, Sample]:
        samples = pool.map(self._one, replicas)
        return {replica.id: sample for replica, sample in zip(replicas, samples, strict=True) if sample}

    def _one(self, replica: Replica) -> Sample:
        doing = f"measuring {replica.service} {replica.number}"
        with self.client.translating_errors(doing, self.client.deadlines.read):
            try:
                sample: Sample = self.client.reads.stats(replica.id, stream=False, one_shot=True)
            except NotFound:
                return {}
            return sample

    @cached_property
    def _host_memory(self) -> int:
        with self.client.translating_errors("asking for its memory", self.client.deadlines.read):
            return int(self.client.reads.info()["MemTotal"])
