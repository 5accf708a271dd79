"""Clients that submit jobs at a steady pace, and try again until each is accepted."""

import random
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from uuid import UUID

import httpx

from tests.drill.crashes.target import Target
from tradebot_ops.errors import NoAddress

THREADS = 8
AGAIN_S = 0.5
PATIENCE_S = 120.0
SHORTEST_S, LONGEST_S = 0.2, 1.6


@dataclass
class Clients:
    target: Target
    seed: int

    def submit(self, jobs: int, seconds: float) -> list[UUID]:
        """The ids of those that were accepted: all of them, or the drill has nothing to say."""
        dice = random.Random(self.seed)
        began = time.monotonic()
        work = [
            (number, began + number * seconds / jobs, dice.uniform(SHORTEST_S, LONGEST_S)) for number in range(jobs)
        ]
        with ThreadPoolExecutor(THREADS) as pool:
            return list(pool.map(lambda each: self._one(*each), work))

    def _one(self, number: int, due: float, length_s: float) -> UUID:
        time.sleep(max(0.0, due - time.monotonic()))
        body = {"type": "crash_drill", "payload": {"seconds": round(length_s, 2)}}
        last = ""
        while time.monotonic() < due + PATIENCE_S:
            try:
                address, key = self.target.api()
                headers = {"X-API-Key": key, "Idempotency-Key": f"drill-{number}"}
                answer = httpx.post(f"{address}/jobs", json=body, headers=headers, timeout=10, trust_env=False)
                if answer.status_code == 202:
                    return UUID(answer.json()["id"])
                last = f"{answer.status_code} {answer.text}"
            except (httpx.HTTPError, NoAddress) as error:
                last = repr(error)
            time.sleep(AGAIN_S)
        raise AssertionError(f"job {number} was not accepted within {PATIENCE_S:g} s: {last}")
