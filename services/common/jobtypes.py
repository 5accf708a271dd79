"""The job type, and how the API and the workers find the same ones.

Built-in types are the modules of ``services.jobs``; others come through the entry-point group
``tradebot.jobs``. Importing a job type must stay cheap: the API imports all of them only to validate
payloads, so numpy, pandas and the like belong inside ``run``.
"""

import importlib
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cache, lru_cache
from importlib.metadata import entry_points
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, Protocol

from pydantic import BaseModel, ConfigDict, RootModel, ValidationError

from services.common.backoff import Backoff
from services.common.discovery import module_names

if TYPE_CHECKING:
    import psycopg

    from services.jobs.exchange.budget import Budget
    from services.jobs.market.candles import Candles
    from services.jobs.market.intervals import Interval

ENTRY_POINT_GROUP = "tradebot.jobs"
#: Of another time limit than a type's own: API and workers must agree on it.
LIMITS_VARIABLE = "JOB_TIME_LIMITS"
LONGEST_LIMIT_S = 7 * 86400
BUILTIN_PACKAGE = "services.jobs"

#: The type whose jobs fail to prove what becomes of jobs that fail. They are nobody's work: not an error, no part of a
#: queue or of a rate.
FAILS_ON_PURPOSE = "failing_canary"


Wish = Literal["end", "dead"]
"""To be notified of the end of a job, however that comes, or only where it is given up."""

#: Between attempts of a job that failed, unless its type says otherwise.
BACKOFF = Backoff(first_s=2.0, most_s=300.0)


class Payload(BaseModel):
    """Base of every payload: an unknown key is an error that names it, never ignored.

    A number where text is wanted is that text: ``symbol=7203`` names a share of Tokyo.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)


class JobLog(Protocol):
    """The part of a structured logger that jobs use."""

    def info(self, event: str, **values: Any) -> Any: ...

    def warning(self, event: str, **values: Any) -> Any: ...


class JobContext(Protocol):
    """Services for a running job. It lives in the job's own process."""

    @property
    def job_id(self) -> str: ...

    @property
    def log(self) -> JobLog: ...

    @property
    def store(self) -> "psycopg.Connection[Any]":
        """An autocommit connection to Postgres; use ``with ctx.store.transaction()`` to group statements."""

    def effect(self, key: str) -> "AbstractContextManager[psycopg.Connection[Any] | None]":
        """A transaction whose writes happen once for this job and key, however often the job runs.

        None is given where an earlier run has done them. Raises ``LeaseLost``; let it through.
        """

    def progress(self, fraction: float, note: str = "") -> None:
        """Report how far the job is, 0 to 1, and what it does now."""

    def check_cancelled(self) -> None:
        """Raise ``JobCancelled`` when a stop of the job was requested."""

    def breaker(
        self, name: str, failures: tuple[type[BaseException], ...] = (Exception,), policy: "BreakerPolicy | None" = None
    ) -> AbstractContextManager[None]:
        """Around each call of a service outside of the stack: while it fails, all jobs that need it wait.

        ``failures`` are the exceptions that speak against the service. Raises ``BreakerOpen``; let it through.
        """

    def budget(self, name: str, points: float, per_s: float) -> "Budget":
        """Of ``points`` for requests in any ``per_s`` seconds, shared by all workers behind one address.

        Its ``take`` raises ``BreakerOpen`` while it is spent, or unknown; let it through.
        """

    def candles(
        self, symbol: str, start: date | None = None, end: date | None = None, interval: "Interval" = "1d"
    ) -> "Candles":
        """Candles of one symbol, both days included; ``JobFailure`` when there are none.

        Their ``day`` is a date, or, of an interval within the day, the time in UTC at which each begins.
        """


