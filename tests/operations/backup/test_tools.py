"""Postgres' own tools: how they are called, and what is said when one fails or none is there."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.operations.backup.kit import VERSION, PipingEngine, world
from tests.operations.seen import refusal
from tradebot_ops.context import Ops
from tradebot_ops.engines.base import ExecResult
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.errors import NotRunning, Unsupported
from tradebot_ops.operations.backup.tools import ToolFailed, Tools, tools

HINT = "tradebot logs postgres --tail 50; tradebot diag disk"


@pytest.fixture
def ops(tmp_path: Path) -> Ops:
    return world(tmp_path, "redis", "postgres")


def engine(ops: Ops) -> PipingEngine:
    assert isinstance(ops.engine, PipingEngine)
    return ops.engine


@pytest.fixture
def dump(tmp_path: Path) -> Path:
    (tmp_path / "dump").write_bytes(b"all of it")
    return tmp_path / "dump"


ACTS: dict[str, tuple[Callable[[Tools, Path], None], tuple[str, ...], str]] = {
    "dump": (
        lambda used, file: used.dump("snap", file),
        (
            "pg_dump", "--username=tradebot", "--no-password", "--dbname=tradebot",
            "--format=custom", "--compress=0", "--lock-wait-timeout=15s", "--snapshot=snap",
        ),
        "The database could not be dumped",
    ),
    "read": (
        lambda used, file: used.read(file),
        ("pg_restore", "--file=/dev/null"),
        "The dump cannot be read",
    ),
    "restore": (
        lambda used, file: used.restore(file, "fresh"),
        ("pg_restore", "--username=tradebot", "--no-password", "--dbname=fresh", "--exit-on-error", "--no-owner"),
        "The dump could not be restored",
    ),
    "examine": (
        lambda used, _: used.examine("fresh"),
        (
            "pg_amcheck", "--username=tradebot", "--no-password", "--database=fresh",
            "--install-missing", "--heapallindexed",
        ),
        "The restored database is damaged",
    ),
}  # fmt: skip


@pytest.mark.parametrize("act", ACTS)
def test_each_is_called_beside_its_server_and_says_what_failed(ops: Ops, dump: Path, act: str) -> None:
    do, words, failed = ACTS[act]
    do(tools(ops), dump)
    assert engine(ops).piped_words == [words]
    assert dump.read_bytes() == (b"dump" if act == "dump" else b"all of it")
    assert engine(ops).read == ([b"all of it"] if act in {"read", "restore"} else [])
    engine(ops).ends[words[0]] = ExecResult(1, f"{words[0]}: error: it broke.\n")
    with pytest.raises(ToolFailed) as caught:
        do(tools(ops), dump)
    assert refusal(caught.value) == ("TB-0131", f"{failed}: it broke.", HINT)
    engine(ops).ends[words[0]] = ExecResult(1, "")
    with pytest.raises(ToolFailed, match=rf"^{failed}: {words[0]} gave no reason\.$"):
        do(tools(ops), dump)


@pytest.mark.parametrize(
    ("output", "reason", "detail"),
    [
        ("", "pg_restore gave no reason", ()),
        ("\n  \n", "pg_restore gave no reason", ()),
        ("killed", "killed", ("killed",)),
        ("a: error: b: error: c\nd", "b: error: c", ("a: error: b: error: c", "d")),
        ("1\n2\n\n3\n4\n5\n6\n", "1", ("2", "3", "4", "5", "6")),
    ],
)
def test_the_first_line_is_the_reason_and_the_last_ones_are_kept(
    ops: Ops, dump: Path, output: str, reason: str, detail: tuple[str, ...]
) -> None:
    engine(ops).ends["pg_restore"] = ExecResult(1, output)
    with pytest.raises(ToolFailed) as caught:
        tools(ops).read(dump)
    assert (caught.value.message, caught.value.detail) == (f"The dump cannot be read: {reason}.", detail)


@pytest.mark.parametrize(("output", "major"), [("pg_dump (PostgreSQL) 18.6", 18), ("pg_dump 18.6", 0), ("", 0)])
def test_the_major_version(ops: Ops, monkeypatch: pytest.MonkeyPatch, output: str, major: int) -> None:
    monkeypatch.setattr(ops.engine, "_answers", {VERSION: ExecResult(0, output)})
    assert tools(ops).version() == major


@pytest.mark.parametrize(
    ("environment", "login"),
    [
        ({"POSTGRES_USER": "ana", "POSTGRES_DB": "books"}, ("ana", "books")),
        ({"POSTGRES_USER": "ana"}, ("ana", "ana")),
        ({}, ("postgres", "postgres")),
    ],
)
def test_user_and_database_are_those_of_the_description(
    ops: Ops, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], login: tuple[str, str]
) -> None:
    described: Any = {"postgres": type("Described", (), {"environment": environment})}
    monkeypatch.setitem(vars(ops), "stack", type("Stack", (), {"services": described}))
    used = tools(ops)
    assert (used.user, used.database, used.replica.service) == (*login, "postgres")


def test_without_a_postgres_that_runs_there_are_none(ops: Ops) -> None:
    (replica,) = (each for each in ops.engine.list() if each.service == "postgres")
    ops.engine.stop(replica, 1)
    with pytest.raises(NotRunning) as caught:
        tools(ops)
    assert refusal(caught.value) == ("TB-0535", "Postgres does not run.", "tradebot up")


def test_an_engine_that_cannot_pipe_makes_no_backups(ops: Ops) -> None:
    plain = Ops(ops.settings, StubEngine("demo"), ops.clock)
    with pytest.raises(Unsupported, match="The stub engine makes no backups") as caught:
        tools(plain)
    assert caught.value.hint == "Use --engine local or --engine docker."
