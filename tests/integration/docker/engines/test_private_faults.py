"""Faults that a shared engine must not be put through: each test has an engine of its own."""

import json
import os
import shutil
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.engines.contract import tiny_stack
from tests.engines.docker.parts import on_docker, unique_project
from tests.integration.docker.engines.private import TINY, PrivateEngine, private_engine
from tests.integration.tradebot import Tradebot
from tests.waiting import until
from tradebot_ops.docker.images import Image, recipe
from tradebot_ops.engines.docker.engine import DockerEngine
from tradebot_ops.errors import OpsError
from tradebot_ops.stack.model import Build, Stack

pytestmark = [pytest.mark.integration, pytest.mark.docker]


@pytest.fixture(scope="module")
def engine() -> Iterator[PrivateEngine]:
    """One with room enough; some tests restart it."""
    with private_engine() as made:
        made.import_tiny()
        yield made


@pytest.fixture(scope="module")
def small_disk() -> Iterator[PrivateEngine]:
    with private_engine(size="60m") as made:
        yield made


@pytest.fixture
def small(small_disk: PrivateEngine) -> Iterator[PrivateEngine]:
    """One whose disk has 60 MB; what a test fills it with goes."""
    if TINY not in small_disk.images():
        small_disk.import_tiny()
    yield small_disk
    small_disk.drain()
    small_disk.assert_bare()


def allow(engine: PrivateEngine, tradebot: Tradebot) -> None:
    """Let the one-shot end."""
    (engine.data / "volumes" / f"{tradebot.project}_data" / "_data" / "go").touch()


# The daemon restarted in the middle of `up`


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_an_engine_restarted_in_the_middle_of_up(engine: PrivateEngine, tmp_path: Path, how: signal.Signals) -> None:
    tradebot = engine.project(tmp_path)
    going = tradebot.start("up")
    until(
        lambda: engine.containers().get(f"{tradebot.project}-prepare-1") == "running",
        "the one-shot's start",
        20,
        engine.containers,
    )
    engine.stop(how)
    _, said = going.communicate(timeout=30)
    engine.start()
    assert going.returncode == 4, said
    assert "error TB-0401" in said
    assert "went away while" in said
    assert "then run the command again" in said

    allow(engine, tradebot)
    tradebot.ok("up")
    assert tradebot.states() == {"web-1": "running", "prepare-1": "done", "late-1": "running"}
    tradebot.ok("down", "--volumes", "--yes")
    engine.assert_bare()


# A full disk


def described(folder: Path, lines: str) -> Build:
    folder.mkdir(exist_ok=True)
    (folder / "Dockerfile").write_text(f"FROM {TINY}\n{lines}")
    return Build(folder, folder / "Dockerfile")


@pytest.mark.parametrize(
    "lines",
    [
        "RUN dd if=/dev/zero of=/a bs=1M count=20\nRUN dd if=/dev/zero of=/b bs=1M count=90\n",
        "RUN dd if=/dev/zero of=/a bs=1M count=20\nCOPY big /big\n",
    ],
    ids=["run", "copy"],
)
def test_a_disk_that_fills_up_during_a_build(small: PrivateEngine, tmp_path: Path, lines: str) -> None:
    tag = "tradebot/test-full:1"
    build = described(tmp_path / "app", lines)
    if "COPY" in lines:
        (tmp_path / "app" / "big").write_bytes(os.urandom(25 << 20))
    made = DockerEngine(unique_project(), small.environ(tmp_path)).images
    free = shutil.disk_usage(small.data).free
    with pytest.raises(OpsError, match="disk is full") as caught:
        made.build(recipe(tag, build), lambda _line: None)
    assert (caught.value.code, int(caught.value.exit_code)) == ("TB-0802", 8)
    assert "docker system df" in caught.value.hint
    assert any("o space left on device" in line for line in caught.value.detail)
    assert not any("\x1b" in line for line in caught.value.detail)
    assert small.images() == {TINY}
    assert small.containers() == {}
    assert shutil.disk_usage(small.data).free > free - (1 << 20)


def sleeping(name: str, folder: Path) -> Stack:
    stack = on_docker(tiny_stack(name, folder, 8123, image=TINY))
    return replace(stack, services={**stack.services, "web": replace(stack.services["web"], command=("sleep", "300"))})


