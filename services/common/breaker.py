"""Circuit breakers around services outside of the stack, shared by all workers through Redis.

The pattern of Nygard's "Release It!": closed, open, half-open. After ``threshold`` failures in a row a breaker opens:
nobody calls the service for a while. Then one call of all workers is let through; it closes the breaker, or opens it
for twice as long. Every decision is one script in Redis, by Redis' own clock, so that workers whose clocks differ
agree, and of any number of them one alone probes. pybreaker and purgatory keep the state in Redis, too, but let every
process probe.

While Redis is away nobody knows a state. Then every call is let through, for most services are well; one that fails
cannot be counted, so that its job waits as if it had opened the breaker, and pays no attempt.
"""

import random
import re
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import redis
import structlog

from services.common.jobtypes import BREAKER_POLICY, BreakerOpen, BreakerPolicy, BreakerUnknown

PREFIX = "tradebot:breaker:"
INDEX = "tradebot:breakers"
#: A name is a key in Redis, a label in Prometheus and part of an address.
NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")
#: A probe that has not answered by then is believed lost, and another one is let through.
PROBE_S = 60.0
#: A service may say for how long it wants to be left alone; not for ever. Exchanges ban an address for three days.
MOST_RETRY_AFTER_S = 3 * 86_400.0
LONGEST_ERROR = 300
#: A Redis that was away is not asked for so long: one that hangs costs each question seconds, and a job may call often.
AWAY_S = 5.0

log = structlog.get_logger(__name__)

# ARGV: how long a probe is believed in, the caller's token. Milliseconds that the caller has to wait: 0 to go on, -1 to
# go on as the probe.
_ASK = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local open_until = tonumber(redis.call('HGET', KEYS[1], 'open_until') or '0')
if open_until == 0 then return 0 end
if now < open_until then return open_until - now end
local probe_until = tonumber(redis.call('HGET', KEYS[1], 'probe_until') or '0')
if now < probe_until then return math.min(probe_until - now, 2000) end
redis.call('HSET', KEYS[1], 'probe_until', now + ARGV[1], 'probe', ARGV[2])
return -1
"""

# ARGV: the caller's token, threshold, first wait, longest wait, least wait, jitter from 0 to 1, error, name.
# Milliseconds that the breaker stays open, 0 while it is closed. What was under way when it opened changes nothing.
_FAILED = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local open_until = tonumber(redis.call('HGET', KEYS[1], 'open_until') or '0')
local wait = tonumber(ARGV[3])
if open_until > 0 then
  if redis.call('HGET', KEYS[1], 'probe') ~= ARGV[1] then return math.max(1, open_until - now) end
  wait = math.min(tonumber(ARGV[4]), 2 * tonumber(redis.call('HGET', KEYS[1], 'wait') or ARGV[3]))
else
  local failures = redis.call('HINCRBY', KEYS[1], 'failures', 1)
  redis.call('SADD', KEYS[2], ARGV[8])
  redis.call('HSET', KEYS[1], 'error', ARGV[7])
  if failures < tonumber(ARGV[2]) and tonumber(ARGV[5]) == 0 then return 0 end
  redis.call('HINCRBY', KEYS[1], 'trips', 1)
  redis.call('HSET', KEYS[1], 'opened_at', now)
end
local pause = math.max(tonumber(ARGV[5]), math.floor(wait * (0.5 + tonumber(ARGV[6]) / 2)))
redis.call('HSET', KEYS[1], 'open_until', now + pause, 'wait', wait, 'error', ARGV[7], 'failures', 0)
redis.call('HDEL', KEYS[1], 'probe_until', 'probe')
return pause
"""

# ARGV: the caller's token. One that succeeds beside an open breaker was under way when that opened, or was believed
# lost.
_SUCCEEDED = """
if redis.call('HGET', KEYS[1], 'probe') == ARGV[1] then
  redis.call('HDEL', KEYS[1], 'open_until', 'probe_until', 'probe', 'wait', 'failures')
elseif redis.call('HGET', KEYS[1], 'failures') then
  redis.call('HDEL', KEYS[1], 'failures')
end
"""

# ARGV: the caller's token. The next caller probes instead of one that learned nothing of the service.
_LEAVE = """
if redis.call('HGET', KEYS[1], 'probe') == ARGV[1] then redis.call('HDEL', KEYS[1], 'probe_until', 'probe') end
"""

_RESET = """
local open = redis.call('HEXISTS', KEYS[1], 'open_until')
redis.call('HDEL', KEYS[1], 'open_until', 'probe_until', 'probe', 'wait', 'failures')
return open
"""


@dataclass(frozen=True, slots=True)
class Breaker:
    """State of one breaker. ``open_until`` is None while it is closed; ``trips`` counts how often it opened."""

    name: str
    failures: int
    trips: int
    opened_at: datetime | None
    open_until: datetime | None
    error: str

    @property
    def open(self) -> bool:
        return self.open_until is not None


