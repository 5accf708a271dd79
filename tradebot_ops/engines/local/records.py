"""Records of each replica: all that is needed to start it, and to report on it when it is down."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from tradebot_ops.engines.local.layout import Layout
from tradebot_ops.errors import OpsError
from tradebot_ops.private_folder import PrivateFolder
from tradebot_ops.shapes import Shape, ShapeError, fields, flag, listed, named, seconds, text, whole
from tradebot_ops.text.labels import Labelled

_WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 - looked up, not bound


def reachable(listen: str) -> str:
    return _WILDCARDS.get(listen, listen)


@dataclass(frozen=True)
class Record(Labelled):
    """One replica as it was described when it was last applied.

    ``argv`` and ``environ`` hold no secret: services read those from files. ``ports`` maps a port of the service
    to the local one, ``published`` names those the operator may use, ``refers`` the ports of others that it gets, and
    ``hosts`` where those listen elsewhere than on 127.0.0.1.
    ``paths`` maps folders and files as the service knows them to where they are on this host. ``source`` is the hash
    of the code it was started from, empty for programs that others made.
    """

    service: str
    number: int
    spec_hash: str
    content_hash: str
    image: str
    argv: tuple[str, ...]
    environ: Mapping[str, str]
    folder: str
    restart: str
    one_shot: bool
    stop_signal: str
    stop_grace: float
    log_size: int = 10 << 20
    log_files: int = 3
    listen: str = "127.0.0.1"
    ports: Mapping[str, int] = field(default_factory=dict)
    published: tuple[int, ...] = ()
    refers: Mapping[str, int] = field(default_factory=dict)
    hosts: Mapping[str, str] = field(default_factory=dict)
    paths: Mapping[str, str] = field(default_factory=dict)
    source: str = ""
    started: bool = False

    @property
    def reachable(self) -> str:
        """The address under which this host reaches what listens on ``listen``."""
        return reachable(self.listen)

    def same_as(self, other: "Record") -> bool:
        """Whether a process started from either would be the same; contents of mounted files are not compared."""
        return replace(self, started=True, content_hash="") == replace(other, started=True, content_hash="")


_SHAPES: dict[str, Shape[Any]] = {
    **dict.fromkeys(
        ("service", "spec_hash", "content_hash", "image", "folder", "restart", "stop_signal", "listen", "source"), text
    ),
    **dict.fromkeys(("number", "log_size", "log_files"), whole),
    **dict.fromkeys(("one_shot", "started"), flag),
    **dict.fromkeys(("environ", "hosts", "paths"), named(text)),
    **dict.fromkeys(("ports", "refers"), named(whole)),
    "argv": listed(text),
    "published": listed(whole),
    "stop_grace": seconds,
}


class Records:
    """The records of one project, one file each."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._folder = PrivateFolder(layout.records)

    def all(self) -> tuple[Record, ...]:
        """Every record, by service and number; ``OpsError`` TB-0801 when one is damaged."""
        try:
            names = [path.name for path in self._layout.records.iterdir() if not path.name.startswith(".")]
        except (FileNotFoundError, NotADirectoryError):
            return ()
        except PermissionError as error:
            raise OpsError(
                f"The state folder {self._layout.state} belongs to another user.",
                code="TB-0802",
                hint="Run tradebot as the user who started this project, or choose another folder with TRADEBOT_STATE.",
            ) from error
        found = (self._read(name) for name in names)
        return tuple(sorted((r for r in found if r), key=lambda record: (record.service, record.number)))

    def get(self, replica: str) -> Record | None:
        return self._read(f"{replica}.json")

    def put(self, record: Record) -> None:
        self._folder.write_json(f"{record.label}.json", asdict(record))

    def drop(self, replica: str) -> None:
        self._folder.remove(f"{replica}.json")

    def _read(self, name: str) -> Record | None:
        return self._folder.read_as(name, _record)


def _record(content: dict[str, Any]) -> Record | None:
    """None for an empty object. Raises ``ShapeError``, also for a record without a key that has no default."""
    if not content:
        return None
    known = fields(content, _SHAPES)
    try:
        return Record(**known)
    except TypeError as error:
        raise ShapeError(str(error).removeprefix("Record.__init__() ")) from None
