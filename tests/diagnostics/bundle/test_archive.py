"""The file comes back as it was written; what was changed since, or is none, is refused."""

import io
import tarfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradebot_ops.diagnostics.bundle import archive
from tradebot_ops.diagnostics.bundle.gather import Gathered, Part
from tradebot_ops.errors import OpsError


def gathered(**files: str) -> Gathered:
    return Gathered(tuple(Part(name, text, len(text)) for name, text in files.items()), (), {"left.txt": "why"})


@given(st.dictionaries(st.text("abcdef", min_size=1), st.text(max_size=50), max_size=5))
def test_it_comes_back(tmp_path_factory: pytest.TempPathFactory, files: dict[str, str]) -> None:
    path = tmp_path_factory.mktemp("bundle") / "b.tar.gz"
    archive.write(path, gathered(**files))
    assert archive.read(path) == {name: text.encode("utf-8", "replace").decode() for name, text in files.items()}


def test_the_same_files_are_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        archive.write(tmp_path / name, gathered(x="1", y="2"))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]


def made(path: Path, members: dict[str, bytes], link: bool = False) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
        if link:
            member = tarfile.TarInfo("bundle/link")
            member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
            tar.addfile(member)
    return path


@pytest.mark.parametrize(
    ("members", "link"),
    [
        ({}, False),
        ({"bundle/manifest.json": b"[]"}, False),
        ({"bundle/manifest.json": b'{"files": {}}', "bundle/more.txt": b"x"}, False),
        ({"bundle/manifest.json": b'{"files": {"gone.txt": {"sha256": "0"}}}'}, False),
        ({"bundle/manifest.json": b'{"files": {"a": {"sha256": "0"}}}', "bundle/a": b"x"}, False),
        ({"bundle/manifest.json": b'{"files": {}}'}, True),
        ({"bundle/manifest.json": b'{"files": {"a": 1}}', "bundle/a": b"\xff"}, False),
    ],
)
def test_what_is_no_bundle_is_refused(tmp_path: Path, members: dict[str, bytes], link: bool) -> None:
    path = made(tmp_path / "b.tar.gz", members, link)
    with pytest.raises(OpsError) as raised:
        archive.read(path)
    assert raised.value.code == "TB-0841"
    assert str(path) in raised.value.message


@pytest.mark.parametrize("content", [b"", b"hello", b"\x1f\x8b\x08 and then nothing"])
def test_so_is_what_is_no_archive(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(OpsError):
        archive.read(tmp_path / "x")
    with pytest.raises(OpsError):
        archive.read(tmp_path / "missing")


def test_one_that_would_fill_the_memory_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MOST", 1000)
    monkeypatch.setattr(archive, "MOST_FILE", 0)
    with pytest.raises(OpsError):
        archive.read(made(tmp_path / "b", {"bundle/manifest.json": b'{"files": {}}', "bundle/a": b"0" * 2000}))