class Breakers:
    """All breakers of a stack. Safe to use from several threads."""

    def __init__(self, client: redis.Redis, redact: Callable[[str], str] = str, away_s: float = AWAY_S) -> None:
        self._client = client
        self._redact = redact
        self._away_s = away_s
        self._ask, self._failed, self._succeeded, self._leave, self._reset = (
            client.register_script(text) for text in (_ASK, _FAILED, _SUCCEEDED, _LEAVE, _RESET)
        )
        self._alone = False
        self._ask_again_at = float("-inf")

    @contextmanager
    def guard(
        self,
        name: str,
        failures: tuple[type[BaseException], ...] = (Exception,),
        policy: BreakerPolicy = BREAKER_POLICY,
    ) -> Iterator[None]:
        """Around a call of the service: only ``failures`` speak against it; of a cancelled call nothing is known.

        Raises ``BreakerOpen`` instead of calling, and instead of the failure that opened it; ``BreakerUnknown`` instead
        of one that could not be counted. A failure with an attribute ``retry_after_s`` opens it for so long.
        ``ValueError`` for a name that is none.
        """
        token = secrets.token_hex(8)
        self._enter(name, token)
        try:
            yield
        except failures as error:
            wait_s = self._report_failure(name, error, policy, token)
            if wait_s is None:
                raise BreakerUnknown(name, _unknown_wait_s(error, policy)) from error
            if wait_s:
                raise BreakerOpen(name, wait_s) from error
            raise
        except BaseException:
            self._known(lambda: self._leave(keys=[_key(name)], args=[token]))
            raise
        else:
            self._known(lambda: self._succeeded(keys=[_key(name)], args=[token]))

    def _enter(self, name: str, token: str) -> None:
        """Raise ``BreakerOpen`` unless the call may go on, perhaps as the probe."""
        wait_ms = self._known(lambda: int(self._ask(keys=[_key(name)], args=[int(PROBE_S * 1000), token])))
        if wait_ms is not None and wait_ms > 0:
            raise BreakerOpen(name, wait_ms / 1000 + random.random())  # noqa: S311 - not all at once

    def _report_failure(self, name: str, error: BaseException, policy: BreakerPolicy, token: str) -> float | None:
        """Seconds for which it is open now, 0 while it is closed; None when nobody knows."""
        least_s = _asked_for_s(error)
        text = self._redact(" ".join(f"{type(error).__name__}: {error}".split()))[:LONGEST_ERROR]
        waits = [int(1000 * seconds) for seconds in (policy.first_s, policy.most_s, least_s)]
        args: list[str | int | float] = [token, policy.threshold, *waits, random.random(), text, name]  # noqa: S311 - spreads load
        wait_ms: int | None = self._known(lambda: int(self._failed(keys=[_key(name), INDEX], args=args)))
        if wait_ms is None:
            return None
        if wait_ms:
            log.warning("circuit breaker open", breaker=name, seconds=wait_ms / 1000, reason=text)
        return wait_ms / 1000

    def _known(self, ask: Any) -> Any:
        """The answer, None while Redis is away, or cannot take it: that is logged once."""
        if time.monotonic() < self._ask_again_at:
            return None
        try:
            answer = ask()
        except redis.RedisError as error:
            self._ask_again_at = time.monotonic() + self._away_s
            if not self._alone:
                log.warning("circuit breakers unknown: calls are let through", reason=str(error))
            self._alone = True
            return None
        self._alone = False
        return answer

    def all(self) -> list[Breaker]:
        """Every breaker that ever saw a failure, by name. Raises ``redis.RedisError``."""
        members: Any = self._client.smembers(INDEX)
        names = sorted(_text(each) for each in members)
        fields: list[dict[bytes | str, bytes | str]] = [self._client.hgetall(_key(name)) for name in names]
        return [_breaker(name, found) for name, found in zip(names, fields, strict=True)]

    def get(self, name: str) -> Breaker | None:
        """The breaker, None where it never saw a failure. Raises ``redis.RedisError``."""
        return next((each for each in self.all() if each.name == name), None)

    def reset(self, name: str) -> bool:
        """Close it; False when it was not open. Raises ``redis.RedisError``."""
        return bool(self._reset(keys=[_key(name)]))


def _asked_for_s(failure: BaseException) -> float:
    """How long the service itself wants to be left alone; 0 where it does not say."""
    return min(max(float(getattr(failure, "retry_after_s", 0) or 0), 0.0), MOST_RETRY_AFTER_S)


def _unknown_wait_s(failure: BaseException, policy: BreakerPolicy) -> float:
    """As after the failure that opens a breaker."""
    return max(_asked_for_s(failure), policy.first_s * (0.5 + random.random() / 2))  # noqa: S311 - spreads load


def _key(name: str) -> str:
    if not NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name of a circuit breaker: small letters, digits and dashes, at most 40")
    return PREFIX + name


def _breaker(name: str, raw: dict[bytes | str, bytes | str]) -> Breaker:
    found = {_text(key): _text(value) for key, value in raw.items()}
    return Breaker(
        name,
        int(found.get("failures", 0)),
        int(found.get("trips", 0)),
        _moment(found.get("opened_at")),
        _moment(found.get("open_until")),
        found.get("error", ""),
    )


def _moment(milliseconds: str | None) -> datetime | None:
    return datetime.fromtimestamp(float(milliseconds) / 1000, UTC) if milliseconds else None


def _text(value: bytes | str) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else value
