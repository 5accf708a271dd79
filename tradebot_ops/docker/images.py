"""Images of one engine: found, pulled, built, saved and loaded, with progress as it goes."""

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from io import IOBase
from pathlib import Path
from typing import IO, Any

from docker.errors import APIError, ImageNotFound

from tradebot_ops.docker.build_context import (
    BUILT_FOR,
    CONTENT_HASH,
    DOCKERFILE,
    REVISION,
    archive,
    content_hash,
    revision,
)
from tradebot_ops.docker.build_log import (
    BUILD_FAILED,
    build_failure,
    build_lines,
    disk_full,
    not_made_yet,
    not_pulled,
    pull_line,
)
from tradebot_ops.docker.client import Client
from tradebot_ops.docker.errors import DISK_FULL
from tradebot_ops.errors import DiskFull, OpsError
from tradebot_ops.stack.model import Build

Say = Callable[[str], None]

#: Images under this name are made on site, from Debian packages or the stack's own source.
OURS = "tradebot/"


@dataclass(frozen=True)
class Image:
    """``size`` is bytes; ``content_hash`` and ``revision`` are empty for images that are not ours."""

    id: str
    tags: tuple[str, ...]
    size: int
    created: str
    content_hash: str = ""
    revision: str = ""


@dataclass(frozen=True)
class Recipe:
    """How one image is built. ``args`` and ``extra`` files do not count as source; labels are stored on it."""

    tag: str
    build: Build
    labels: Mapping[str, str]
    args: Mapping[str, str]
    extra: Mapping[str, Path]


def recipe(
    tag: str,
    build: Build,
    *,
    args: Mapping[str, str] | None = None,
    extra: Mapping[str, Path] | None = None,
) -> Recipe:
    """A recipe labelled with the hash and the revision of its source."""
    labels = {CONTENT_HASH: content_hash(build), REVISION: revision(build.context)}
    return Recipe(tag, build, labels, {**build.args, **(args or {})}, extra or {})


