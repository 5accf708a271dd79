"""Whether a secret shows where it must not: in logs, on metrics and health pages, in settings, on command lines.

Values are compared here and go nowhere: a leak is reported by its secret's name and its place.
"""

import base64
import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import quote, quote_plus

from tradebot_ops.clients import probe
from tradebot_ops.context import Ops
from tradebot_ops.engines.base import Replica, State
from tradebot_ops.engines.inspection import Inspected
from tradebot_ops.errors import OpsError
from tradebot_ops.facts import engine
from tradebot_ops.facts.fact import fact
from tradebot_ops.facts.replicas import containers, logs
from tradebot_ops.facts.replicas.logs import Entry

#: A shorter word is found anywhere; that it is weak is reported elsewhere.
SHORTEST = 8


@dataclass(frozen=True)
class Leak:
    """``how`` it is written: plain, or the name of an encoding."""

    secret: str
    place: str
    how: str
    count: int


@dataclass(frozen=True)
class Searched:
    """``places`` with the number of lines in each, ``secrets`` by name; ``too_short`` were not searched for.

    ``unread`` are the pages that gave no answer.
    """

    leaks: tuple[Leak, ...]
    places: Mapping[str, int]
    secrets: tuple[str, ...]
    too_short: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()


@fact(seconds=30, of=(engine.replicas, containers.inspected, logs.recent))
def searched(
    ops: Ops,
    replicas: tuple[Replica, ...],
    inspected: tuple[Inspected, ...],
    recent: Mapping[str, tuple[Entry, ...]],
) -> Searched:
    values = dict(_values(ops))
    forms = {name: dict(_forms(value)) for name, value in values.items() if len(value) >= SHORTEST}
    places = {f"{label} log": "\n".join(entry.text for entry in entries) for label, entries in recent.items()}
    pages = dict(_pages(ops, replicas))
    places |= {page: text for page, text in pages.items() if text}
    unread = tuple(page for page, text in pages.items() if text is None)
    places |= {f"{each.label} command line": " ".join(each.command) for each in inspected}
    places["tradebot config show"] = "\n".join(f"{name}={value.text}" for name, value in ops.settings.stack.items())
    found = [leak for place, text in places.items() for leak in _found(forms, place, text)]
    short = tuple(sorted(values.keys() - forms.keys()))
    lines = {place: text.count("\n") + 1 for place, text in places.items()}
    return Searched(tuple(found), lines, tuple(forms), short, unread)


def _values(ops: Ops) -> Iterator[tuple[str, str]]:
    """Those of the stack, and those that channels of alerts brought; what is computed of others is no new one."""
    derived = {name for name, secret in ops.stack.secrets.items() if secret.derive}
    brought = {file.name for file in ops.state.secrets.iterdir()} if ops.state.secrets.is_dir() else set()
    for name in sorted((ops.stack.secrets.keys() | brought) - derived):
        yield name, ops.secret(name).reveal()


def _forms(value: str) -> Iterator[tuple[str, str]]:
    """The value as it is, and as URLs, JSON and basic authentication write it."""
    plain = {value}
    for how, form in (
        ("URL", quote(value, safe="")),
        ("form", quote_plus(value)),
        ("JSON", json.dumps(value)[1:-1]),
        *((f"base64 {shift}", part) for shift in range(3) for part in _base64(value.encode(), shift)),
    ):
        if form not in plain:
            plain.add(form)
            yield form, how
    yield value, "plain"


def _base64(value: bytes, shift: int) -> set[str]:
    """The letters of any base64 text that has ``shift`` bytes (modulo three) before the value, and any after it."""
    first, last = -(-8 * shift // 6), 8 * (shift + len(value)) // 6
    padded = bytes(shift) + value
    return {encode(padded).decode()[first:last] for encode in (base64.b64encode, base64.urlsafe_b64encode)}


def _found(forms: Mapping[str, Mapping[str, str]], place: str, text: str) -> Iterator[Leak]:
    for secret, written in forms.items():
        for form, how in written.items():
            if count := text.count(form):
                yield Leak(secret, place, how.partition(" ")[0], count)


def _pages(ops: Ops, replicas: tuple[Replica, ...]) -> Iterator[tuple[str, str | None]]:
    """Pages that anybody may read who reaches them, of every running replica that answers to HTTP."""
    wanted = [
        (each, service.probe.port, path)
        for each in replicas
        if each.state is State.RUNNING
        and (service := ops.stack.services.get(each.service))
        and service.probe
        and service.probe.protocol in {"http", "https"}
        for path in ("/metrics", "/health")
    ]
    with ThreadPoolExecutor(8) as pool:
        pages = pool.map(lambda one: _page(ops, *one), wanted)
    yield from ((f"{each.label} {path}", text) for (each, _, path), text in zip(wanted, pages, strict=True))


def _page(ops: Ops, replica: Replica, port: int, path: str) -> str | None:
    """Empty where there is no such page, or not for strangers; None where nothing answers."""
    try:
        address = ops.engine.endpoint(replica.service, port, replica.number)
        status, text = probe.page(address.host, address.port, path, trust=ops.trust(replica.service))
    except OpsError:
        return None
    return text if status in {200, 503} else ""
