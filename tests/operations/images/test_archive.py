"""Images as files: which are carried, what a compressor does to them, and what a failure leaves."""

import gzip
import os
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.operations.images.kit import image, ops_at
from tests.operations.seen import Made, made, refusal, whole
from tradebot_ops.errors import OpsError
from tradebot_ops.operations.images import archive

APP, REDIS, BASE = image("tradebot/app:latest"), image("tradebot/redis:8.0"), image("tradebot/debian:trixie")
PINNED = "store:1@sha256:0123"


@pytest.mark.parametrize("name", ["images.tar", "images.tar.gz"])
def test_what_the_stack_names_and_tradebot_made_is_carried_and_the_rest_is_told(
    tmp_path: Path, name: str, snapshot: SnapshotAssertion
) -> None:
    ops, images = ops_at(tmp_path, APP, BASE, image("busybox:1"))
    report = archive.save(ops, tmp_path / name)
    raw = (tmp_path / name).read_bytes()
    expected = b"<tradebot/app:latest><tradebot/debian:trixie>"
    assert (gzip.decompress(raw) if name.endswith(".gz") else raw) == expected
    assert images.done == [("save", ("tradebot/app:latest", "tradebot/debian:trixie"))]
    assert not list(tmp_path.glob(".*part"))
    assert whole(report).replace(str(tmp_path), "HOME") == snapshot


def test_named_ones_are_all_carried_or_none(tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    pinned = image(PINNED)
    ops, images = ops_at(tmp_path, APP, REDIS, pinned)
    archive.save(ops, tmp_path / "two.tar", tags=["tradebot/redis:8.0"])
    assert images.done == [("save", ("tradebot/redis:8.0",))]
    refused = []
    for tags in (["tradebot/app:latest", "gone:1"], [PINNED, "tradebot/app:latest"], [PINNED, "gone:1"]):
        with pytest.raises(OpsError) as raised:
            archive.save(ops, tmp_path / "none.tar", tags=tags)
        refused.append(refusal(raised.value))
    bare, _ = ops_at(tmp_path)
    with pytest.raises(OpsError) as raised:
        archive.save(bare, tmp_path / "none.tar")
    assert [*refused, refusal(raised.value)] == snapshot
    assert not list(tmp_path.glob("*none*"))


def test_a_file_that_cannot_be_finished_is_not_left_half(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ops, images = ops_at(tmp_path, APP)
    file = tmp_path / "images.tar"
    file.write_text("the one before")

    def full(_: object) -> object:
        yield b"half"
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(images, "save", full)
    with pytest.raises(OpsError, match="the disk is full") as raised:
        archive.save(ops, file)
    assert (raised.value.code, file.read_text()) == ("TB-0802", "the one before")
    assert not list(tmp_path.glob(".*part"))


@pytest.mark.parametrize("name", ["images.tar", "images.tar.gz"])
def test_what_is_loaded_is_used_from_now_on(tmp_path: Path, name: str, snapshot: SnapshotAssertion) -> None:
    ops, images = ops_at(tmp_path, REDIS, APP)
    archive.save(ops, tmp_path / name, tags=["tradebot/redis:8.0", "tradebot/app:latest"])
    other, images = ops_at(tmp_path)
    assert "REDIS_IMAGE" not in other.stand_ins
    report = archive.load(other, tmp_path / name)
    assert images.done == [("load", "<tradebot/redis:8.0><tradebot/app:latest>")]
    again, _ = ops_at(tmp_path)
    assert again.stand_ins == {"REDIS_IMAGE": "tradebot/redis:8.0"}
    assert whole(report) == snapshot


def test_a_file_without_names_and_one_that_is_not_there(tmp_path: Path) -> None:
    ops, _ = ops_at(tmp_path)
    (tmp_path / "empty.tar").touch()
    assert archive.load(ops, tmp_path / "empty.tar").sections[0].lines == ("The file held no image with a name.",)
    with pytest.raises(OpsError) as raised:
        archive.load(ops, tmp_path / "none.tar")
    assert refusal(raised.value) == (
        "TB-0839", f"There is no file {tmp_path}/none.tar.", "Name the file that `images save` wrote.",
    )  # fmt: skip


def test_loading_hinders_nobody_and_is_in_the_audit_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ops, _ = ops_at(tmp_path)
    file = tmp_path / "empty.tar"
    file.touch()
    assert made(monkeypatch, lambda heard: archive.load(ops, file, heard)) == [
        Made(("images load", str(file)), leased=False)
    ]


def test_a_compressor_that_is_not_there_or_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ops, _ = ops_at(tmp_path, APP)
    monkeypatch.setattr("shutil.which", lambda _: None)
    for suffix, program in ((".gz", "gzip"), (".zst", "zstd")):
        with pytest.raises(OpsError) as raised:
            archive.save(ops, tmp_path / f"images{suffix}")
        assert refusal(raised.value) == (
            "TB-0505",
            f"Files that end in {suffix} need the program {program}.",
            f"Type `apt-get install -y {program}`, or use a name that ends in .tar.",
        )
    monkeypatch.setattr(archive, "_program", lambda _: "false")
    monkeypatch.setattr(archive, "COMPRESSORS", {".gz": ()})
    with pytest.raises(OpsError) as raised:
        archive.save(ops, tmp_path / "images.gz")
    assert refusal(raised.value) == (
        "TB-0802", f"false could not write {tmp_path}/.images.gz.part.", "Is the disk full? df -h",
    )  # fmt: skip
    assert not list(tmp_path.glob("*images*"))


def test_a_file_that_is_cut_off_is_told(tmp_path: Path) -> None:
    """The engine sees the end of what could be read, and may be content with that."""
    ops, _ = ops_at(tmp_path, APP)
    file = tmp_path / "images.tar.gz"
    archive.save(ops, file)
    file.write_bytes(file.read_bytes()[:-6])
    with pytest.raises(OpsError) as raised:
        archive.load(ops, file)
    assert refusal(raised.value) == (
        "TB-0848",
        f"gzip could not read the whole of {file}.",
        "Carry it here again: it is cut off, or was made by another program.",
    )


def test_what_the_engine_leaves_of_a_file_is_read_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ops, images = ops_at(tmp_path)
    file = tmp_path / "images.tar.gz"
    file.write_bytes(gzip.compress(os.urandom(1 << 18)))
    monkeypatch.setattr(images, "load", lambda stream: (stream.read(4).hex()[:0] or "a:1",))
    assert archive.load(ops, file).data == {"tags": ["a:1"]}


def test_a_compressor_is_called_as_it_wants(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert archive.COMPRESSORS == {".zst": ("-3", "-q", "-c"), ".gz": ("-1", "-c")}
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}")
    assert [archive._program(suffix) for suffix in archive.COMPRESSORS] == ["zstd", "gzip"]
