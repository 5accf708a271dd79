"""Images of the stack on the engine at hand."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tradebot_ops.context import Ops
from tradebot_ops.errors import OpsError
from tradebot_ops.model import Report, Section, Table

if TYPE_CHECKING:
    from tradebot_ops.engines.base import Engine
    from tradebot_ops.engines.docker.images import Image, Images

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


def list_images(ops: Ops) -> Report:
    """The images tradebot made on this engine."""
    return report_of("images list", images_of(ops.engine).list(PREFIX), ())


def report_of(command: str, found: Sequence["Image"], lines: tuple[str, ...]) -> Report:
    rows = tuple(
        (", ".join(image.tags), f"{image.size / 1e6:.0f} MB", image.revision[:12] or "-", image.id[7:19])
        for image in found
    )
    data = [
        {"tags": list(i.tags), "bytes": i.size, "revision": i.revision, "source": i.content_hash, "id": i.id}
        for i in found
    ]
    nothing = () if found else ("There are none yet. Make them with: tradebot images build --from debian",)
    tables = (Table(("IMAGE", "SIZE", "REVISION", "ID"), rows),) if rows else ()
    return Report(command, data=data, sections=(Section(lines=(*lines, *nothing), tables=tables),))
