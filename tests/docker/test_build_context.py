"""Which files make an image, and when it is older than they are."""

import tarfile
from pathlib import Path

import pytest

from tradebot_ops.docker.build_context import DOCKERFILE, archive, content_hash, marked, revision, source_files
from tradebot_ops.errors import OpsError
from tradebot_ops.stack.model import Build


@pytest.fixture
def build(tmp_path: Path) -> Build:
    context = tmp_path / "app"
    (context / "pkg" / "__pycache__").mkdir(parents=True)
    (context / "pkg" / "main.py").write_text("x = 1\n")
    (context / "pkg" / "__pycache__" / "main.pyc").write_bytes(b"1")
    (context / "notes.md").write_text("not for the image\n")
    (context / ".dockerignore").write_text("# comment\n*.md\n")
    dockerfile = tmp_path / "Dockerfile"
    dockerfile.write_text("FROM scratch\n")
    return Build(context, dockerfile)


def test_ignored_files_and_byte_code_stay_behind(build: Build) -> None:
    names = [name for name, _ in source_files(build)]
    assert names == [".dockerignore", "pkg/main.py", DOCKERFILE]


def test_the_hash_follows_contents_and_nothing_else(build: Build) -> None:
    first = content_hash(build)
    (build.context / "notes.md").write_text("changed\n")
    (build.context / "pkg" / "main.py").touch()
    assert content_hash(build) == first
    (build.context / "pkg" / "main.py").write_text("x = 2\n")
    second = content_hash(build)
    assert second != first
    build.dockerfile.write_text("FROM scratch\nLABEL a=b\n")
    assert content_hash(build) != second


def test_the_archive_has_no_owners_and_no_times(build: Build, tmp_path: Path) -> None:
    wheel = tmp_path / "a.whl"
    wheel.write_bytes(b"w")
    with archive(build, {"wheels/a.whl": wheel}, "tradebot/app:latest") as stream, tarfile.open(fileobj=stream) as tar:
        members = {member.name: member for member in tar}
    assert set(members) == {".dockerignore", "pkg/main.py", DOCKERFILE, "wheels/a.whl"}
    assert {(member.uid, member.uname, member.mtime) for member in members.values()} == {(0, "", 0)}


def test_every_stage_says_for_which_image_it_is_built() -> None:
    lines = "ARG BASE=x\nFROM ${BASE} AS one\nRUN select \\\n FROM nothing\n\nfrom scratch \\\n  AS two\nCOPY a /a"
    label = 'LABEL io.tradebot.built-for="tradebot/app:1"'
    assert marked(lines, "tradebot/app:1").splitlines() == [
        "ARG BASE=x",
        "FROM ${BASE} AS one",
        label,
        "RUN select \\",
        " FROM nothing",
        "",
        "from scratch \\",
        "  AS two",
        label,
        "COPY a /a",
    ]


def test_a_missing_context_is_named(build: Build) -> None:
    with pytest.raises(OpsError, match="does not exist"):
        list(source_files(Build(build.context / "gone", build.dockerfile)))


def test_outside_a_repository_there_is_no_revision(tmp_path: Path) -> None:
    assert revision(tmp_path) == ""
