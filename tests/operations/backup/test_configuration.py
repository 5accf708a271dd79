"""The configuration in a backup: settings that were given; unpacked, nothing outside of the folder is written."""

import io
import tarfile
from pathlib import Path

import pytest

from tests.operations.backup.kit import put, shelf, world
from tests.operations.seen import refusal
from tests.paths import ROOT
from tradebot_ops.backups.shelf import CONFIG
from tradebot_ops.context import Ops
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.errors import OpsError
from tradebot_ops.operations.backup import configuration
from tradebot_ops.records import DesiredReplicas
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


def test_what_is_packed_is_a_file_of_the_stack_and_no_link(tmp_path: Path) -> None:
    folder = tmp_path / "stack"
    (folder / "config" / "sub").mkdir(parents=True)
    for name in ("compose.yaml", "compose.override.yaml", "config/b.yml", "config/sub/a.yml", "tradebot.toml", "other"):
        (folder / name).write_text(f"# {name}\n")
    (folder / "compose.yaml").write_text("services: {worker: {image: w, x-tradebot: {scalable: true}}}\n")
    (folder / "compose.override.yaml").write_text("services: {}\n")
    (folder / "config" / "link").symlink_to(folder / "other")
    (folder / ".env").write_text("LOG_LEVEL=debug\nSECRET_OF_MINE=hunter2\nAPI_PORT=8011\n")
    environ = {"TRADEBOT_STATE": str(tmp_path / "state"), "HOME": str(tmp_path)}
    ops = Ops(load_settings({"project": "demo"}, environ, folder), StubEngine("demo"))
    ops.state.store(DesiredReplicas({"worker": 5}))
    found = packed(ops, tmp_path / "config.tar")
    assert list(found) == [
        "compose.yaml",
        "compose.override.yaml",
        "config/b.yml",
        "config/sub/a.yml",
        "tradebot.toml",
        "settings.env",
    ]
    assert {(each.uid, each.gid, each.uname, each.gname) for each in found.values()} == {(0, 0, "", "")}
    with tarfile.open(tmp_path / "config.tar", "r:") as archive:  # as it is: not compressed
        text = {name: stream.read().decode() for name in found if (stream := archive.extractfile(name))}
    assert text["config/sub/a.yml"] == "# config/sub/a.yml\n"
    assert text["settings.env"] == "LOG_LEVEL=debug\nAPI_PORT=8011\nWORKER_REPLICAS=5\n"
    assert found["settings.env"].size == len(text["settings.env"])


def test_what_is_unpacked_is_named_in_order_for_its_owner_alone(tmp_path: Path) -> None:
    ops = world(tmp_path)
    backup = put(ops)
    with tarfile.open(backup.folder / CONFIG, "w") as archive:
        for name, kind in (("b", tarfile.REGTYPE), ("dir", tarfile.DIRTYPE), ("to", tarfile.SYMTYPE)):
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = kind, "/etc/passwd"
            archive.addfile(entry)
        entry = tarfile.TarInfo("sub/a")
        entry.size = 4
        archive.addfile(entry, io.BytesIO(b"text"))
    target = tmp_path / "new"
    assert configuration.unpack(backup, target) == ("b", "sub/a")
    assert (target / "sub" / "a").read_bytes() == b"text"
    assert {path.name for path in target.iterdir()} == {"b", "sub"}
    assert {path.stat().st_mode & 0o777 for path in (target, target / "sub")} == {0o700}
    with pytest.raises(OpsError) as caught:
        configuration.unpack(backup, target)
    assert refusal(caught.value) == (
        "TB-0925",
        f"{target} holds files already; nothing was written.",
        f"Name an empty folder: tradebot backup restore {backup.id} --only config --to FOLDER",
    )
