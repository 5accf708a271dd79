"""Images of the stack: made from Debian packages where no registry answers, listed, saved and loaded."""

import contextlib
import shutil
import subprocess
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from tradebot_ops.context import STAND_INS as STAND_INS_FILE
from tradebot_ops.context import Ops
from tradebot_ops.errors import OpsError
from tradebot_ops.mirror import find_mirror
from tradebot_ops.model import Report, Section, Table
from tradebot_ops.operations import debianroot, wheels
from tradebot_ops.stack.model import Build
from tradebot_ops.stack.source import default_folder
from tradebot_ops.state import ProjectState, state_root, writable

if TYPE_CHECKING:
    from tradebot_ops.engines.base import Engine
    from tradebot_ops.engines.docker.images import Image, Images

#: (image or step, one line)
Progress = Callable[[str, str], None]

BASE = "tradebot/debian:trixie"
PYTHON = "tradebot/python:3.13"
APP = "tradebot/app:latest"
PREFIX = "tradebot/"
PARALLEL_BUILDS = 4


@dataclass(frozen=True)
class StandIn:
    """An image made from Debian packages: its folder under ``config/images``, and the variable it is a value of."""

    folder: str
    tag: str
    variable: str = ""


STAND_INS = (
    StandIn("python", PYTHON),
    StandIn("postgres", "tradebot/postgres:17", "POSTGRES_IMAGE"),
    StandIn("redis", "tradebot/redis:8.0", "REDIS_IMAGE"),
    StandIn("prometheus", "tradebot/prometheus:2.53", "PROMETHEUS_IMAGE"),
    StandIn("alertmanager", "tradebot/alertmanager:0.28", "ALERTMANAGER_IMAGE"),
    StandIn("node-exporter", "tradebot/node-exporter:1.9", "NODE_EXPORTER_IMAGE"),
    StandIn("redis-exporter", "tradebot/redis-exporter:1.69", "REDIS_EXPORTER_IMAGE"),
    StandIn("postgres-exporter", "tradebot/postgres-exporter:0.17", "POSTGRES_EXPORTER_IMAGE"),
)


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


def build_from_debian(ops: Ops, progress: Progress, *, only: Collection[str] = (), force: bool = False) -> Report:
    """Build every image but Grafana from Debian packages alone; what is up to date already is left alone.

    ``only`` names folders of ``config/images``, or ``app``. Raises OpsError.
    """
    images = images_of(ops.engine)
    maker = _Maker(images, dict(ops.settings.environ), progress, force=force)
    unknown = set(only) - {item.folder for item in STAND_INS} - {"app"}
    if unknown:
        raise OpsError(
            f"There is no image called {', '.join(sorted(unknown))} to build.",
            code="TB-0208",
            hint=f"Choose from: app, {', '.join(item.folder for item in STAND_INS)}.",
        )
    started = time.monotonic()
    wanted = [item for item in STAND_INS if not only or item.folder in only or (item.tag == PYTHON and "app" in only)]
    made = maker.make(wanted, app=not only or "app" in only)
    _choose(ops, [item for item in wanted if item.variable])
    return _report("images build", images.list(PREFIX), (_summary(made, time.monotonic() - started),))


def _summary(made: Sequence[str], seconds: float) -> str:
    if not made:
        return "Every image is up to date."
    return f"Built {len(made)} images in {seconds:.0f} s. `tradebot up` uses them."


def _choose(ops: Ops, items: Sequence[StandIn]) -> None:
    """Remember that these take the place of official images, and of which."""
    host = ProjectState(state_root(dict(ops.settings.environ)))
    host.write_json(STAND_INS_FILE, ops.stand_ins | {item.variable: item.tag for item in items})


class _Maker:
    """Builds in parallel what does not need one another: wheels beside the base, the app beside the stand-ins."""

    def __init__(self, images: "Images", environ: Mapping[str, str], progress: Progress, *, force: bool) -> None:
        self.images = images
        self.environ = environ
        self.progress = progress
        self.force = force
        self.root = _folder("config/images").parent.parent

    def make(self, items: Sequence[StandIn], *, app: bool) -> list[str]:
        """Returns the tags that were built."""
        todo = [item for item in items if self._outdated(item.tag, self._build_of(item.folder))]
        app_due = app and self._outdated(APP, self._app())
        with ThreadPoolExecutor(PARALLEL_BUILDS) as pool:
            packages = pool.submit(self._wheels) if app_due else None
            made = [BASE] if todo and self._base() else []
            builds = {item.tag: pool.submit(self._stand_in, item) for item in todo}
            if packages is not None:
                if PYTHON in builds:
                    builds[PYTHON].result()
                made.append(self._build(APP, self._app(), {"PYTHON_IMAGE": PYTHON}, packages.result()))
            return [*made, *(build.result() for build in builds.values())]

    def _outdated(self, tag: str, build: Build) -> bool:
        return self.force or self.images.outdated(tag, build)

    def _build_of(self, folder: str) -> Build:
        context = self.root / "config" / "images" / folder
        return Build(context, context / "Dockerfile")

    def _app(self) -> Build:
        return Build(self.root / "services", self.root / "services" / "Dockerfile")

    def _wheels(self) -> dict[str, Path]:
        cache = Path(self.environ.get("XDG_CACHE_HOME") or Path(self.environ.get("HOME", "/root")) / ".cache")
        found = wheels.download(
            self.root / "services",
            self.images.architecture(),
            cache / "tradebot",
            lambda line: self.progress("app", line),
        )
        return {f"wheels/{name}": path for name, path in found.items()}

    def _base(self) -> bool:
        """Make the base image unless it is there; whether it was made."""
        if self.images.find(BASE) is not None and not self.force:
            return False
        debianroot.require_tools()
        mirror = find_mirror(self.environ)
        with debianroot.root_archive(mirror, lambda line: self.progress("debian", line)) as archive:
            self.images.import_tar(archive, BASE, ["ENV LANG=C.UTF-8", 'CMD ["bash"]'])
        return True

    def _stand_in(self, item: StandIn) -> str:
        return self._build(item.tag, self._build_of(item.folder), {"BASE": BASE}, {})

    def _build(self, tag: str, build: Build, args: Mapping[str, str], extra: Mapping[str, Path]) -> str:
        from tradebot_ops.engines.docker.images import recipe

        name = tag.removeprefix(PREFIX).partition(":")[0]
        self.images.build(recipe(tag, build, args=args, extra=extra), lambda line: self.progress(name, line))
        self.progress(name, f"built {tag}")
        return tag


