"""An engine with images in memory: what it is asked to do is noted, and every image is as big as its name is long."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import pytest

from tradebot_ops.context import Ops
from tradebot_ops.docker.images import Image, Recipe
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.settings import load_settings
from tradebot_ops.stack.model import Build

Say = Callable[[str], None]

COMPOSE = """
services:
  store: {image: "store:1", command: [run]}
  api: {image: "tradebot/app:latest", command: [run], build: {context: app}}
  worker: {image: "tradebot/app:latest", command: [run], build: {context: app}}
  redis: {image: "tradebot/redis:8.0", command: [run]}
  shelf: {image: "store:1", command: [run]}
  grafana: {image: "grafana:12", command: [run], profiles: [monitoring]}
"""


def image(tag: str, version: int = 1, **more: Any) -> Image:
    return Image(f"sha256:{tag}-{version}", (tag,), len(tag) * 1_000_000, "2026-11-28T12:00:00Z", **more)


class FakeImages:
    """``held`` by tag; each build or pull of one in ``fresh`` makes another one of it."""

    def __init__(self, *held: Image) -> None:
        self.held = {each.tags[0]: each for each in held}
        self.fresh: set[str] = set()
        self.done: list[tuple[Any, ...]] = []
        self.old: set[str] = set()

    def find(self, tag: str) -> Image | None:
        return self.held.get(tag)

    def list(self, prefix: str = "") -> tuple[Image, ...]:
        return tuple(each for tag, each in sorted(self.held.items()) if tag.startswith(prefix))

    def architecture(self) -> str:
        return "arm64"

    def outdated(self, tag: str, build: Build) -> bool:
        self.done.append(("outdated", tag, build.context.name, build.dockerfile.name))
        return tag in self.old or tag not in self.held

    def _made(self, tag: str) -> Image:
        if tag in self.fresh or tag not in self.held:
            self.held[tag] = image(tag, 2)
        return self.held[tag]

    def build(self, made: Recipe, say: Say, *, no_cache: bool = False) -> Image:
        say(f"step of {made.tag}")
        extra = {name: path.name for name, path in made.extra.items()}
        self.done.append(("build", made.tag, made.build.context.name, dict(made.args), extra, no_cache))
        return self._made(made.tag)

    def pull(self, tag: str, say: Say) -> Image:
        say(f"layer of {tag}")
        self.done.append(("pull", tag))
        return self._made(tag)

    def import_tar(self, stream: IO[bytes], tag: str, changes: Sequence[str]) -> None:
        self.done.append(("import", stream.read(), tag, *changes))
        self.held[tag] = image(tag)

    def save(self, tags: tuple[str, ...]) -> Iterator[bytes]:
        self.done.append(("save", tags))
        yield from (f"<{tag}>".encode() for tag in tags)

    def load(self, stream: IO[bytes]) -> tuple[str, ...]:
        text = stream.read().decode()
        self.done.append(("load", text))
        return tuple(part.removesuffix(">") for part in text.split("<")[1:])


def ops_at(folder: Path, *held: Image, compose: str = COMPOSE, project: str = "demo") -> tuple[Ops, FakeImages]:
    """With an image for each ``build:``: a Dockerfile that takes another base."""
    (folder / "compose.yaml").write_text(compose)
    (folder / "app").mkdir(exist_ok=True)
    (folder / "app" / "Dockerfile").write_text("ARG PYTHON_IMAGE=python:3.13\nFROM ${PYTHON_IMAGE}\n")
    environ = {"TRADEBOT_STATE": str(folder / "state"), "HOME": str(folder), "XDG_CACHE_HOME": str(folder / "cache")}
    engine, images = StubEngine(project), FakeImages(*held)
    engine.images = images  # type: ignore[attr-defined]
    return Ops(load_settings({"project": project}, environ, folder), engine), images


def unmarked(monkeypatch: pytest.MonkeyPatch) -> None:
    """No image is marked with its source: git would be asked for each."""
    for name in ("content_hash", "revision"):
        monkeypatch.setattr(f"tradebot_ops.docker.images.{name}", lambda _: "")
