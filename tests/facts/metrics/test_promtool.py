"""Words of promtool and amtool about a file that is wrong."""

from pathlib import Path

import pytest

from tradebot_ops.context import Ops
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.facts.metrics import promtool
from tradebot_ops.facts.metrics.promtool import Result, wrong
from tradebot_ops.settings import load_settings

FILE = Path("/etc/am/alertmanager.yml")


@pytest.mark.parametrize(
    ("output", "where", "reason"),
    [
        (
            f"Checking '{FILE}'  FAILED: undefined receiver \"x\" used in route\n\namtool: error: failed",
            "alertmanager.yml",
            'FAILED: undefined receiver "x" used in route',
        ),
        (
            f"Checking '{FILE}'  FAILED: yaml: unmarshal errors:\n  line 3: field nme not found in type config.plain",
            "alertmanager.yml",
            "  line 3: field nme not found in type config.plain",
        ),
        (
            'Checking /etc/p/r.yml\n  FAILED:\n/etc/p/r.yml: 14:9: group "g", rule 1: could not parse',
            "/etc/p/r.yml, line 14",
            '/etc/p/r.yml: 14:9: group "g", rule 1: could not parse',
        ),
    ],
)
def test_the_reason_is_kept(output: str, where: str, reason: str) -> None:
    error = wrong(Result(ok=False, output=output), [FILE])
    assert where in error.message
    assert reason in error.detail
    assert not any(line.startswith("Checking") for line in error.detail)


@pytest.fixture
def ops(tmp_path: Path) -> Ops:
    """A project whose promtool says which file it was given, and that the tests of jobs fail."""
    (tmp_path / "compose.yaml").write_text('services: {prometheus: {image: "none:1"}}\n')
    (tmp_path / "config/prometheus/tests").mkdir(parents=True)
    program = tmp_path / "promtool"
    program.write_text('#!/bin/sh\necho "$@"\n! case "$3" in *jobs_test.yml) ;; *) false ;; esac\n')
    program.chmod(0o755)
    environ = {"HOME": str(tmp_path), "PATH": f"{tmp_path}:/usr/bin:/bin"}
    return Ops(load_settings({"project": "demo"}, environ, tmp_path), StubEngine("demo"))


@pytest.mark.parametrize(("names", "ok"), [(("api", "workers"), True), (("api", "jobs", "workers"), False)])
def test_each_file_of_tests_has_its_own_run_and_one_that_fails_fails_all(
    ops: Ops, tmp_path: Path, names: tuple[str, ...], ok: bool
) -> None:
    files = [tmp_path / f"config/prometheus/tests/{name}_test.yml" for name in names]
    for file in files:
        file.touch()
    result = promtool.test_rules(ops, ())
    assert result == Result(ok, "".join(f"test rules {file}\n" for file in files))


def test_no_tests_at_all_are_no_success(ops: Ops, tmp_path: Path) -> None:
    assert promtool.test_rules(ops, ()) == Result(False, f"There are no tests in {tmp_path}/config/prometheus/tests.\n")
