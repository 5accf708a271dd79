"""Redis, over redis-py: what the command itself writes there, and what it asks of a server whose health is in doubt.

redis-py is loaded with the first client.
"""

import hashlib
import secrets
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import repeat
from typing import TYPE_CHECKING, Any, TypeVar

from tradebot_ops.errors import OpsError, Refused, Unreachable
from tradebot_ops.settings import Secret

if TYPE_CHECKING:
    from redis import RedisError

#: Read by the API, which exports it as ``tradebot_workers_desired``.
WORKERS_DESIRED = "tradebot:workers:desired"
#: Read by a worker that is asked to stop, with its name behind it.
DRAIN_PREFIX = "tradebot:drain:"
DRAIN_KEPT_SECONDS = 60
#: Keys that only a check writes; whatever is left of one that was interrupted ends by itself.
CHECK_PREFIX = "tradebot:check:"
CHECK_KEPT_MS = 30_000
TIMEOUT_SECONDS = 3.0
#: Settings whose values are passwords.
HIDDEN = frozenset({"requirepass", "masterauth", "primaryauth", "tls-key-file-pass", "tls-client-key-file-pass"})
REDACTED = "[REDACTED]"
SHOWN_LETTERS = 200
KEYS_A_STEP = 1000

T = TypeVar("T")


@dataclass(frozen=True)
class SlowCommand:
    """One entry of the slow log: when it ran (Unix time), for how long, what and for whom; long commands are cut."""

    at: float
    seconds: float
    command: str
    client: str


@dataclass(frozen=True)
class Keys:
    """Keys that match; ``complete`` is False where the search ended before it had seen every key."""

    names: tuple[str, ...]
    complete: bool


@dataclass(frozen=True)
class Size:
    """A key, its type, and the bytes it takes."""

    name: str
    type: str
    bytes: int


@dataclass(frozen=True)
class Sizes:
    """The largest of ``looked_at`` keys; ``complete`` where those are all there are."""

    largest: tuple[Size, ...]
    looked_at: int
    complete: bool


@dataclass(frozen=True)
class AclUser:
    """A user of Redis' access list; ``passwords`` counts them, ``commands`` and ``keys`` are Redis' own rules."""

    name: str
    enabled: bool
    without_password: bool
    passwords: int
    commands: str
    keys: str


@dataclass(frozen=True)
class RoundTrip:
    """Outcome of a key that was written: was its value read back, did it expire in time, how long did it take."""

    read_back: bool
    expired: bool
    seconds: float


