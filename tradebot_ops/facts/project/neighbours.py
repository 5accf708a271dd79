"""Other projects of this host that share what must be one project's alone: state, data, secrets, ports."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tradebot_ops.context import Ops
from tradebot_ops.facts.fact import fact
from tradebot_ops.stack.model import MountKind, Stack

#: Derived from others, or the same for whoever chose it.
_SHORTEST = 8
_EXCHANGE = ("exchange", "broker", "binance", "kraken", "coinbase", "bybit", "alpaca")


@dataclass(frozen=True)
class Neighbours:
    """``shared`` says what is shared with whom; ``projects`` were looked at, ``exchange_keys`` compared.

    ``outside`` are data stores that services use and the description does not make: who else does cannot be seen.
    """

    shared: tuple[str, ...]
    projects: tuple[str, ...]
    exchange_keys: int = 0
    outside: tuple[str, ...] = ()


@fact(seconds=15)
def neighbours(ops: Ops) -> Neighbours:
    """Every other project with a state folder beside this one."""
    own = ops.state.folder
    others = [each for each in _folders(ops.host_state.folder) if each.name != own.name]
    shared = [text for other in others for text in _shared(own, other)]
    shared += [f"volume {name}, which is not this project's alone" for name in _external(ops.stack)]
    keys = [name for name in _digests(own) if any(word in name for word in _EXCHANGE)]
    names = tuple(each.name for each in others)
    return Neighbours(tuple(shared), names, len(keys), tuple(_outside(ops.stack)))


def _folders(root: Path) -> list[Path]:
    return sorted(each for each in root.iterdir() if each.is_dir()) if root.is_dir() else []


def _shared(own: Path, other: Path) -> Iterator[str]:
    if own.is_dir() and other.resolve() == own.resolve():
        yield f"state folder with {other.name}"
        return
    for part in ("secrets", "volumes"):
        if (own / part).is_dir() and (own / part).resolve() == (other / part).resolve():
            yield f"folder {part} with {other.name}"
    for volume in _folders(own / "volumes"):
        twin = other / "volumes" / volume.name
        if twin.is_dir() and twin.resolve() == volume.resolve():
            yield f"volume {volume.name} with {other.name}"
    theirs = _digests(other)
    for name, digest in _digests(own).items():
        if theirs.get(name) == digest:
            yield f"secret {name} with {other.name}"


def _digests(project: Path) -> Mapping[str, bytes]:
    """Of secrets: values are compared and go nowhere."""
    folder = project / "secrets"
    found = {}
    for file in sorted(folder.iterdir()) if folder.is_dir() else ():
        try:
            value = file.read_bytes().strip()
        except OSError:  # of another user, or gone meanwhile: nothing that this user could share
            continue
        if len(value) >= _SHORTEST:
            found[file.name] = hashlib.sha256(value).digest()
    return found


def _external(stack: Stack) -> Iterator[str]:
    """Volumes that carry no name of this project, and so are another's, too, as soon as it names them."""
    for key, volume in stack.volumes.items():
        used = any(m.kind is MountKind.VOLUME and m.source == key for s in stack.services.values() for m in s.mounts)
        if used and (volume.external or not volume.name.startswith(stack.project)):
            yield volume.name


def _outside(stack: Stack) -> Iterator[str]:
    for name in ("DATABASE_URL", "REDIS_URL"):
        hosts = {_host(each.environment[name]) for each in stack.services.values() if name in each.environment}
        yield from (f"{name} at {host}" for host in sorted(hosts) if host not in stack.services)


def _host(url: str) -> str:
    from urllib.parse import urlsplit

    return urlsplit(url).hostname or ""
