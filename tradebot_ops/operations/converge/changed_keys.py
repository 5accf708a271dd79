"""Remembers the descriptions that `up` put into force, so that `plan` and `drift` can say which key changed since."""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

from tradebot_ops.context import Ops
from tradebot_ops.engines.base import Replica
from tradebot_ops.records import Descriptions
from tradebot_ops.settings.secrecy import names_secret, without_secrets
from tradebot_ops.settings.secret import SHOWN
from tradebot_ops.stack.keys import keys_of, place_of, written_at
from tradebot_ops.stack.load import tree_of
from tradebot_ops.stack.model import Service, Stack
from tradebot_ops.stack.reading.document import Item

#: Of the digest of a value with a secret: enough to see that it is another one.
_DIGITS = 8
#: Keys that a line for people names; the others are counted.
SHOWN_KEYS = 3
_LONGEST = 60


@dataclass(frozen=True)
class ChangedKey:
    """One key of the compose file: its value before and now, empty for none, and where the new one comes from."""

    key: str
    before: str
    after: str
    origin: str

    def __str__(self) -> str:
        return f"{self.key}: {_short(self.before)} -> {_short(self.after)} ({self.origin})"

    def data(self) -> dict[str, str]:
        return asdict(self)


def remember(ops: Ops, services: Collection[str]) -> None:
    """Note the descriptions in force by now; those that no replica has any more are forgotten."""
    known = ops.state.load(Descriptions).keys
    fresh = [service for name in services if (service := ops.stack.services[name]).spec_hash not in known]
    if not fresh:
        return
    used = {service.spec_hash for service in ops.stack.services.values()} | {r.spec_hash for r in ops.engine.list()}
    kept = {digest: keys for digest, keys in known.items() if digest in used}
    ops.state.store(Descriptions(kept | {service.spec_hash: hidden(ops.stack, service) for service in fresh}))


def hidden(stack: Stack, service: Service) -> dict[str, str]:
    """The keys of a service without secrets; behind a NUL stands what is another one for another secret."""
    return {key: _hidden(key, value) for key, value in keys_of(stack, service).items()}


def _hidden(key: str, value: str) -> str:
    shown = SHOWN if names_secret(key.rpartition(".")[2]) else without_secrets(value)
    if shown == value:
        return value
    # Under a plain locale a path may hold bytes that are no text.
    digest = hashlib.sha256(value.encode(errors="surrogateescape"))
    return f"{shown}\0{digest.hexdigest()[:_DIGITS]}"


def changed_keys(ops: Ops, replicas: Iterable[Replica]) -> dict[str, tuple[ChangedKey, ...]]:
    """All that changed since each spec hash that these replicas have; nothing for one that nobody noted."""
    known = ops.state.load(Descriptions).keys
    services = {found.spec_hash: ops.stack.services[found.service] for found in replicas if found.spec_hash in known}
    if not services:
        return {}
    tree = tree_of(ops.source, ops.variables)
    return {
        digest: tuple(
            ChangedKey(key, before, after, origin(ops, tree, service.name, key))
            for key, before, after in differences(known[digest], hidden(ops.stack, service))
        )
        for digest, service in services.items()
    }


def differences(before: Mapping[str, str], now: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """Keys with their values, by key; of lists only the entries that the other one has not."""
    found = []
    for key in sorted(before.keys() | now.keys()):
        old, new = before.get(key, ""), now.get(key, "")
        if old != new:
            ours, theirs = (value.partition("\0")[0].split("\n") for value in (old, new))
            old_only, new_only = (_without(ours, theirs), _without(theirs, ours))
            # The same entries in another order, or hidden ones: all of them.
            found.append((key, old_only, new_only) if old_only or new_only else (key, _joined(ours), _joined(theirs)))
    return found


def _without(entries: Sequence[str], others: Sequence[str]) -> str:
    return _joined([entry for entry in entries if entry not in others])


def _joined(entries: Iterable[str]) -> str:
    return " ".join(filter(None, entries))


def origin(ops: Ops, tree: Item, service: str, key: str) -> str:
    """``compose.yaml:12``, with the variables that are used there and who set them: ``LOG_LEVEL from .env``."""
    item = place_of(tree, service, key)
    known = ops.settings.stack
    variables = [f"{name} from {known[name].origin}" for name in sorted(item.variables) if name in known]
    return ", ".join([written_at(item, ops.source.folder), *variables])


def sentence(keys: Sequence[ChangedKey]) -> str:
    """The first keys, for people; the others are counted."""
    left = len(keys) - SHOWN_KEYS
    shown = [str(each) for each in keys[:SHOWN_KEYS]]
    return "; ".join([*shown, f"{left} more"] if left > 0 else shown)


def _short(value: str) -> str:
    if not value:
        return "nothing"
    return value if len(value) <= _LONGEST else f"{value[: _LONGEST - 1]}…"