def test_a_full_disk_when_a_replica_is_created_or_started(small: PrivateEngine, tmp_path: Path) -> None:
    name = unique_project()
    stack = sleeping(name, tmp_path)
    engine = DockerEngine(name, small.environ(tmp_path))
    engine.prepare(stack, lambda _service, _line: None)
    small.fill()
    with pytest.raises(OpsError, match=f"creating {name}-web-1: Docker's disk is full") as caught:
        engine.apply(stack, "web", 1)
    assert caught.value.code == "TB-0802"
    assert small.containers() == {}

    small.drain()
    engine.apply(stack, "web", 1)
    (found,) = engine.list()
    engine.stop(found, 1)
    small.fill()
    with pytest.raises(OpsError, match="starting web 1: Docker's disk is full") as caught:
        engine.apply(stack, "web", 1)
    assert caught.value.code == "TB-0802"
    # Still full: taking the project down needs no room.
    engine.destroy(None, volumes=True)
    small.assert_bare()


def test_a_full_disk_when_images_are_loaded(small: PrivateEngine, tmp_path: Path) -> None:
    made = DockerEngine(unique_project(), small.environ(tmp_path)).images
    saved = tmp_path / "tiny.tar"
    saved.write_bytes(b"".join(made.save([TINY])))
    made.remove(TINY)
    small.fill()
    with saved.open("rb") as file, pytest.raises(OpsError, match="disk is full") as caught:
        made.load(file)
    assert caught.value.code == "TB-0802"


# No image and no registry


def test_a_missing_image_where_no_registry_answers(engine: PrivateEngine, tmp_path: Path) -> None:
    tradebot = engine.project(tmp_path, "services: {store: {image: 'redis:8.0-bookworm'}}")
    done = tradebot.run("up")
    assert done.returncode == 8, done.stderr
    assert "error TB-0826: The image redis:8.0-bookworm is not on this engine and no registry gave it" in done.stderr
    assert tradebot.suggested("images build --from debian") in done.stderr
    assert engine.containers() == {}
    tradebot.ok("down", "--volumes", "--yes")
    engine.assert_bare()


def test_no_registry_is_asked_for_images_that_tradebot_makes(engine: PrivateEngine, tmp_path: Path) -> None:
    made = DockerEngine(unique_project(), engine.environ(tmp_path)).images
    with pytest.raises(OpsError, match="tradebot/redis:8.0 is not on this engine, and no registry is asked") as caught:
        made.pull("tradebot/redis:8.0", lambda _line: None)
    assert caught.value.code == "TB-0826"
    assert "tradebot images build --from debian" in caught.value.hint


# prune --images


def test_prune_takes_our_own_old_images_and_no_others(engine: PrivateEngine, tmp_path: Path) -> None:
    tradebot = engine.project(tmp_path, "services: {app: {image: 'tradebot/app:2', command: [sleep, '9']}}")
    made = DockerEngine(tradebot.project, engine.environ(tmp_path)).images

    def build(tag: str, content: str, first: str = "") -> Image:
        (tmp_path / "app").mkdir(exist_ok=True)
        (tmp_path / "app" / "content").write_text(content)
        lines = f"{first}FROM {TINY}\nCOPY content /content\n"
        (tmp_path / "app" / "Dockerfile").write_text(lines)
        return made.build(recipe(tag, Build(tmp_path / "app", tmp_path / "app" / "Dockerfile")), lambda _line: None)

    old = build("tradebot/app:1", "an old version")
    stage = f"FROM {TINY} AS stage\nRUN cat /bin/cat >/copy\n"
    replaced = build("tradebot/app:2", "used while it is replaced")
    with engine.api() as api:
        user = api.create_container(replaced.id)["Id"]
        current = build("tradebot/app:2", "the newest", stage)
        api.remove_container(user)
        beside = engine.images() - {TINY, "tradebot/app:1", "tradebot/app:2", replaced.id}
        assert len(beside) == 1, "the stage that is no part of the image"
        # What others have: an image of another name, one without a name, a build of somebody else's.
        engine.import_tiny("other/thing:1", "other/thing:1")
        (tmp_path / "app" / "Dockerfile").write_text(f"FROM {TINY}\nLABEL whose=theirs\n")
        for _ in api.build(path=str(tmp_path / "app"), rm=True, decode=True):
            pass
    others = engine.images() - beside - {"tradebot/app:1", "tradebot/app:2", replaced.id}
    assert len([name for name in others if name.startswith("sha256:")]) == 2

    found = tradebot.json("prune", "--images", "--yes")
    assert engine.images() == others | {"tradebot/app:2"}
    assert made.find("tradebot/app:2") == current
    assert old.tags[0] in json.dumps(found)
    assert tradebot.json("prune", "--images", "--yes") != found
