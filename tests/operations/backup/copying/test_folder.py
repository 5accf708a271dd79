"""A copy in a folder has its name once all of it is on the disk."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.backups.test_shelf import put
from tests.operations.seen import refusal
from tradebot_ops.backups.shelf import SUMS, Backup, Shelf, sha256
from tradebot_ops.errors import OpsError
from tradebot_ops.operations.backup.copying import folder
from tradebot_ops.operations.backup.copying.folder import FolderCopy

NAMES = ("manifest.json", "postgres.dump", SUMS)


@pytest.fixture
def backup(tmp_path: Path) -> Backup:
    return put(Shelf(tmp_path / "backups" / "demo"))


@pytest.fixture
def target(tmp_path: Path, backup: Backup) -> FolderCopy:
    (tmp_path / "usb").mkdir()
    return FolderCopy(tmp_path / "usb", "demo", backup)


def test_it_is_a_backup_there_for_its_owner_alone(target: FolderCopy, backup: Backup) -> None:
    assert target.put(NAMES)
    (there,) = Shelf(target.root / "demo").all()
    assert (there.id, there.damaged_files(), there.manifest) == (backup.id, (), backup.manifest)
    assert {path.stat().st_mode & 0o777 for path in there.folder.iterdir()} == {0o600}
    assert target.sums(NAMES).keys() == set(NAMES)


def test_what_is_there_is_left_alone(target: FolderCopy) -> None:
    target.put(NAMES)
    (target.folder / "postgres.dump").write_bytes(b"rotten")
    assert not target.put(NAMES)
    assert (target.folder / "postgres.dump").read_bytes() == b"rotten"


def test_what_fails_on_the_way_leaves_nothing(target: FolderCopy) -> None:
    with pytest.raises(OpsError) as caught:
        target.put((*NAMES, "missing"))
    assert caught.value.code == "TB-0802"
    assert list((target.root / "demo").iterdir()) == []


def test_what_was_killed_goes_with_the_next(target: FolderCopy) -> None:
    draft = target.folder.with_name(f".{target.folder.name}.unfinished")
    draft.mkdir(parents=True)
    (draft / "half").touch()
    assert target.put(NAMES)
    assert [path.name for path in (target.root / "demo").iterdir()] == [target.folder.name]


def test_a_file_that_is_away_has_no_checksum(target: FolderCopy) -> None:
    target.put(NAMES)
    (target.folder / SUMS).unlink()
    assert target.sums(NAMES).keys() == {"manifest.json", "postgres.dump"}


def test_without_room_nothing_is_written(target: FolderCopy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: SimpleNamespace(free=target.backup.size - 1))
    with pytest.raises(OpsError) as caught:
        target.put(NAMES)
    assert caught.value.code == "TB-0847"
    assert list(target.root.iterdir()) == []


def test_a_disk_that_is_not_mounted_and_the_backups_own_place(tmp_path: Path, backup: Backup) -> None:
    for root in (tmp_path / "not-mounted", tmp_path / "backups"):
        with pytest.raises(OpsError) as caught:
            FolderCopy(root, "demo", backup).check()
        assert caught.value.code == "TB-0276"
    assert not (tmp_path / "not-mounted").exists()


def test_another_disk_is_apart(tmp_path: Path, backup: Backup) -> None:
    assert not FolderCopy(tmp_path, "demo", backup).apart
    other = Path("/dev/shm")
    if not other.is_dir() or other.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("this host has no second file system")
    assert FolderCopy(other, "demo", backup).apart


def test_an_upper_folder_that_is_a_link(tmp_path: Path, target: FolderCopy) -> None:
    link = tmp_path / "link"
    link.symlink_to(target.root)
    assert FolderCopy(link, "demo", target.backup).put(NAMES)
    assert target.folder.is_dir()
    shutil.rmtree(target.root)


def test_each_refusal_says_what_to_do(tmp_path: Path, target: FolderCopy, monkeypatch: pytest.MonkeyPatch) -> None:
    backup, gone = target.backup, tmp_path / "not-mounted"

    def said(act: Callable[[], object]) -> tuple[str, str, str]:
        with pytest.raises(OpsError) as caught:
            act()
        return refusal(caught.value)

    assert said(FolderCopy(gone, "demo", backup).check) == (
        "TB-0276",
        f"{gone} is no folder, so nothing was copied there.",
        f"Mount the disk, or make the folder: mkdir -p '{gone}'",
    )
    own = tmp_path / "backups"
    assert said(FolderCopy(own, "demo", backup).check) == (
        "TB-0276",
        f"{own} is where the backup lies, and a backup is no copy of itself.",
        "Name another disk, or another host: backup@nas:/srv/backups",
    )
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=7 if path == target.root else 10**9))
    assert said(lambda: target.put(NAMES)) == (
        "TB-0847",
        f"{target.root} has 7 B free, and the backup takes {backup.size} B.",
        "Free space there, or name another place.",
    )
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=backup.size))
    assert target.put(NAMES), "as much as it takes is enough"


def test_where_it_lies(target: FolderCopy) -> None:
    assert target.place == f"{target.root}/demo/{target.backup.id}"
    target.check()


def test_what_lies_there_is_on_the_disk_before_it_has_its_name(
    target: FolderCopy, monkeypatch: pytest.MonkeyPatch
) -> None:
    draft = target.folder.with_name(f".{target.backup.id}.unfinished")
    synced: list[tuple[Path, bool]] = []
    monkeypatch.setattr(folder, "sync", lambda path: synced.append((path, target.folder.exists())))
    target.put(NAMES)
    assert synced == [*((draft / name, False) for name in NAMES), (target.folder.parent, True)]
    assert target.folder.stat().st_mode & 0o777 == 0o700


def test_checksums_are_read_from_the_disk_itself(target: FolderCopy, monkeypatch: pytest.MonkeyPatch) -> None:
    target.put(NAMES)
    forgotten: list[tuple[int, int, int]] = []
    monkeypatch.setattr(os, "posix_fadvise", lambda _, *words: forgotten.append(words))
    assert target.sums(NAMES) == {name: sha256(target.folder / name) for name in NAMES}
    assert forgotten == [(0, 0, os.POSIX_FADV_DONTNEED)] * len(NAMES)
