"""Stand-ins for official images, made from Debian packages where no registry answers."""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from tradebot_ops.context import Ops
from tradebot_ops.debian import debootstrap
from tradebot_ops.debian.mirror import find_mirror
from tradebot_ops.debian.stand_ins import PYTHON, STAND_INS, StandIn
from tradebot_ops.errors import OpsError
from tradebot_ops.model import Report
from tradebot_ops.operations.change import change
from tradebot_ops.operations.images import wheels
from tradebot_ops.operations.images.listing import PREFIX, images_of, made_here, report_of
from tradebot_ops.progress import OnProgress
from tradebot_ops.records import StandInImages
from tradebot_ops.stack.model import Build
from tradebot_ops.stack.source import default_folder
from tradebot_ops.state import cache_root
from tradebot_ops.text.sentences import agreed

if TYPE_CHECKING:
    from tradebot_ops.docker.images import Images

#: (image or step, one line)
Progress = Callable[[str, str], None]

BASE = "tradebot/debian:trixie"
APP = "tradebot/app:latest"
#: The build argument by which the stack's Dockerfile takes another base image.
BASE_ARGUMENT = "PYTHON_IMAGE"
PARALLEL_BUILDS = 4


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
    with change(ops, "images build", *only, on_progress=_as_lines(progress), lease=False):
        made = maker.make(wanted, app=not only or "app" in only)
        choose(ops, [item for item in wanted if item.variable])
    return report_of(made_here(images), (_summary(made, time.monotonic() - started),))


def _as_lines(progress: Progress) -> OnProgress:
    """For a hook of this command, whose progress has no phases."""
    return lambda event: progress(event.service, event.detail or event.phase)


def _summary(made: Sequence[str], seconds: float) -> str:
    if not made:
        return "Every image is up to date."
    return agreed(f"Built {len(made)} images in {seconds:.0f} s, for `tradebot up`.")


def choose(ops: Ops, items: Sequence[StandIn]) -> None:
    """Remember that these take the place of official images, and of which."""
    ops.host_state.store(StandInImages({**ops.stand_ins, **{item.variable: item.tag for item in items}}))


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
                made.append(self._build(APP, self._app(), {BASE_ARGUMENT: PYTHON}, packages.result()))
            return [*made, *(build.result() for build in builds.values())]

    def _outdated(self, tag: str, build: Build) -> bool:
        return self.force or self.images.outdated(tag, build)

    def _build_of(self, folder: str) -> Build:
        context = self.root / "config" / "images" / folder
        return Build(context, context / "Dockerfile")

    def _app(self) -> Build:
        return Build(self.root / "services", self.root / "services" / "Dockerfile")

    def _wheels(self) -> dict[str, Path]:
        found = wheels.download(
            self.root / "services",
            self.images.architecture(),
            cache_root(dict(self.environ)),
            lambda line: self.progress("app", line),
        )
        return {f"wheels/{name}": path for name, path in found.items()}

    def _base(self) -> bool:
        """Make the base image unless it is there; whether it was made."""
        if self.images.find(BASE) is not None and not self.force:
            return False
        debootstrap.require_tools()
        mirror = find_mirror(self.environ)
        with debootstrap.root_archive(mirror, lambda line: self.progress("debian", line)) as archive:
            self.images.import_tar(archive, BASE, ["ENV LANG=C.UTF-8", 'CMD ["bash"]'])
        return True

    def _stand_in(self, item: StandIn) -> str:
        return self._build(item.tag, self._build_of(item.folder), {"BASE": BASE}, {})

    def _build(self, tag: str, build: Build, args: Mapping[str, str], extra: Mapping[str, Path]) -> str:
        from tradebot_ops.docker.images import recipe

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