class JobFailure(Exception):  # noqa: N818 - an outcome the author of the job foresaw
    """The job cannot succeed, and one sentence says why; ``hint`` is what to type next. Never retried."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(f"{message} {hint}".strip())
        self.hint = hint


class JobCancelled(Exception):  # noqa: N818 - not an error
    """Raised inside a job that was asked to stop."""


class LeaseLost(Exception):  # noqa: N818 - reads as what it is
    """Another worker has taken the job over; nothing that this run does counts any more."""


class BreakerOpen(Exception):  # noqa: N818 - reads as what it is
    """A service outside of the stack is left alone for now; the job waits ``wait_s`` seconds, and no attempt counts."""

    def __init__(self, name: str, wait_s: float) -> None:
        super().__init__(f"The circuit breaker {name} is open: the service is left alone for {wait_s:.0f} s.")
        self.name, self.wait_s = name, wait_s


class BreakerUnknown(BreakerOpen):
    """The service failed while nobody could know or change its breaker's state: the job waits as for an open one."""

    def __init__(self, name: str, wait_s: float) -> None:
        super().__init__(name, wait_s)
        reason = "the breaker's state is not known, for Redis cannot be used"
        self.args = (f"The service behind the circuit breaker {name} failed, and {reason}: wait {wait_s:.0f} s.",)


def waiting_for(breaker: str) -> str:
    """The fingerprint of jobs that wait for this circuit breaker to close."""
    return f"breaker-{breaker}"


@dataclass(frozen=True, slots=True)
class BreakerPolicy:
    """``threshold`` failures in a row open a circuit breaker, for about ``first_s`` seconds; each failed probe doubles
    that, up to ``most_s``."""

    threshold: int = 5
    first_s: float = 30.0
    most_s: float = 600.0


BREAKER_POLICY = BreakerPolicy()


class PayloadInvalid(ValueError):  # noqa: N818 - reads as what it is
    """A payload that does not fit its job type: ``errors`` pairs each field with what is wrong with it."""

    def __init__(self, errors: tuple[tuple[str, str], ...]) -> None:
        super().__init__("; ".join(f"{name}: {message}" for name, message in errors))
        self.errors = errors


@dataclass(frozen=True)
class Quarantined:
    """A job type, or a part of one, that could not be loaded: the others work on, and this says why it does not."""

    name: str
    error: str


#: A job is done in so many parts at most.
MOST_PARTS = 100


class InParts(Exception):  # noqa: N818 - an outcome
    """Raised by a ``run`` that found out how large its job is: it is to be done in ``count`` parts, two at least."""

    def __init__(self, count: int) -> None:
        super().__init__(f"to be done in {count} parts")
        self.count = min(max(count, 2), MOST_PARTS)


@dataclass(frozen=True, slots=True)
class Parts:
    """How the jobs of a type are done in parts, by several workers at the same time.

    ``run`` does one part, given its number from 0 and how many there are; each is tried again by itself. ``join`` makes
    the result of the job out of theirs, which come in the order of the parts.
    """

    run: Callable[[JobContext, Any, int, int], dict[str, Any]]
    join: Callable[[JobContext, Any, Sequence[dict[str, Any]]], dict[str, Any]]