class Redis:
    """A client for one Redis; ``password`` None logs in with none, ``user`` None is Redis' user ``default``.

    A command ends within ``timeout`` seconds and is never sent twice; a method that sends many stops after as long.
    Every method raises ``Unreachable`` TB-0530 (no answer in time included), ``Refused`` TB-0531 when this user may
    not log in or not do that, or ``OpsError`` TB-0532 when Redis cannot do it, with its own words.
    """

    def __init__(
        self, host: str, port: int, password: Secret | None, user: str | None = None, timeout: float = TIMEOUT_SECONDS
    ) -> None:
        import redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        from tradebot_ops.clients.connection.redis_credentials import Credentials

        self._timeout, self._password = timeout, password
        self._client = redis.Redis(
            host=host,
            port=port,
            username=None if password else user,
            credential_provider=Credentials(password, user) if password else None,
            socket_timeout=timeout,
            socket_connect_timeout=timeout,
            retry=Retry(NoBackoff(), 0),  # by default three times, with pauses: a hung server takes 25 s
            decode_responses=True,
            encoding_errors="replace",
        )

    def desire_workers(self, count: int) -> None:
        """Remember how many workers should run."""
        with self._asking("store how many workers are wanted"):
            self._client.set(WORKERS_DESIRED, count)

    def forget_everything(self) -> None:
        """Empty it. The ledger is the truth about jobs: the sweeper sends again whatever waits."""
        with self._asking("forget its messages"):
            self._client.flushall()

    def grant_drain(self, names: Iterable[str], seconds: float) -> None:
        """Let the worker of one of these names take so long for its job when it is asked to stop, within a minute."""
        with self._asking("store how long a worker may take to stop"):
            pipeline = self._client.pipeline(transaction=False)
            for name in names:
                pipeline.set(DRAIN_PREFIX + name, f"{seconds:g}", ex=DRAIN_KEPT_SECONDS)
            pipeline.execute()

    def take_passwords(self, user: str, passwords: Iterable[Secret]) -> None:
        """Let a user log in with any of these passwords and no other; connections stay. Redis is sent their hashes."""
        hashes = [f"#{hashlib.sha256(each.reveal().encode()).hexdigest()}" for each in passwords]
        with self._asking("change a password"):
            self._client.execute_command("ACL", "SETUSER", user, "resetpass", *hashes)  # type: ignore[no-untyped-call]

    def info(self, section: str = "default") -> dict[str, Any]:
        """Redis' own statistics; numbers are numbers."""
        with self._asking("be asked for its statistics"):
            return dict(self._client.info(section))

    def config(self, pattern: str = "*") -> dict[str, str]:
        """The settings in force whose names match; a password that is set is shown as ``[REDACTED]``."""
        with self._asking("be asked for its settings"):
            found = {str(name): str(value) for name, value in self._client.config_get(pattern).items()}
        return {name: REDACTED if value and name in HIDDEN else value for name, value in found.items()}

    def ping_latencies(self, count: int = 100) -> tuple[float, ...]:
        """Seconds that each of ``count`` PINGs took, shortest first; fewer when time is over."""
        found: list[float] = []
        with self._asking("be pinged"):
            for _ in self._in_time(range(count)):
                began = time.perf_counter()
                self._client.ping()
                found.append(time.perf_counter() - began)
        return tuple(sorted(found))

    def slowlog(self, count: int = 128) -> list[SlowCommand]:
        """The last ``count`` commands that were slow, latest first."""
        with self._asking("be asked for its slow log"):
            found: list[dict[str, Any]] = self._client.slowlog_get(count)
        return [
            SlowCommand(
                at=float(raw["start_time"]),
                seconds=raw["duration"] / 1e6,
                command=_text(raw["command"])[:SHOWN_LETTERS],
                client=_text(raw.get("client_address", "")),
            )
            for raw in found
        ]

    def clients(self) -> list[dict[str, str]]:
        """Every connection, as ``CLIENT LIST`` describes it: addr, name, age and idle in seconds, cmd, user …"""
        with self._asking("be asked for its clients"):
            return [dict(raw) for raw in self._client.client_list()]

    def scan(self, pattern: str, most: int = 1000, steps: int = 100) -> Keys:
        """Up to ``most`` keys that match, from ``steps`` steps of about a thousand keys each."""
        found: set[str] = set()  # SCAN may give a key twice
        cursor = 0
        with self._asking("be asked for its keys"):
            for _ in self._in_time(range(steps)):
                cursor, names = self._client.scan(cursor, match=pattern, count=KEYS_A_STEP)
                found.update(map(str, names))
                if cursor == 0 or len(found) > most:
                    break
            else:
                return Keys(tuple(sorted(found))[:most], complete=False)
        return Keys(tuple(sorted(found))[:most], complete=cursor == 0 and len(found) <= most)

    def sizes(self, most: int = 5, steps: int = 5) -> Sizes:
        """The largest of the keys that ``steps`` steps of about a thousand keys give; large ones are measured by
        samples of what they hold."""
        found: dict[str, int] = {}
        cursor = 0
        with self._asking("be asked for the sizes of its keys"):
            for _ in self._in_time(range(steps)):
                cursor, names = self._client.scan(cursor, count=KEYS_A_STEP)
                found.update(self._of_each("memory_usage", map(str, names)))
                if cursor == 0:
                    break
            largest = sorted(found, key=lambda name: -found[name])[:most]
            types = self._of_each("type", largest)
        kept = tuple(Size(name, str(types[name]), found[name]) for name in largest if name in types)
        return Sizes(kept, len(found), complete=cursor == 0)

    def _of_each(self, command: str, names: Iterable[str]) -> dict[str, Any]:
        """The answer for each key that is still there, all asked at once."""
        wanted = list(names)
        pipeline = self._client.pipeline(transaction=False)
        for name in wanted:
            getattr(pipeline, command)(name)
        answers = zip(wanted, pipeline.execute(), strict=True)
        return {str(name): answer for name, answer in answers if answer not in {None, "none"}}

    def latency_doctor(self) -> str:
        """Redis' own report about its delays."""
        return self._doctor("LATENCY")

    def memory_doctor(self) -> str:
        """Redis' own report about its memory."""
        return self._doctor("MEMORY")

    def _doctor(self, what: str) -> str:
        with self._asking(f"be asked for its {what} DOCTOR"):
            return _text(self._client.execute_command(what, "DOCTOR")).strip()  # type: ignore[no-untyped-call]

    def acl_whoami(self) -> str:
        """The user as whom this client is logged in."""
        with self._asking("be asked who asks"):
            return str(self._client.acl_whoami())

    def acl_getuser(self, name: str) -> AclUser | None:
        """Permissions of this user; None where there is no such user. The hashes of its passwords stay in Redis."""
        with self._asking("be asked for its users"):
            raw: Mapping[str, Any] | None = self._client.acl_getuser(name)
        if raw is None:
            return None
        return AclUser(
            name=name,
            enabled=bool(raw["enabled"]),
            without_password="nopass" in raw["flags"],
            passwords=len(raw["passwords"]),
            commands=" ".join(raw["categories"] + raw["commands"]),
            keys=_text(raw["keys"]),
        )

    def round_trip(self) -> RoundTrip:
        """Write a key of our own, read it, let it expire at once."""
        key, value = CHECK_PREFIX + secrets.token_hex(8), secrets.token_hex(8)
        began = time.perf_counter()
        with self._asking("keep a value"):
            self._client.set(key, value, px=CHECK_KEPT_MS)
            read_back = self._client.get(key) == value
            self._client.pexpire(key, 1)
            expired = any(self._client.get(key) is None for _ in self._in_time(repeat(None)))
        return RoundTrip(read_back, expired, time.perf_counter() - began)

    @contextmanager
    def _asking(self, what: str) -> Iterator[None]:
        """Turns the library's errors into sentences that begin with "Redis cannot"."""
        import redis

        hint = "tradebot status; tradebot logs redis --tail 50"
        try:
            yield
        except (redis.AuthenticationError, redis.exceptions.NoPermissionError) as error:
            message = f"Redis cannot {what}: it refuses this login: {self._reason(error)}."
            hint = "Is this the right project (-p)? tradebot restart redis"
            raise Refused(message, code="TB-0531", hint=hint) from None
        except (redis.ConnectionError, redis.TimeoutError) as error:
            raise Unreachable(f"Redis cannot {what}: {self._reason(error)}.", code="TB-0530", hint=hint) from None
        except redis.RedisError as error:
            raise OpsError(f"Redis cannot {what}: {self._reason(error)}.", code="TB-0532", hint=hint) from None

    def _reason(self, error: "RedisError") -> str:
        """Redis repeats the arguments of a command that it does not know, and a renamed AUTH is one."""
        words = str(error).rstrip(".")
        return self._password.hide_in(words) if self._password else words

    def _in_time(self, items: Iterable[T]) -> Iterator[T]:
        """``items``, ended after ``timeout`` seconds."""
        end = time.monotonic() + self._timeout
        for item in items:
            yield item
            if time.monotonic() > end:
                return


def _text(raw: object) -> str:
    """Some answers stay bytes whatever the client was set to; some are lists where older servers send text."""
    if isinstance(raw, list | tuple):
        return " ".join(map(_text, raw))
    return raw.decode(errors="replace") if isinstance(raw, bytes) else str(raw)
