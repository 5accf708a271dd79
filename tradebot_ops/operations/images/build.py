"""Get the stack's images: build its own, pull the others."""

import time
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tradebot_ops.context import Ops
from tradebot_ops.debian.stand_ins import PYTHON
from tradebot_ops.engines.base import ImageFacts
from tradebot_ops.errors import OpsError
from tradebot_ops.model import Report, Section, Table
from tradebot_ops.operations.change import change
from tradebot_ops.operations.images import wheels
from tradebot_ops.operations.images.debian import BASE_ARGUMENT
from tradebot_ops.operations.images.listing import PREFIX, by_image, images_of
from tradebot_ops.operations.select import chosen_services
from tradebot_ops.progress import OnProgress, Phase, ProgressEvent
from tradebot_ops.stack.model import Build, Service
from tradebot_ops.state import cache_root

if TYPE_CHECKING:
    from tradebot_ops.docker.images import Image, Images

PARALLEL = 4


@dataclass(frozen=True)
class Got:
    """One image that was built or pulled; ``fresh`` shows whether it is another one than before."""

    tag: str
    services: tuple[str, ...]
    image: "Image"
    seconds: float
    fresh: bool


def build(ops: Ops, services: Sequence[str], on_progress: OnProgress, *, no_cache: bool = False) -> Report:
    """Build the images of the services that have a `build:`. Raises ``OpsError`` TB-0101 with the build's last lines,
    TB-0207 when none of the named services is built here, TB-0102 on an engine without images."""
    images_of(ops.engine)
    chosen = chosen_services(ops.stack, services)
    if not any(ops.stack.services[name].build for name in chosen):
        raise OpsError(
            f"Nothing to build: {', '.join(chosen)} run images that others made.",
            code="TB-0207",
            hint=f"Fetch them with: tradebot pull {' '.join(chosen)}",
        )
    with change(ops, "build", *services, on_progress=on_progress, lease=False):
        made = make(ops, chosen, on_progress, no_cache=no_cache)
    return _report("Built", made, ())


def make(ops: Ops, names: Collection[str], on_progress: OnProgress, *, no_cache: bool = False) -> list[Got]:
    """Build every image of these services once, however many of them share it; nothing without a `build:`."""
    images = images_of(ops.engine)
    shared = by_image([ops.stack.services[name] for name in names if ops.stack.services[name].build])

    def one(tag: str, users: Sequence[Service]) -> Got:
        started, before = time.monotonic(), images.find(tag)
        image = _build(ops, images, users[0], on_progress, no_cache=no_cache)
        on_progress(ProgressEvent(users[0].name, Phase.DONE, f"built {tag}"))
        fresh = before is None or before.id != image.id
        return Got(tag, tuple(user.name for user in users), image, time.monotonic() - started, fresh)

    with ThreadPoolExecutor(PARALLEL) as pool:
        return list(pool.map(one, shared.keys(), shared.values()))


def supply(ops: Ops, wanted: Collection[str], facts: ImageFacts, on_progress: OnProgress, *, again: bool) -> bool:
    """Before anything is stopped: build what has no image yet, with ``again`` all, and pull the others' missing ones.

    Whether any image was got. What belongs to a profile may stay missing: `up` goes on without it.
    """
    services = [ops.stack.services[name] for name in wanted]
    own = [service.name for service in services if service.build and (again or service.name in facts.missing)]
    others = [each for each in services if not each.build and not each.profiles and each.name in facts.missing]
    built = make(ops, own, on_progress) if own else []
    pulled = _fetch(ops, others, on_progress) if others else []
    return bool(built or pulled)


def _build(ops: Ops, images: "Images", service: Service, on_progress: OnProgress, *, no_cache: bool) -> "Image":
    from tradebot_ops.docker.images import recipe

    described = service.build
    if described is None:
        raise TypeError(f"{service.name} has no build")

    def say(line: str) -> None:
        on_progress(ProgressEvent(service.name, Phase.PREPARING, line))

    args, extra = _offline(ops, images, described, say)
    return images.build(recipe(service.image, described, args=args, extra=extra), say, no_cache=no_cache)


def _offline(ops: Ops, images: "Images", described: Build, say: wheels.Say) -> tuple[dict[str, str], dict[str, Path]]:
    """Where images are made from Debian packages, builds stand on those, too, with packages fetched by this host."""
    wanted = (
        BASE_ARGUMENT in described.dockerfile.read_text(encoding="utf-8") if described.dockerfile.exists() else False
    )
    if not wanted or BASE_ARGUMENT in described.args or images.find(PYTHON) is None:
        return {}, {}
    found = wheels.download(described.context, images.architecture(), cache_root(dict(ops.settings.environ)), say)
    return {BASE_ARGUMENT: PYTHON}, {f"wheels/{name}": path for name, path in found.items()}


def pull(ops: Ops, services: Sequence[str], on_progress: OnProgress) -> Report:
    """Fetch the images that are not made here from their registries.

    Raises ``OpsError`` TB-0826 where none answers, TB-0831 where one refuses.
    """
    images_of(ops.engine)
    shared = by_image([ops.stack.services[name] for name in chosen_services(ops.stack, services)])
    made_here = {tag for tag, users in shared.items() if tag.startswith(PREFIX) or any(user.build for user in users)}
    others = [user for tag, users in shared.items() if tag not in made_here for user in users]
    with change(ops, "pull", *services, on_progress=on_progress, lease=False):
        got = _fetch(ops, others, on_progress)
    skipped = tuple(f"{tag} is made here, not pulled: {_maker(shared[tag])}" for tag in shared if tag in made_here)
    return _report("Pulled", got, skipped)


def _fetch(ops: Ops, services: Sequence[Service], on_progress: OnProgress) -> list[Got]:
    """Pull every image of these services once."""
    images = images_of(ops.engine)
    shared = by_image(services)

    def one(tag: str) -> Got:
        users = tuple(user.name for user in shared[tag])
        started, before = time.monotonic(), images.find(tag)
        image = images.pull(tag, lambda line: on_progress(ProgressEvent(users[0], Phase.PREPARING, line)))
        on_progress(ProgressEvent(users[0], Phase.DONE, f"pulled {tag}"))
        return Got(tag, users, image, time.monotonic() - started, before is None or before.id != image.id)

    with ThreadPoolExecutor(PARALLEL) as pool:
        return list(pool.map(one, shared))


def _maker(users: Sequence[Service]) -> str:
    return "tradebot build" if any(user.build for user in users) else "tradebot images build --from debian"


def _report(verb: str, got: Sequence[Got], besides: Sequence[str]) -> Report:
    changed = [each.tag for each in got if each.fresh]
    lines = [f"{verb} {len(got)} image{'' if len(got) == 1 else 's'}."] if got else ["Nothing to fetch."]
    lines += ["`tradebot up` puts them into force."] if changed else ["No image changed."] if got else []
    rows = tuple(
        (each.tag, ", ".join(each.services), f"{each.image.size / 1e6:.0f} MB", f"{each.seconds:.1f} s", _word(each))
        for each in got
    )
    data = [
        {
            "image": each.tag,
            "services": list(each.services),
            "id": each.image.id,
            "bytes": each.image.size,
            "seconds": round(each.seconds, 3),
            "changed": each.fresh,
        }
        for each in got
    ]
    table = Table(("image", "for", "size", "took", "changed"), rows)
    section = Section(lines=(*lines, *besides), tables=(table,) if rows else ())
    return Report(data={"images": data}, sections=(section,))


def _word(each: Got) -> str:
    return "yes" if each.fresh else "no"
