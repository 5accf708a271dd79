"""Images that a registry has: fetched with progress, or refused with what to do about it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.docker.engines.private import PrivateEngine, private_engine
from tests.integration.docker.engines.registry import ADDRESS, PASSWORD, Registry, logged_in
from tests.integration.tradebot import Tradebot
from tests.programs import program

pytestmark = [pytest.mark.integration, pytest.mark.docker]

IMAGE = "team/store:1"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    program("docker_registry")
    with private_engine(size="60m") as engine:
        yield Registry(engine, tmp_path_factory.mktemp("registry"))


@pytest.fixture(scope="module")
def digest(served: Registry) -> str:
    return served.push(IMAGE)


@pytest.fixture
def registry(served: Registry, digest: str) -> Iterator[Registry]:
    """It has ``IMAGE``, its engine has nothing yet."""
    yield served
    served.engine.drain()
    served.engine.assert_bare()
    served.engine.remove_images()


def project(engine: PrivateEngine, folder: Path, image: str) -> Tradebot:
    return engine.project(
        folder, f"services: {{store: {{image: '{ADDRESS}/{image}', command: [sleep, '300'], init: true}}}}"
    )


@pytest.mark.parametrize("written", ["{image}", "{name}@{digest}", "{image}@{digest}"])
def test_up_fetches_what_is_missing_and_shows_it(registry: Registry, digest: str, tmp_path: Path, written: str) -> None:
    name = written.format(image=IMAGE, name=IMAGE.partition(":")[0], digest=digest)
    tradebot = project(registry.engine, tmp_path, name)
    with registry.serve():
        done = tradebot.run("up")
    assert done.returncode == 0, done.stderr
    assert "Pull complete" in done.stderr
    assert tradebot.states() == {"store-1": "running"}
    # The registry is away by now: nothing is fetched twice.
    assert "Nothing to change" in tradebot.ok("up")
    tradebot.ok("down")


def refused(tradebot: Tradebot) -> str:
    """What `up` says on stderr when it cannot have the image; nothing of it is left then."""
    done = tradebot.run("up")
    assert done.returncode == 8, done.stderr
    assert tradebot.states() == {"store-1": "missing"}
    tradebot.ok("down")
    return done.stderr


def test_a_registry_that_has_no_such_tag(registry: Registry, tmp_path: Path) -> None:
    with registry.serve():
        said = refused(project(registry.engine, tmp_path, "team/store:9"))
    assert f"error TB-0831: The image {ADDRESS}/team/store:9 " in said
    assert "how its name and tag are spelled" in said


def test_a_registry_that_wants_a_login(registry: Registry, tmp_path: Path) -> None:
    tradebot = project(registry.engine, tmp_path, IMAGE)
    with registry.serve(closed=True):
        assert f"docker login {ADDRESS}" in refused(tradebot)
        tradebot.environ["DOCKER_CONFIG"] = logged_in(tmp_path / "docker")
        done = tradebot.run("-vv", "up")
    assert done.returncode == 0, done.stderr
    assert PASSWORD not in done.stdout + done.stderr
    tradebot.ok("down")


def test_a_registry_that_is_away(registry: Registry, tmp_path: Path) -> None:
    assert "error TB-0826: " in refused(project(registry.engine, tmp_path, IMAGE))


def test_a_disk_that_is_full_when_an_image_comes(registry: Registry, tmp_path: Path) -> None:
    registry.engine.fill()
    with registry.serve():
        assert "error TB-0802: Docker's disk is full" in refused(project(registry.engine, tmp_path, IMAGE))


def test_what_others_made_is_listed_and_carried_to_where_no_registry_is(registry: Registry, tmp_path: Path) -> None:
    tradebot, file = project(registry.engine, tmp_path, IMAGE), tmp_path / "images.tar"
    assert tradebot.json("images", "list")[0]["id"] is None
    with registry.serve():
        tradebot.ok("pull")
    assert tradebot.json("images", "list")[0]["id"].startswith("sha256:")
    assert tradebot.json("images", "save", str(file)) == {
        "file": str(file),
        "tags": [f"{ADDRESS}/{IMAGE}"],
        "left": [],
    }
    registry.engine.remove_images()
    tradebot.ok("images", "load", str(file))
    tradebot.ok("up")
    tradebot.ok("down")


def test_a_digest_does_not_survive_a_file_and_that_is_said(registry: Registry, digest: str, tmp_path: Path) -> None:
    tradebot = project(registry.engine, tmp_path, f"team/store@{digest}")
    with registry.serve():
        tradebot.ok("pull")
    done = tradebot.run("images", "save", str(tmp_path / "images.tar"))
    assert done.returncode == 8
    assert "is pinned by a digest" in done.stderr
    assert not (tmp_path / "images.tar").exists()
