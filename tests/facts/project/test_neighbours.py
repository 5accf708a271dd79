"""What two projects of one host share is found without showing it."""

import shutil
from pathlib import Path

import pytest

from tradebot_ops.context import Ops
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.facts.project import neighbours
from tradebot_ops.settings import load_settings

SECRET = "uK3vX9-pLq82ZrTt"
COMPOSE = "services: {api: {image: app, environment: {REDIS_URL: 'redis://redis:6379/0'}}, redis: {image: r}}\n"


def made(folder: Path, project: str, compose: str = COMPOSE, secret: str = "") -> Ops:
    (folder / "compose.yaml").write_text(compose)
    flags = {"project": project}
    ops = Ops(load_settings(flags, {"TRADEBOT_STATE": str(folder / "state")}, folder), StubEngine(project))
    ops.state.write("secrets/exchange_key", secret or f"{SECRET}-{project}")
    return ops


def test_projects_with_all_of_their_own(tmp_path: Path) -> None:
    one, _two = made(tmp_path, "one"), made(tmp_path, "two")
    found = neighbours.neighbours(one)
    assert (found.shared, found.projects, found.exchange_keys, found.outside) == ((), ("two",), 1, ())


def test_the_same_key_is_found_and_not_shown(tmp_path: Path) -> None:
    one, _two = made(tmp_path, "one", secret=SECRET), made(tmp_path, "two", secret=SECRET)
    found = neighbours.neighbours(one)
    assert found.shared == ("secret exchange_key with two",)
    assert SECRET not in str(found)


@pytest.mark.parametrize(("linked", "said"), [("", "state folder"), ("volumes", "folder volumes")])
def test_a_folder_that_two_projects_use(tmp_path: Path, linked: str, said: str) -> None:
    one, two = made(tmp_path, "one"), made(tmp_path, "two")
    (one.state.folder / "volumes" / "redis-data").mkdir(parents=True)
    target = two.state.folder / linked
    shutil.rmtree(target, ignore_errors=True)
    target.symlink_to(one.state.folder / linked)
    assert f"{said} with two" in neighbours.neighbours(one).shared


def test_a_volume_of_another_name_and_a_store_of_elsewhere(tmp_path: Path) -> None:
    compose = (
        "services:\n  redis: {image: r, volumes: ['data:/data']}\n"
        "  api: {image: app, environment: {DATABASE_URL: 'postgresql://u@db.example:5432/x'}}\n"
        "volumes: {data: {name: everybodys}}\n"
    )
    found = neighbours.neighbours(made(tmp_path, "one", compose))
    assert found.shared == ("volume everybodys, which is not this project's alone",)
    assert found.outside == ("DATABASE_URL at db.example",)
