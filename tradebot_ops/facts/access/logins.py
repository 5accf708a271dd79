"""Logins that anybody would try first, tried; and how hard the configured passwords are to guess."""

import math
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tradebot_ops.context import GRAFANA_USER, Ops
from tradebot_ops.errors import LoginRefused, OpsError
from tradebot_ops.facts.fact import fact
from tradebot_ops.facts.stores import redis
from tradebot_ops.settings import Secret

#: The names and passwords that these programs' images and handbooks have.
GRAFANA_DEFAULT = "admin"
POSTGRES_DEFAULTS = (("postgres", "postgres"), ("postgres", "password"), ("tradebot", "tradebot"))
#: A database that nobody has, named for logins that are only tried: the password is looked at first, and Postgres' log,
#: which holds every refusal, shows by this name that nobody else tried.
TRIED = "tradebot-tries-logins"


@dataclass(frozen=True)
class Attempt:
    """``open`` says that the default login worked; ``answer`` is what came back."""

    login: str
    open: bool
    answer: str


@dataclass(frozen=True)
class Strength:
    """Of one secret: never its value. ``bits`` count how often each of its letters is there."""

    name: str
    length: int
    bits: float


Ask = Callable[[Ops], tuple[bool, str]]


@fact(seconds=15)
def defaults(ops: Ops) -> tuple[Attempt, ...]:
    """Each tried at the running service; what this host cannot run, or nobody chose, is left out.

    One that works is the answer, whoever else is silent.
    """
    here = ops.stack.services.keys() - ops.unavailable.keys()
    found, silent = [], []
    for login, service, ask in _tries():
        if service in here:
            try:
                found.append(Attempt(login, *ask(ops)))
            except OpsError as error:
                silent.append(error)
    if silent and not any(attempt.open for attempt in found):
        raise silent[0]
    return tuple(found)


def _tries() -> Iterator[tuple[str, str, Ask]]:
    yield "Redis without a password", "redis", _redis
    for user, word in POSTGRES_DEFAULTS:
        yield f"Postgres {user}/{word}", "postgres", _postgres(user, word)
    yield f"Grafana {GRAFANA_USER}/{GRAFANA_DEFAULT}", "grafana", _grafana


def _redis(ops: Ops) -> tuple[bool, str]:
    found = redis.anonymous(ops)
    return not found.refused, found.answer


def _postgres(user: str, password: str) -> Ask:
    def ask(ops: Ops) -> tuple[bool, str]:
        refused = ops.postgres_as(user, Secret(password), TRIED).refusal()
        return not refused, refused or "logged in"

    return ask


def _grafana(ops: Ops) -> tuple[bool, str]:
    """Its own password first: where that works no other does, and Grafana locks a user out after five wrong ones."""
    own = ops.secret("grafana_admin_password")
    try:
        ops.grafana.organisation()
    except LoginRefused:
        pass
    else:
        return own == Secret(GRAFANA_DEFAULT), "only this project's own password is taken"
    try:
        ops.grafana_as(GRAFANA_USER, Secret(GRAFANA_DEFAULT)).organisation()
    except LoginRefused as refused:
        return False, refused.message
    return True, "logged in"


@fact()
def strengths(ops: Ops) -> tuple[Strength, ...]:
    """Of every secret that a person or this tool chose; those that are computed of others are as strong as these."""
    names = sorted(name for name, secret in ops.stack.secrets.items() if not secret.derive)
    return tuple(_strength(name, ops.secret(name)) for name in names)


def _strength(name: str, secret: Secret) -> Strength:
    value = secret.reveal()
    return Strength(name, len(value), bits(value))


def bits(value: str) -> float:
    """Shannon's entropy of the value's own letters: a word that repeats itself has little, whatever its length."""
    counts = Counter(value).values()
    return sum(-count * math.log2(count / len(value)) for count in counts)
