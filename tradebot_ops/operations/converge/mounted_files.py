"""Remembers the mounted files that `up` put into force, so that `drift` can name the ones edited since."""

from collections.abc import Collection, Mapping

from tradebot_ops.context import Ops
from tradebot_ops.records import MountedFiles
from tradebot_ops.stack.hashing import mounted_files


def remember(ops: Ops, services: Collection[str]) -> None:
    """Note the files behind each content hash in force; what no service of the stack has any more is forgotten."""
    known = dict(ops.state.load(MountedFiles).digests)
    hashes = {service.content_hash: service for service in ops.stack.services.values() if service.content_hash}
    kept = {digest: files for digest, files in known.items() if digest in hashes}
    fresh = {
        digest: mounted_files(ops.stack, service)
        for digest, service in hashes.items()
        if digest not in kept and service.name in services
    }
    if kept | fresh != known:
        ops.state.store(MountedFiles(kept | fresh))


def edited(ops: Ops, service: str, content_hash: str) -> tuple[str, ...]:
    """Files that were edited, added or removed since that content hash was in force; empty when nobody noted it."""
    before = ops.state.load(MountedFiles).digests.get(content_hash)
    if before is None:
        return ()
    return differences(before, mounted_files(ops.stack, ops.stack.services[service]))


def differences(before: Mapping[str, str], now: Mapping[str, str]) -> tuple[str, ...]:
    """Paths with what happened to them, by path: ``/…/rules.yml``, ``/…/new.yml (added)``, ``/…/old.yml (removed)``."""
    found = {path: path for path in before.keys() & now.keys() if before[path] != now[path]}
    found |= {path: f"{path} (added)" for path in now.keys() - before.keys()}
    found |= {path: f"{path} (removed)" for path in before.keys() - now.keys()}
    return tuple(found[path] for path in sorted(found))
