"""Stages and checks are found by themselves, named once, and declared completely."""

import inspect
import sys
from pathlib import Path

import pytest

from tests.prodcheck.kit import make_check, make_stages
from tradebot_ops.cli.registry import COMMANDS
from tradebot_ops.errors import OpsError
from tradebot_ops.prodcheck import stages
from tradebot_ops.prodcheck.catalogue import Selection, catalogue, find
from tradebot_ops.prodcheck.check import Check, Severity, Stage

ALL = [(stage, check) for stage in catalogue() for check in stage.checks]

NEW_STAGE = '''
from tradebot_ops.facts import engine
from tradebot_ops.prodcheck.check import Stage, Verdict, check, passed

STAGE = Stage(11, "NEW", "A new stage", "It is found.")


@check("NEW-01", "It counts", asks=(engine.replicas,), source="a test", anchor="compose.yaml", remedy="tradebot up")
def counts(replicas: object) -> Verdict:
    """Proves that a file is all it takes."""
    return passed("Counted.")
'''


def test_a_stage_that_is_dropped_in_as_one_file_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "new_stage.py").write_text(NEW_STAGE)
    monkeypatch.setattr(stages, "__path__", [*stages.__path__, str(tmp_path)])
    catalogue.cache_clear()
    try:
        stage, check = find("new-01")
        assert (stage.number, check.title) == (11, "It counts")
        assert catalogue()[-1] == stage
    finally:
        catalogue.cache_clear()
        sys.modules.pop("tradebot_ops.prodcheck.stages.new_stage", None)


@pytest.mark.parametrize(("stage", "check"), ALL, ids=[check.id for _, check in ALL])
def test_a_check_is_declared_completely(stage: Stage, check: Check) -> None:
    assert check.id.startswith(f"{stage.prefix}-")
    assert check.title[0].isupper()
    assert not check.title.endswith(".")
    assert check.why.endswith(".")
    assert check.source
    assert check.anchor
    takes = len(inspect.signature(check.judge).parameters)
    assert takes == len(check.asks), f"the judge takes {takes} values and {len(check.asks)} facts are asked"
    known = {each.id for _, each in ALL}
    assert set(check.needs) <= known
    assert check.id not in check.needs


@pytest.mark.parametrize("check", [check for _, check in ALL], ids=[check.id for _, check in ALL])
def test_a_remedy_begins_with_a_command_that_exists(check: Check) -> None:
    """Everything between ``tradebot`` and the first argument is a command of the tree."""
    words = check.remedy.split("; ")[0].split()
    assert words[0] == "tradebot", f"{check.remedy!r} is nothing to type"
    assert words[1] in COMMANDS, f"there is no command {words[1]}"


def test_every_stage_has_its_own_number_and_prefix() -> None:
    found = catalogue()
    assert len({stage.number for stage in found}) == len({stage.prefix for stage in found}) == len(found)
    assert all(stage.promise.endswith(".") for stage in found)


CHECKS = (
    make_check("AAA-01", severity=Severity.CRITICAL),
    make_check("AAA-02", severity=Severity.MINOR),
    make_check("BBB-01"),
)


@pytest.mark.parametrize(
    ("selection", "ids"),
    [
        (Selection(), ["AAA-01", "AAA-02", "BBB-01"]),
        (Selection(stages=["2"]), ["BBB-01"]),
        (Selection(stages=["aaa"]), ["AAA-01", "AAA-02"]),
        (Selection(stages=["1,2"]), ["AAA-01", "AAA-02", "BBB-01"]),
        (Selection(only=["aaa-*"]), ["AAA-01", "AAA-02"]),
        (Selection(only=["AAA-01,BBB-01"]), ["AAA-01", "BBB-01"]),
        (Selection(skip=["AAA-01"]), ["AAA-02", "BBB-01"]),
        (Selection(severity="major+"), ["AAA-01", "BBB-01"]),
        (Selection(severity="critical"), ["AAA-01"]),
    ],
)
def test_checks_are_chosen(selection: Selection, ids: list[str]) -> None:
    assert [check.id for check in selection.choose(make_stages(*CHECKS))] == ids


@pytest.mark.parametrize(
    ("selection", "message", "hint"),
    [
        (Selection(stages=["4"]), "There is no stage '4'.", "The stages are: 1 (AAA), 2 (BBB)."),
        (Selection(only=["AAA-O1"]), "There is no check 'AAA-O1'.", "Did you mean `AAA-01`?"),
        (Selection(skip=["CCC-*"]), "There is no check 'CCC-*'.", "tradebot prod-check list"),
        (Selection(severity="big"), "'big' is not a severity.", "minor+, major+, critical+"),
    ],
)
def test_what_nobody_knows_is_said(selection: Selection, message: str, hint: str) -> None:
    with pytest.raises(OpsError) as caught:
        selection.choose(make_stages(*CHECKS))
    assert (caught.value.message, caught.value.code) == (message, "TB-0230")
    assert hint in caught.value.hint
