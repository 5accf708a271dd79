"""Whatever the screens name is explained in one place, from where it is declared."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Run, engine, no_options_in_force, run  # noqa: F401 - fixtures
from tradebot_ops.context import Ops
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.glossary import lookup
from tradebot_ops.settings import load_settings


@pytest.fixture
def ops_in(tmp_path: Path) -> Callable[[str], Ops]:
    def made(compose: str = "") -> Ops:
        if compose:
            (tmp_path / "compose.yaml").write_text(compose)
        environ = {"HOME": str(tmp_path), "REDIS_MAXMEMORY": "64mb"}
        return Ops(load_settings({}, environ, tmp_path), StubEngine("demo"))

    return made


@pytest.mark.parametrize(
    ("typed", "kind", "text"),
    [
        ("TB-0821", "error", "exit code 8"),
        ("tb-0821", "error", "a port you chose is taken"),
        ("9", "exit code", "TB-0902: it was not confirmed"),
        ("exit  9", "exit code", "refused by a guard"),
        ("0", "exit code", "done"),
        ("api-06", "check", "severity"),
        ("redisdown", "alert", "## Meaning"),
        ("REDIS_MAXMEMORY", "setting", "now: 64mb"),
        ("queue_length", "metric", "worker: gauge: queue: always"),
        ("queue", "topic", "queue.queue."),
        ("redis-full", "cause", "Redis has no memory left."),
        ("sharpe", "figure", "ddof 1"),
    ],
)
def test_a_name_is_explained(ops_in: Callable[[str], Ops], typed: str, kind: str, text: str) -> None:
    data = lookup.explain(ops_in(""), typed).data
    assert isinstance(data, list)
    assert [each["kind"] for each in data] == [kind]
    assert text in data[0]["text"]


def test_every_name_of_every_kind_is_explained(ops_in: Callable[[str], Ops]) -> None:
    ops = ops_in("")
    every, warnings = lookup.known(ops)
    assert warnings == ()
    for kind, names in every:
        assert len(names) >= 10, kind.name
        for name in names:
            assert len(" ".join(kind.explain(ops, name).lines)) > 10, name


def test_a_new_kind_is_one_file() -> None:
    from tradebot_ops.discovery import discover
    from tradebot_ops.glossary import kinds

    names = [kind.name for kind in discover(kinds, "KIND")]
    assert names == sorted(names) == [
        "alert", "cause", "check", "error", "exit code", "figure", "metric", "setting", "topic",
    ]  # fmt: skip


def test_a_stack_that_cannot_be_read_keeps_nobody_from_asking_about_its_error(ops_in: Callable[[str], Ops]) -> None:
    report = lookup.explain(ops_in("services: [wrong"), "TB-0811")
    assert "Error TB-0811" in report.sections[0].lines[0]
    assert any(warning.startswith("No metric is explained: ") for warning in report.warnings)


def test_a_near_miss_is_suggested(run: Run) -> None:  # noqa: F811
    shown = run("explain", "RedisDwn")
    assert shown.exit_code == 2
    assert "Did you mean `RedisDown`?" in shown.stderr
    assert run("explain", "exit", "9").exit_code == 0
    assert json.loads(run("explain", "TB-0902", "--json").stdout)["data"][0]["name"] == "TB-0902"
