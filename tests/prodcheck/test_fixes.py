"""--fix runs the remedies that are declared safe, of what failed alone, and what was found afterwards counts."""

import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.prodcheck.kit import make_check, make_stages, says
from tradebot_ops.context import Ops
from tradebot_ops.errors import OpsError
from tradebot_ops.model import Level
from tradebot_ops.operations import itself
from tradebot_ops.prodcheck import command, fixes
from tradebot_ops.prodcheck.check import Check
from tradebot_ops.prodcheck.runner import Result, Run, State
from tradebot_ops.prodcheck.waivers import Waivers
from tradebot_ops.settings import load_settings

NOTE = "import os, sys; open(os.environ['NOTES'], 'a').write(' '.join(sys.argv[1:]) + chr(10))"


def make_run(*found: tuple[Check, State]) -> Run:
    (stage,) = make_stages(*(check for check, _ in found))
    results = tuple(Result(stage, check, state, says(Level.FAIL)) for check, state in found)
    return Run(results, datetime(2026, 11, 26, tzinfo=UTC), 1.0, "dev", Waivers({}))


def test_the_fix_of_each_failure_runs_once_and_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    notes = tmp_path / "notes"
    monkeypatch.setattr(itself, "command", lambda settings: [sys.executable, "-c", NOTE])
    ops = Ops(load_settings({}, {"NOTES": str(notes)}, tmp_path))
    start = "tradebot monitoring start"
    done = make_run(
        (make_check("AAA-01", fix=start), State.FAIL),
        (make_check("AAA-02", fix=start), State.ERROR),
        (make_check("AAA-03", fix="tradebot up"), State.WARN),
        (make_check("AAA-04", fix="tradebot down"), State.WAIVED),
        (make_check("AAA-05"), State.FAIL),
    )
    assert fixes.apply(ops, done) == {"AAA-01", "AAA-02"}
    assert notes.read_text() == "monitoring start\n"
    assert capfd.readouterr().err == f"Fix of AAA-01, AAA-02: {start}\n"


def test_the_second_look_replaces_the_first() -> None:
    first, second = make_check("AAA-01"), make_check("AAA-02")
    before = make_run((first, State.FAIL), (second, State.WARN))
    after = make_run((first, State.PASS))
    assert [result.state for result in fixes.merged(before, after).results] == [State.PASS, State.WARN]


def test_offline_and_fix_exclude_each_other(tmp_path: Path) -> None:
    ops = Ops(load_settings({}, {}, tmp_path))
    with pytest.raises(OpsError) as caught:
        command.prod_check(ops, command.Wishes(offline=True, fix=True), lambda ids: lambda *_: None)
    assert caught.value.code == "TB-0237"
