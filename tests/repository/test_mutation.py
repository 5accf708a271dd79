"""Which modules a change has put to the test, by which tests, and what is made of the outcome."""

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.mutation.__main__ import Unnoticed, chosen, copy, difference, drawn, equivalent, nearest, show, unnoticed
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
        ("tradebot_ops/stack/problems.py", {"tests/stack", "tests/stack/test_refusals.py"}),
    ],
)
def test_the_nearest_tests_are_those_of_the_room_and_of_the_table(module: str, tests: set[str]) -> None:
    assert nearest(module, elsewhere()) == tests


@pytest.mark.parametrize(
    ("tests", "marks"),
    [
        (["tests/services/worker"], "not integration and not docker and not drill"),
        (["tests/integration/services/test_ledger.py", "tests/services/common"], "not docker and not drill"),
    ],
)
def test_what_needs_servers_runs_only_where_it_is_named(
    tests: list[str], marks: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.mutation.__main__._git", lambda *_: ["pyproject.toml"])
    copy(["services/worker/lane.py"], tests, tmp_path)
    table = tomllib.loads((tmp_path / "pyproject.toml").read_text())["tool"]["mutmut"]
    assert (table["only_mutate"], table["pytest_add_cli_args_test_selection"]) == (["services/worker/lane.py"], tests)
    assert table["pytest_add_cli_args"][-2:] == ["-m", marks]


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
    assert Unnoticed(mutant, "a/b.py", "survived").function == function


@pytest.fixture
def worked(tmp_path: Path) -> Path:
    folder = tmp_path / "mutants" / "a"
    folder.mkdir(parents=True)
    codes: dict[str, int | None] = {
        "a.b.x_do__mutmut_1": 1,
        "a.b.x_do__mutmut_2": 0,
        "a.b.x_own__mutmut_1": 33,
        "a.b.x_own__mutmut_2": 36,
    }
    codes |= {"a.b.x_own__mutmut_3": None}
    (folder / "b.py.meta").write_text(json.dumps({"exit_code_by_key": codes}))
    return tmp_path


def test_only_what_the_tests_passed_with_is_unnoticed(worked: Path) -> None:
    """What hung or died was noticed; what no test reaches was not; what was not drawn does not count."""
    counts, left = unnoticed(worked)
    assert counts == {"a/b.py": 4}
    assert left == [
        Unnoticed("a.b.x_do__mutmut_2", "a/b.py", "survived"),
        Unnoticed("a.b.x_own__mutmut_1", "a/b.py", "no tests"),
    ]


def test_a_mutant_counts_for_its_own_module_where_that_is_a_package(worked: Path) -> None:
    """mutmut leaves ``__init__`` out of the names."""
    codes = {"a.x_do__mutmut_1": 0}
    (worked / "mutants" / "a" / "__init__.py.meta").write_text(json.dumps({"exit_code_by_key": codes}))
    assert unnoticed(worked)[1][0] == Unnoticed("a.x_do__mutmut_1", "a/__init__.py", "survived")


def test_what_is_known_to_be_equivalent_is_nothing_left_to_do(
    worked: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tests.mutation.__main__.difference", lambda mutant, _: f"what {mutant.name} changed")
    monkeypatch.setattr("tests.mutation.__main__.equivalent", lambda: {"a.b.do": "nobody reads it."})
    assert show(worked) is False
    assert capsys.readouterr().out.splitlines() == [
        "a/b.py: 2 of 4 noticed (50 %)",
        "known: a.b.do: nobody reads it.",
        "",
        "no tests: a.b.x_own__mutmut_1",
        "what a.b.x_own__mutmut_1 changed",
    ]
    monkeypatch.setattr("tests.mutation.__main__.equivalent", lambda: {"a.b.do": "", "a.b.own": ""})
    assert show(worked) is True


SOURCE = """
def do(it):
    return it + 1


class Kind:
    def own(self, it):
        # The comment stays.
        return it > 2
"""


def test_the_difference_is_the_one_that_mutmut_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mutation = pytest.importorskip("mutmut.mutation.file_mutation")
    data = pytest.importorskip("mutmut.mutation.data")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_text('[tool.mutmut]\nsource_paths = ["a"]\n')
    for folder in ("a", "mutants/a"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "a" / "b.py").write_text(SOURCE)
    every = drawn(tmp_path, ["a/b.py"], 100)
    made = mutation.mutate_file_contents("a/b.py", SOURCE)
    (tmp_path / "mutants" / "a" / "b.py").write_text(made.code)
    data.MutantLineSpans(path="a/b.py", span_by_function_name=made.line_span_by_function_name).save()
    told = data.SourceFileMutationData(path="a/b.py")
    told.exit_code_by_key = {f"a.b.{name}": 0 for name in made.mutant_names}
    told.save()

    _, left = unnoticed(tmp_path)
    assert every == sorted(mutant.name for mutant in left)
    assert set(drawn(tmp_path, ["a/b.py"], 2)) < set(every)
    assert {mutant.function for mutant in left} == {"a.b.do", "a.b.Kind.own"}
    for mutant in {mutant.function: mutant for mutant in left}.values():
        words = [sys.executable, "-m", "mutmut", "show", mutant.name]
        shown = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
        assert shown == f"# {mutant.name}: survived\n{difference(mutant, tmp_path)}\n"


def test_every_function_of_the_list_is_there_and_has_its_reason() -> None:
    for name, reason in equivalent().items():
        module = next(each for each in modules() if name.startswith(f"{each}.") and "." not in name[len(each) + 1 :])
        text = (ROOT / modules()[module]).read_text(encoding="utf-8")
        assert f"def {name.rpartition('.')[2]}(" in text, name
        assert reason.endswith("."), name
