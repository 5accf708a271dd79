"""One budget of requests to an exchange for all workers behind one address, kept in Redis.

An exchange counts by address, not by process: twelve workers that each stay within its limit are together twelve times
above it. The generic cell rate algorithm needs one number in Redis: the time until which the budget is taken. Each
caller takes its place there, by Redis' own clock, and waits until its turn comes; nobody asks twice.
"""

from typing import Any

import redis

from services.common.jobtypes import BreakerOpen

PREFIX = "tradebot:budget:"
#: So much of the budget may be used at once after a pause; the rest comes evenly.
BURST = 0.1
#: Who would wait longer than this gives up its worker instead.
MOST_WAIT_S = 20.0
#: How long a job waits whose budget nobody knows.
UNKNOWN_WAIT_S = 15.0

# ARGV: what the request takes, what may be used at once, the longest wait; all in microseconds of the whole budget.
# Microseconds until the caller's turn; below 0 where it would wait for longer than it may: then it has no place.
_TAKE = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local taken = math.max(now, tonumber(redis.call('GET', KEYS[1]) or '0')) + ARGV[1]
local wait = math.max(0, taken - ARGV[2] - now)
if wait > tonumber(ARGV[3]) then return -wait end
redis.call('SET', KEYS[1], string.format('%.0f', taken), 'PX', math.ceil((taken - now) / 1000) + 1000)
return wait
"""


class BudgetSpent(BreakerOpen):
    """Too many are waiting for the same budget: the job waits outside of its worker, and no attempt counts."""

    def __init__(self, name: str, wait_s: float) -> None:
        super().__init__(name, wait_s)
        self.args = (f"The budget of requests of {name} is spent: wait {wait_s:.0f} s.",)


class BudgetUnknown(BreakerOpen):
    """Redis cannot be used: without it nobody knows what the other workers send, so that nothing is sent."""

    def __init__(self, name: str, wait_s: float) -> None:
        super().__init__(name, wait_s)
        reason = "how much of it is left is not known, for Redis cannot be used"
        self.args = (f"The budget of requests of {name} cannot be asked: {reason}; wait {wait_s:.0f} s.",)


class Budget:
    """``points`` in any ``per_s`` seconds, for all who share ``name`` and ``address``. Safe from several threads.

    ``name`` is that of the circuit breaker around the same service.
    """

    def __init__(self, client: redis.Redis, name: str, address: str, points: float, per_s: float) -> None:
        if points <= 0 or per_s <= 0:
            raise ValueError(f"a budget of {points} points in {per_s} s allows nothing")
        self._name = name
        self._key = f"{PREFIX}{name}:{address}"
        burst = BURST * points
        self._point_us = per_s * 1e6 / (points - burst)
        self._burst_us = burst * self._point_us
        self._take = client.register_script(_TAKE)

    def take(self, cost: float = 1.0) -> float:
        """Take a place for a request of so many points; seconds until its turn.

        Raises ``BudgetSpent`` where that would be long, and ``BudgetUnknown`` without Redis. A request that costs more
        than may be used at once waits for all of it.
        """
        args: list[Any] = [round(each) for each in (cost * self._point_us, self._burst_us, MOST_WAIT_S * 1e6)]
        try:
            wait_us = int(self._take(keys=[self._key], args=args))
        except redis.RedisError as error:
            raise BudgetUnknown(self._name, UNKNOWN_WAIT_S) from error
        if wait_us < 0:
            raise BudgetSpent(self._name, -wait_us / 1e6)
        return wait_us / 1e6
