"""Images of the stack on the engine at hand."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tradebot_ops.context import Ops
from tradebot_ops.errors import OpsError
from tradebot_ops.model import Report, Section, Table

if TYPE_CHECKING:
    from tradebot_ops.docker.images import Image, Images
    from tradebot_ops.engines.base import Engine
    from tradebot_ops.stack.model import Service

#: What the names of tradebot's own images begin with.
PREFIX = "tradebot/"


def images_of(engine: "Engine") -> "Images":
    """The images behind an engine. Raises OpsError TB-0102 when it has none, as the local one."""
    found = getattr(engine, "images", None)
    if found is None:
        raise OpsError(
            f"The {engine.name} engine runs programs of this host, so it has no images.",
            code="TB-0102",
            hint="Use Docker: tradebot --engine docker images …",
        )
    images: Images = found
    return images


@dataclass(frozen=True)
class Listed:
    """An image by its name, the services that run it, and what the engine has of it."""

    name: str
    services: tuple[str, ...]
    image: "Image | None"


def by_image(services: Sequence["Service"]) -> dict[str, list["Service"]]:
    """Services by the image they share, in their order."""
    shared: dict[str, list[Service]] = {}
    for service in services:
        shared.setdefault(service.image, []).append(service)
    return shared


def of_stack(ops: Ops) -> list[Listed]:
    """Every image that the stack names, there or not."""
    images = images_of(ops.engine)
    shared = by_image(list(ops.stack.services.values()))
    return [Listed(name, tuple(user.name for user in users), images.find(name)) for name, users in shared.items()]


def made_here(images: "Images") -> list[Listed]:
    """Images that tradebot built on this engine, for this stack or another."""
    return [Listed(tag, (), image) for image in images.list(PREFIX) for tag in image.tags]


def list_images(ops: Ops) -> Report:
    """The images that the stack names, there or not, then what else tradebot made on this engine."""
    named = of_stack(ops)
    others = [each for each in made_here(images_of(ops.engine)) if each.name not in {known.name for known in named}]
    missing = sum(each.image is None for each in named)
    message = (
        f"{missing} of these {'is' if missing == 1 else 'are'} missing: `tradebot up` pulls or builds what it needs."
    )
    return report_of([*named, *others], (message,) if missing else ())


def report_of(found: Sequence[Listed], lines: tuple[str, ...]) -> Report:
    rows = tuple((each.name, *_facts(each.image), ", ".join(each.services)) for each in found)
    table = Table(("IMAGE", "SIZE", "REVISION", "FOR"), rows)
    sections = (Section(lines=lines, tables=(table,) if rows else ()),)
    return Report(data=[_data(each) for each in found], sections=sections)


def _facts(image: "Image | None") -> tuple[str, str]:
    if image is None:
        return "missing", "-"
    return f"{image.size / 1e6:.0f} MB", image.revision[:12] or "-"


def _data(each: Listed) -> dict[str, object]:
    """Without an image its facts are None."""
    image = each.image
    return {
        "image": each.name,
        "services": list(each.services),
        "bytes": image and image.size,
        "revision": image and image.revision,
        "source": image and image.content_hash,
        "id": image and image.id,
    }
