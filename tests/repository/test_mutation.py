"""Which modules a change has put to the test, by which tests, and what is made of the outcome."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.mutation.__main__ import chosen, equivalent, function_of, nearest, show, unnoticed
from tests.paths import ROOT
from tests.repository.test_layout import elsewhere, modules

ROOMS = ["tradebot_ops/stack/*.py", "tradebot_ops/units.py"]


def test_files_and_folders_are_chosen_as_far_as_their_room_is_mutated() -> None:
    assert chosen(["README.md", "tradebot_ops/units.py", "tradebot_ops/cli/main.py"], ROOMS) == [
        "tradebot_ops/units.py"
    ]
    found = chosen(["tradebot_ops/stack/reading", "tradebot_ops/stack/plan.py"], ROOMS)
    assert {"tradebot_ops/stack/plan.py", "tradebot_ops/stack/reading/merge.py"} <= set(found)
    assert found == sorted(found)


@pytest.mark.parametrize(
    ("module", "tests"),
    [
        ("tradebot_ops/stack/plan.py", {"tests/stack"}),
        ("tradebot_ops/units.py", {"tests/test_units.py"}),
        ("tradebot_ops/operations/alerts/silences.py", {"tests/operations/alerts"}),
        ("services/worker/sweeper.py", {"tests/services/worker"}),  # the table names a test that needs Postgres
        ("tradebot_ops/stack/reading/ports.py", {"tests/stack/reading", "tests/stack/test_hashing.py"}),
    ],
)
def test_the_nearest_tests_are_those_of_the_room_and_of_the_table(module: str, tests: set[str]) -> None:
    assert nearest(module, elsewhere()) == tests


@pytest.mark.parametrize(
    ("mutant", "function"),
    [
        ("a.b.x_do__mutmut_3", "a.b.do"),
        ("a.b.x__own__mutmut_12", "a.b._own"),
        ("a.b.xǁClassǁdo__mutmut_1", "a.b.Class.do"),
        ("a.b.xǁ_Classǁ_do__mutmut_1", "a.b._Class._do"),
    ],
)
def test_the_function_of_a_mutant(mutant: str, function: str) -> None:
    assert function_of(mutant) == function


@pytest.fixture
def worked(tmp_path: Path) -> Path:
    folder = tmp_path / "mutants" / "a"
    folder.mkdir(parents=True)
    codes = {"a.b.x_do__mutmut_1": 1, "a.b.x_do__mutmut_2": 0, "a.b.x_own__mutmut_1": 33, "a.b.x_own__mutmut_2": 36}
    (folder / "b.py.meta").write_text(json.dumps({"exit_code_by_key": codes}))
    return tmp_path


def test_only_what_the_tests_passed_with_is_unnoticed(worked: Path) -> None:
    """What hung or died was noticed; what no test reaches was not."""
    counts, names = unnoticed(worked)
    assert counts == {"a/b.py": 4}
    assert names == {"a.b.x_do__mutmut_2": "survived", "a.b.x_own__mutmut_1": "no tests"}


def test_what_is_known_to_be_equivalent_is_nothing_left_to_do(
    worked: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shown: list[str] = []
    monkeypatch.setattr(subprocess, "run", lambda words, **_: shown.append(words[-1]))
    monkeypatch.setattr("tests.mutation.__main__.equivalent", lambda: {"a.b.do": "nobody reads it."})
    assert show(worked) is False
    assert shown == ["a.b.x_own__mutmut_1"]
    assert capsys.readouterr().out.splitlines()[:2] == [
        "a/b.py: 2 of 4 noticed (50 %)",
        "known: a.b.do: nobody reads it.",
    ]
    monkeypatch.setattr("tests.mutation.__main__.equivalent", lambda: {"a.b.do": "", "a.b.own": ""})
    assert show(worked) is True


def test_every_function_of_the_list_is_there_and_has_its_reason() -> None:
    for name, reason in equivalent().items():
        module = next(each for each in modules() if name.startswith(f"{each}.") and "." not in name[len(each) + 1 :])
        text = (ROOT / modules()[module]).read_text(encoding="utf-8")
        assert f"def {name.rpartition('.')[2]}(" in text, name
        assert reason.endswith("."), name