@dataclass(frozen=True)
class JobType:
    """One kind of work. ``run`` executes in a child process; what it returns is the job's JSON result.
    Where the type has ``parts`` it may raise ``InParts`` instead.

    A run that raises is tried again, ``max_attempts`` runs in all, after a wait of ``backoff``; not so where it raises
    ``JobFailure`` or one of ``final``, for those would be raised again. At most ``max_running`` of its jobs run at the
    same time, unless an operator sets another limit (`tradebot queue limit`). A worker runs one job of the ``long``
    types and one of the others at the same time: short jobs do not wait behind long ones. ``notify``: people get news
    of its jobs unless who submits one wishes otherwise. Jobs of another ``version`` are refused, unless it is one of
    ``accepts``: their payloads must be valid ones of this version. ``quarantined``: parts of it that do not work.
    """

    name: str
    version: int
    Payload: type[BaseModel]
    run: Callable[[JobContext, Any], dict[str, Any]]
    timeout_s: float = 300.0
    max_attempts: int = 3
    backoff: Backoff = BACKOFF
    final: tuple[type[Exception], ...] = ()
    max_running: int | None = None
    long: bool = False
    notify: Wish | None = None
    accepts: tuple[int, ...] = ()
    quarantined: tuple[Quarantined, ...] = ()
    parts: Parts | None = None

    def validate(self, raw: Mapping[str, Any]) -> BaseModel:
        """The typed payload; ``PayloadInvalid`` naming every field that is wrong."""
        try:
            return self.Payload.model_validate(dict(raw))
        except ValidationError as error:
            raise PayloadInvalid(tuple(self._explain(error))) from error

    def normalise(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        """The payload as it is stored: validated, defaults filled in, plain JSON values."""
        normal: dict[str, Any] = self.validate(raw).model_dump(mode="json")
        return normal

    def schema(self) -> dict[str, Any]:
        """JSON schema of the payload: one object for all callers, not to be changed."""
        return _schema(self.Payload)

    def _explain(self, error: ValidationError) -> Iterator[tuple[str, str]]:
        # A payload that is one of several models reports the model's tag as the first step of the path.
        tagged = issubclass(self.Payload, RootModel) and self.Payload.model_fields["root"].discriminator is not None
        for detail in error.errors(include_url=False, include_input=False):
            context = detail.get("ctx", {})
            if "discriminator" in context:
                yield str(context["discriminator"]).strip("'"), _tag_message(context)
                continue
            path = detail["loc"][1:] if tagged else detail["loc"]
            message = "is not a parameter here" if detail["type"] == "extra_forbidden" else detail["msg"]
            yield ".".join(map(str, path)), message.removeprefix("Value error, ")


@cache
def _schema(payload: type[BaseModel]) -> dict[str, Any]:
    """Building those of all types costs 10 ms, and a class never changes its schema."""
    return payload.model_json_schema()


def _tag_message(context: Mapping[str, Any]) -> str:
    known = context.get("expected_tags", "")
    if "tag" not in context:
        return "is required"
    return f"{context['tag']!r} is unknown; one of {known}"


@dataclass(frozen=True)
class Registry:
    """Every job type this installation knows, and the ones it could not load."""

    types: Mapping[str, JobType] = field(default_factory=lambda: MappingProxyType({}))
    quarantined: tuple[Quarantined, ...] = ()

    def get(self, name: str) -> JobType | None:
        return self.types.get(name)

    def limited(self, limits: Mapping[str, float]) -> "Registry":
        """The same, where jobs of these types may take so many seconds; names of no type change nothing."""
        types = {name: replace(each, timeout_s=limits.get(name, each.timeout_s)) for name, each in self.types.items()}
        return replace(self, types=MappingProxyType(types))


@lru_cache(maxsize=1)
def registry() -> Registry:
    """The job types of this installation, with the time limits of the environment; found once per process."""
    return load(_candidates()).limited(time_limits(os.environ.get(LIMITS_VARIABLE, "")))


def time_limits(text: str) -> dict[str, float]:
    """Seconds by type, of ``load_candles=3600,sweep=7200``. Raises ``ValueError``."""
    return dict(_limit(part.strip()) for part in text.split(",") if part.strip())


def _limit(part: str) -> tuple[str, float]:
    found = re.fullmatch(r"([\w-]+)=(\d{1,6})", part)
    if not found or not 1 <= int(found[2]) <= LONGEST_LIMIT_S:
        raise ValueError(f"{part!r} is no type with seconds from 1 to {LONGEST_LIMIT_S}, such as load_candles=3600")
    return found[1], float(found[2])


def load(candidates: Iterator[tuple[str, Callable[[], Any]]]) -> Registry:
    """Load each candidate (its name, and how to get it); what is broken or taken goes into quarantine."""
    types: dict[str, JobType] = {}
    quarantined = []
    for name, fetch in candidates:
        try:
            job_type = fetch()
            if not isinstance(job_type, JobType):
                raise TypeError(f"{name} is {type(job_type).__name__}, not a JobType")  # noqa: TRY301
            if job_type.name in types:
                raise ValueError(f"the name {job_type.name!r} is already taken")  # noqa: TRY301
            job_type.schema()
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a plug-in does, the others work on
            quarantined.append(Quarantined(name, f"{type(error).__name__}: {error}"))
        else:
            types[job_type.name] = job_type
            quarantined += job_type.quarantined
    return Registry(MappingProxyType(types), tuple(quarantined))


def _candidates() -> Iterator[tuple[str, Callable[[], Any]]]:
    for module in module_names(BUILTIN_PACKAGE):
        yield module.rpartition(".")[2], lambda module=module: importlib.import_module(module).JOB  # type: ignore[misc]
    for point in sorted(entry_points(group=ENTRY_POINT_GROUP), key=lambda point: point.name):
        yield point.name, point.load
