"""Images carried in a file, on a real engine."""

import os
from pathlib import Path

import pytest

from tests.engines.docker.parts import require_docker, unique_project
from tests.integration.docker.rig import api
from tradebot_ops.context import Ops
from tradebot_ops.engines.base import KeepsHistory
from tradebot_ops.errors import OpsError
from tradebot_ops.operations.images import archive, listing
from tradebot_ops.settings import load_settings

pytestmark = [pytest.mark.integration, pytest.mark.docker]

BASE = "tradebot/debian:trixie"


@pytest.fixture
def ops(tmp_path: Path) -> Ops:
    require_docker(BASE)
    return Ops(load_settings({"engine": "docker"}, {**os.environ, "TRADEBOT_STATE": str(tmp_path)}, tmp_path))


@pytest.mark.parametrize("suffix", [".tar", ".tar.gz"])
def test_an_image_survives_being_carried_in_a_file(ops: Ops, tmp_path: Path, suffix: str) -> None:
    repository = f"tradebot/{unique_project()}"
    tag, file = f"{repository}:1", tmp_path / f"images{suffix}"
    with api() as engine:
        engine.tag(BASE, repository, "1")
    try:
        archive.save(ops, file, tags=[tag])
        assert [path.name for path in tmp_path.iterdir()] == [file.name]
        before = listing.images_of(ops.engine).find(tag)
        listing.images_of(ops.engine).remove(tag)
        assert archive.load(ops, file).data == {"tags": [tag]}
        after = listing.images_of(ops.engine).find(tag)
        assert before is not None
        assert after is not None
        assert after.id == before.id
        assert tag in str(listing.list_images(ops).data)
    finally:
        listing.images_of(ops.engine).remove(tag)


def test_what_is_no_archive_is_refused(ops: Ops, tmp_path: Path) -> None:
    file = tmp_path / "notes.tar"
    file.write_text("not an archive at all" * 100)
    with pytest.raises(OpsError) as caught:
        archive.load(ops, file)
    assert caught.value.code == "TB-0840"
    with pytest.raises(OpsError, match="There is no file"):
        archive.load(ops, tmp_path / "gone.tar")


def test_what_is_not_there_cannot_be_saved(ops: Ops, tmp_path: Path) -> None:
    with pytest.raises(OpsError, match="tradebot/never:1 is not on this engine") as caught:
        archive.save(ops, tmp_path / "x.tar", tags=["tradebot/never:1"])
    assert caught.value.code == "TB-0825"
    assert list(tmp_path.iterdir()) == []


def test_the_steps_of_an_image_are_read_and_one_that_is_away_has_none(ops: Ops) -> None:
    assert isinstance(ops.engine, KeepsHistory)
    found = ops.engine.image_history([BASE, "tradebot/never:1"])
    assert list(found) == [BASE]
    assert found[BASE]
