"""Files of one user alone, replaced whole: private, durable, left alone when nothing changes, honest about damage."""

import errno
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tradebot_ops.errors import ExitCode, OpsError
from tradebot_ops.private_folder import PrivateFolder, overwrite, write_lines


def test_files_and_folders_are_private(tmp_path: Path) -> None:
    path = PrivateFolder(tmp_path / "p").write("secrets/token", "x")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [stat.S_IMODE(folder.stat().st_mode) for folder in (tmp_path / "p", path.parent)] == [0o700, 0o700]
    assert [entry.name for entry in path.parent.iterdir()] == ["token"]


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths handed to fsync so far, in order."""
    paths: list[str] = []
    real = os.fsync

    def noting(handle: int) -> None:
        paths.append(str(Path(f"/proc/self/fd/{handle}").readlink()))
        real(handle)

    monkeypatch.setattr(os, "fsync", noting)
    return paths


def test_content_is_on_the_disk_before_its_name_and_the_name_before_write_returns(
    tmp_path: Path, synced: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    replace = Path.replace

    def renaming(old: Path, new: Path) -> Path:
        synced.append("renamed")
        return replace(old, new)

    monkeypatch.setattr(Path, "replace", renaming)
    PrivateFolder(tmp_path).write("a", "b")
    assert synced[0].startswith(f"{tmp_path}/.a.")
    assert synced[1:] == ["renamed", str(tmp_path)]


def test_what_a_file_holds_already_is_not_written_again(tmp_path: Path, synced: list[str]) -> None:
    folder = PrivateFolder(tmp_path)
    path = folder.write("a", "b")
    before = path.stat()
    synced.clear()
    folder.write("a", "b")
    assert (synced, path.stat().st_ino) == ([], before.st_ino)


@pytest.mark.parametrize(("text", "mode"), [("c", 0o600), ("b", 0o444)])
def test_another_content_or_mode_is_written(tmp_path: Path, text: str, mode: int) -> None:
    folder = PrivateFolder(tmp_path)
    folder.write("a", "b")
    path = folder.write("a", text, mode)
    assert (path.read_text(), stat.S_IMODE(path.stat().st_mode)) == (text, mode)


def test_a_disk_that_fills_up_keeps_the_old_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some file systems notice only at fsync that there is no space."""
    folder = PrivateFolder(tmp_path)
    folder.write("a", "old")

    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OpsError, match="the disk is full") as raised:
        folder.write("a", "new")
    assert raised.value.code == "TB-0802"
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("a", "old")]


def test_a_folder_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(OpsError, match="Cannot write") as raised:
        PrivateFolder(tmp_path / "file" / "project").write("a", "b")
    assert raised.value.exit_code == ExitCode.CONFIG_INVALID


def test_removing_what_is_not_there_is_no_error(tmp_path: Path) -> None:
    folder = PrivateFolder(tmp_path)
    folder.write("a", "b")
    folder.remove("a")
    folder.remove("a")
    PrivateFolder(tmp_path / "never made").remove("a")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("content", [b'{"replicas": ', b"[1, 2]", b"\xff\xfe", b"[" * 100_000, b""])
def test_a_damaged_file_is_named_and_kept(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "desired.json").write_bytes(content)
    with pytest.raises(OpsError, match=r"desired\.json") as raised:
        PrivateFolder(tmp_path).read_as("desired.json", dict)
    assert (raised.value.code, raised.value.exit_code) == ("TB-0801", ExitCode.CONFIG_INVALID)
    assert raised.value.hint.endswith(f"mv '{tmp_path}/desired.json' '{tmp_path}/desired.json.damaged'")
    assert (tmp_path / "desired.json").read_bytes() == content


@pytest.mark.parametrize("error", [KeyboardInterrupt(), MemoryError(), ValueError("a line that cannot be made")])
def test_whatever_ends_a_write_leaves_no_temporary_file(tmp_path: Path, error: BaseException) -> None:
    def lines() -> Iterator[str]:
        yield "one"
        raise error

    (tmp_path / "a").write_text("old")
    with pytest.raises(type(error)):
        write_lines(tmp_path / "a", lines())
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("a", "old")]
    assert write_lines(tmp_path / "a", ["one", "two"]) == 2
    assert (tmp_path / "a").read_text() == "one\ntwo\n"
    with pytest.raises(OpsError, match="does not exist"):
        write_lines(tmp_path / "gone" / "a", [])


@pytest.mark.parametrize("text", ["as long", "x", "much longer than before"])
def test_a_file_that_is_overwritten_stays_the_same_file(tmp_path: Path, text: str) -> None:
    """As one that is mounted by itself has to."""
    path = tmp_path / "secret"
    path.write_text("the old")
    path.chmod(0o444)
    before = path.stat().st_ino
    overwrite(path, text)
    assert path.read_text() == text
    assert (path.stat().st_ino, stat.S_IMODE(path.stat().st_mode)) == (before, 0o444)


def test_a_reader_finds_the_old_content_or_the_new(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "secret"
    path.write_text("a-long-old-one")
    seen: list[str] = []
    for name in ("pwrite", "ftruncate", "fsync"):
        real = getattr(os, name)

        def looked(*words: object, real: Callable[..., object] = real) -> object:
            try:
                return real(*words)
            finally:
                seen.append(path.read_text().strip())

        monkeypatch.setattr(os, name, looked)
    overwrite(path, "new")
    assert seen == ["new", "new", "new"]


def test_a_file_that_cannot_be_read_is_one_sentence_and_no_empty_one(tmp_path: Path) -> None:
    (tmp_path / "x.json").mkdir()
    with pytest.raises(OpsError, match="cannot be read: Is a directory") as caught:
        PrivateFolder(tmp_path).read_as("x.json", dict)
    assert caught.value.code == "TB-0801"


def test_what_is_not_there_cannot_be_overwritten(tmp_path: Path) -> None:
    with pytest.raises(OpsError, match="Cannot write .*: No such file") as caught:
        overwrite(tmp_path / "gone", "x")
    assert caught.value.code == "TB-0802"