def _folder(name: str) -> Path:
    """A folder of tradebot's own stack: images are made from what ships, whatever stack the user describes."""
    found = default_folder() / name
    if not found.is_dir():
        raise OpsError(
            f"This installation has no {found}.",
            code="TB-0838",
            hint="Install tradebot again: pip install --force-reinstall tradebot-ops",
        )
    return found


def list_images(ops: Ops) -> Report:
    """The images tradebot made on this engine."""
    return _report("images list", images_of(ops.engine).list(PREFIX), ())


def _report(command: str, found: Sequence["Image"], lines: tuple[str, ...]) -> Report:
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


def save(ops: Ops, path: Path, *, tags: Sequence[str] = ()) -> Report:
    """Write images to one file: all of tradebot's unless ``tags`` names some. The suffix decides on compression.

    Raises OpsError TB-0825 when there is nothing to save, TB-0802 when the disk is full.
    """
    images = images_of(ops.engine)
    wanted = tuple(tags) or tuple(tag for image in images.list(PREFIX) for tag in image.tags)
    missing = [tag for tag in wanted if images.find(tag) is None]
    if missing or not wanted:
        raise OpsError(
            f"The images {', '.join(missing)} are not here." if missing else "There are no images to save.",
            code="TB-0825",
            hint="Make them with `tradebot images build --from debian`, or get them with `tradebot pull`.",
        )
    part = path.with_name(f".{path.name}.part")
    try:
        with writable(path), _packing(part, path.suffix) as stream:
            for chunk in images.save(wanted):
                stream.write(chunk)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    line = f"Saved {len(wanted)} images to {path} ({path.stat().st_size / 1e6:.0f} MB)."
    return Report("images save", data={"file": str(path), "tags": list(wanted)}, sections=(Section(lines=(line,)),))


def load(ops: Ops, path: Path) -> Report:
    """Read images from a file that ``save`` or `docker save` wrote; stand-ins among them are used from now on."""
    images = images_of(ops.engine)
    if not path.is_file():
        raise OpsError(f"There is no file {path}.", code="TB-0839", hint="Name the file that `images save` wrote.")
    with _unpacking(path) as stream:
        loaded = images.load(stream)
    _choose(ops, [item for item in STAND_INS if item.variable and item.tag in loaded])
    lines = (f"Loaded {', '.join(loaded)}." if loaded else "The file held no image with a name.",)
    return Report("images load", data={"tags": list(loaded)}, sections=(Section(lines=lines),))


@contextlib.contextmanager
def _packing(path: Path, suffix: str) -> Iterator[IO[bytes]]:
    """A file to write to, through the program that the suffix asks for."""
    with path.open("wb") as file:
        if suffix not in COMPRESSORS:
            yield file
            return
        command = [_program(suffix), *COMPRESSORS[suffix]]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=file) as packer:
            if packer.stdin is None:
                raise RuntimeError("a pipe was asked for")
            yield packer.stdin
            packer.stdin.close()
            if packer.wait() != 0:
                raise OpsError(f"{command[0]} could not write {path}.", code="TB-0802", hint="Is the disk full? df -h")


@contextlib.contextmanager
def _unpacking(path: Path) -> Iterator[IO[bytes]]:
    with path.open("rb") as file:
        if path.suffix not in COMPRESSORS:
            yield file
            return
        with subprocess.Popen([_program(path.suffix), "-dc"], stdin=file, stdout=subprocess.PIPE) as unpacker:
            if unpacker.stdout is None:
                raise RuntimeError("a pipe was asked for")
            yield unpacker.stdout


COMPRESSORS = {".zst": ("-3", "-q", "-c"), ".gz": ("-1", "-c")}


def _program(suffix: str) -> str:
    name = {".zst": "zstd", ".gz": "gzip"}[suffix]
    if shutil.which(name) is None:
        raise OpsError(
            f"Files that end in {suffix} need the program {name}.",
            code="TB-0505",
            hint=f"Type `apt-get install -y {name}`, or use a name that ends in .tar.",
        )
    return name