class Images:
    """The images of the engine behind one client."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def find(self, tag: str) -> Image | None:
        """The image with that tag, or None when this engine has none."""
        with self.client.translating_errors(f"looking for the image {tag}", self.client.deadlines.read):
            try:
                return image_of(self.client.reads.inspect_image(tag))  # type: ignore[no-untyped-call]
            except ImageNotFound:
                return None

    def user(self, tag: str) -> str:
        """As whom containers of the image start; empty for root, and where this engine has no such image."""
        with self.client.translating_errors(f"looking for the image {tag}", self.client.deadlines.read):
            try:
                config = self.client.reads.inspect_image(tag)["Config"]  # type: ignore[no-untyped-call]
            except ImageNotFound:
                return ""
        return str((config or {}).get("User") or "")

    def history(self, tag: str) -> tuple[str, ...] | None:
        """The steps that made the image, the last one first; None when this engine has no such image."""
        with self.client.translating_errors(f"reading the history of {tag}", self.client.deadlines.read):
            try:
                steps = self.client.reads.history(tag)  # type: ignore[no-untyped-call]
            except ImageNotFound:
                return None
        return tuple(str(step.get("CreatedBy", "")) for step in steps)

    def list(self, prefix: str = "") -> tuple[Image, ...]:
        """Images with at least one tag that starts with ``prefix``, by tag."""
        with self.client.translating_errors("listing images", self.client.deadlines.read):
            found = [image_of(each) for each in self.client.reads.images()]
        wanted = [image for image in found if any(tag.startswith(prefix) for tag in image.tags)]
        return tuple(sorted(wanted, key=lambda image: image.tags))

    def architecture(self) -> str:
        """The engine's processor in Debian's words, such as ``amd64``."""
        with self.client.translating_errors("asking for its architecture", self.client.deadlines.read):
            return str(self.client.reads.version()["Arch"])

    def outdated(self, tag: str, build: Build) -> bool:
        """Whether the image is missing or was made from other source than lies there now."""
        image = self.find(tag)
        return image is None or image.content_hash != content_hash(build)

    def pull(self, tag: str, say: Say) -> Image:
        """Fetch an image from its registry, by tag, by digest or both.

        Raises OpsError TB-0826 where no registry answers, TB-0831 where it refuses, TB-0802 when Docker's disk is full.
        """
        if tag.startswith(OURS):
            # Whoever has that name on a public registry is not us.
            raise not_made_yet(tag)
        doing = f"pulling {tag}"
        with self.client.translating_errors(doing, self.client.deadlines.transfer):
            try:
                for message in self.client.transfers.pull(tag, stream=True, decode=True):
                    if "error" in message:
                        raise not_pulled(tag, str(message["error"]))
                    if line := pull_line(message):
                        say(line)
            except APIError as error:
                raise not_pulled(tag, str(error.explanation or error)) from error
        image = self.find(tag)
        if image is None:
            raise not_pulled(tag, "the registry sent no image")
        return image

    def build(self, made: Recipe, say: Say, *, no_cache: bool = False) -> Image:
        """Build with the classic builder, which every engine has; OpsError TB-0101 carries the last lines.

        TB-0802 when Docker's disk is full; then what was built until there is removed. After other failures it
        stays: the next attempt goes on from it.
        """
        replaced = self.find(made.tag)
        try:
            image = self._build(made, say, no_cache=no_cache)
        except DiskFull:
            self._discard_unfinished(made.tag)
            raise
        self._forget(replaced, image)
        return image

    def _build(self, made: Recipe, say: Say, *, no_cache: bool) -> Image:
        doing = f"building {made.tag}"
        lines: list[str] = []
        with (
            archive(made.build, made.extra, made.tag) as context,
            self.client.translating_errors(doing, self.client.deadlines.transfer),
        ):
            messages = self.client.transfers.build(
                fileobj=context,
                custom_context=True,
                dockerfile=DOCKERFILE,
                tag=made.tag,
                buildargs=dict(made.args),
                labels={name: value for name, value in made.labels.items() if value},
                target=made.build.target or None,
                network_mode="host",
                nocache=no_cache,
                rm=True,
                forcerm=True,
                decode=True,
            )
            for line in build_lines(messages):
                lines.append(line)
                say(line)
        image = self.find(made.tag) if not (lines and lines[-1].startswith(BUILD_FAILED)) else None
        if image is None:
            raise build_failure(made.tag, lines)
        return image

    def _discard_unfinished(self, tag: str) -> None:
        """Layers without a name that builds of this image left; what cannot go now is for `prune --images`."""
        nameless = {"dangling": True, "label": f"{BUILT_FOR}={tag}"}
        with (
            contextlib.suppress(OpsError),
            self.client.translating_errors("removing what was built", self.client.deadlines.write),
        ):
            for each in self.client.reads.images(filters=nameless):
                with contextlib.suppress(APIError):
                    self.client.writes.remove_image(each["Id"])

    def _forget(self, replaced: Image | None, image: Image) -> None:
        """Half a gigabyte that nobody can name any more; the engine keeps it while a container uses it."""
        if replaced is None or replaced.id == image.id or len(replaced.tags) > 1:
            return
        with self.client.translating_errors("removing the replaced image", self.client.deadlines.write):
            try:
                self.client.writes.remove_image(replaced.id)
            except APIError as error:
                if error.status_code not in {404, 409}:
                    raise

    def import_tar(self, stream: IO[bytes] | Iterable[bytes], tag: str, changes: Sequence[str]) -> Image:
        """Make an image of a root file system; ``changes`` are Dockerfile lines such as ``CMD ["bash"]``."""
        name, _, version = tag.rpartition(":")
        # In pieces: of a file the SDK would send the length, too, and the engine refuses that.
        pieces = iter(partial(stream.read, 1 << 20), b"") if isinstance(stream, IOBase) else stream
        with self.client.translating_errors(f"importing {tag}", self.client.deadlines.transfer):
            self.client.transfers.import_image_from_stream(pieces, repository=name, tag=version, changes=list(changes))
        image = self.find(tag)
        if image is None:
            raise build_failure(tag, ["the engine accepted the file system and shows no image"])
        return image

    def save(self, tags: Sequence[str]) -> Iterator[bytes]:
        """The archive `docker save` writes, layers that several images share once."""
        with self.client.translating_errors(f"saving {', '.join(tags)}", self.client.deadlines.transfer):
            yield from self.client.stream("/images/get", {"names": list(tags)}, endless=True).iter_content(1 << 20)

    def load(self, stream: IO[bytes] | Iterable[bytes]) -> tuple[str, ...]:
        """Read such an archive back; returns the tags. TB-0840 when the engine finds no images in it."""
        with self.client.translating_errors("loading images", self.client.deadlines.transfer):
            messages = list(self.client.transfers.load_image(stream))  # type: ignore[no-untyped-call]
        for message in messages:
            if DISK_FULL in str(message.get("error", "")):
                raise disk_full("the images cannot be loaded", (str(message["error"]),))
            if "error" in message:
                raise OpsError(
                    f"The engine cannot read images from that: {str(message['error']).rstrip('.')}.",
                    code="TB-0840",
                    hint="Give it a file that `tradebot images save` or `docker save` wrote.",
                )
        lines = [str(message.get("stream", "")).strip() for message in messages]
        return tuple(line.partition(": ")[2] or line for line in lines if line)

    def remove(self, tag: str) -> None:
        """Forget a tag, and the image with its last one. A tag that is gone already is fine."""
        with self.client.translating_errors(f"removing the image {tag}", self.client.deadlines.write):
            try:
                self.client.writes.remove_image(tag)
            except ImageNotFound:
                return


def image_of(raw: Mapping[str, Any]) -> Image:
    """From either shape the API has: an inspected image, or one of a list."""
    labels = raw.get("Labels") or (raw.get("Config") or {}).get("Labels") or {}
    return Image(
        id=raw["Id"],
        tags=tuple(sorted(raw.get("RepoTags") or ())),
        size=int(raw.get("Size", 0)),
        created=str(raw.get("Created", "")),
        content_hash=labels.get(CONTENT_HASH, ""),
        revision=labels.get(REVISION, ""),
    )
