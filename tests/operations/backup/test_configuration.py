"""The configuration in a backup: settings that were given; unpacked, nothing outside of the folder is written."""

import io
import tarfile
from pathlib import Path

import pytest

from tests.operations.backup.kit import put, shelf, world
from tests.paths import ROOT
from tradebot_ops.backups.shelf import CONFIG
from tradebot_ops.context import Ops
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.errors import OpsError
from tradebot_ops.operations.backup import configuration
from tradebot_ops.settings import load_settings


def packed(ops: Ops, target: Path) -> dict[str, tarfile.TarInfo]:
    configuration.pack(ops, target)
    with tarfile.open(target) as archive:
        return {entry.name: entry for entry in archive}


def test_what_was_given_is_in_it_and_no_default(tmp_path: Path) -> None:
    environ = {"TRADEBOT_STATE": str(tmp_path / "state"), "HOME": str(tmp_path), "LOG_LEVEL": "debug"}
    ops = Ops(load_settings({"project": "demo"}, environ, ROOT), StubEngine("demo"))
    found = packed(ops, tmp_path / "config.tar")
    with tarfile.open(tmp_path / "config.tar") as archive:
        stream = archive.extractfile("settings.env")
        assert stream
        assert [line.partition("=")[0] for line in stream.read().decode().splitlines()] == ["LOG_LEVEL"]
    assert found["settings.env"].mode == 0o600


@pytest.mark.parametrize("name", ["../escaped", "/tmp/escaped", "config/../../escaped"])
def test_nothing_is_written_outside_of_the_folder(tmp_path: Path, name: str) -> None:
    ops = world(tmp_path)
    backup = put(ops)
    name = name.replace("/tmp", str(tmp_path))
    with tarfile.open(backup.folder / CONFIG, "w") as archive:
        for each in (name, "compose.yaml"):
            entry = tarfile.TarInfo(each)
            entry.size = 4
            archive.addfile(entry, io.BytesIO(b"text"))
    assert configuration.unpack(shelf(ops).get("latest"), tmp_path / "new") == ("compose.yaml",)
    assert not (tmp_path / "escaped").exists()


@pytest.mark.parametrize("there", ["nothing", "an empty folder", "a folder with a file", "a plain file"])
def test_only_what_holds_nothing_is_written_into(tmp_path: Path, there: str) -> None:
    ops = world(tmp_path)
    backup = put(ops)
    configuration.pack(ops, backup.folder / CONFIG)
    target = tmp_path / "new"
    if "folder" in there:
        target.mkdir()
    if there == "a folder with a file":
        (target / "mine").write_text("mine")
    if there == "a plain file":
        target.write_text("mine")
    if there in {"a folder with a file", "a plain file"}:
        with pytest.raises(OpsError, match="holds files already; nothing was written") as caught:
            configuration.unpack(backup, target)
        assert caught.value.code == "TB-0925"
        assert backup.id in caught.value.hint
        assert (target / "mine" if target.is_dir() else target).read_text() == "mine"
        return
    assert "settings.env" in configuration.unpack(backup, target)
    assert target.stat().st_mode & 0o077 == 0 or there == "an empty folder"
