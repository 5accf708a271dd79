"""tradebot ci on the local engine: real stacks under names of their own, of which nothing is left."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from junitparser import JUnitXml

from tests.integration.tradebot import Tradebot
from tests.paths import ROOT
from tests.waiting import until

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("local-ci"), pytest.mark.timeout(420)]

#: Fails where the machine of the tests has other work, too.
LOAD = {"prod-check.ENG-12"}
BROKEN = """
services:
  idle: {image: "none:1", command: [sleep, "100000"]}
  broken: {image: "none:1", command: ["false"]}
"""


@pytest.fixture
def pipeline(tmp_path: Path) -> Iterator[Tradebot]:
    """A folder as a runner has it after the checkout; whatever a failed test left running is killed."""
    made = Tradebot(tmp_path / "home", "local", tmp_path)
    made.environ["TRADEBOT_FILE"] = str(ROOT / "compose.yaml")
    try:
        yield made
    finally:
        made.kill_processes()


def nothing_is_left(project: Tradebot) -> None:
    assert project.processes() == []
    folder = project.state.parent
    assert [entry.name for entry in folder.glob(f"{project.project}*")] == []


def steps(service: str, text: str) -> list[str]:
    """What the pipeline's shell runs, one script each."""
    document: dict[str, Any] = yaml.safe_load(text)
    if service == "gitlab":
        return ["\n".join(document["prod-check"]["script"])]
    return [step["run"] for step in document["jobs"]["prod-check"]["steps"] if "run" in step]


@pytest.mark.parametrize("service", ["github", "gitlab"])
def test_the_steps_of_a_pipeline_work_in_a_clean_shell(pipeline: Tradebot, service: str) -> None:
    """The shell of a runner: nothing but HOME and PATH, ended by the first failure. pip alone is left out."""
    programs = pipeline.cwd / "bin"
    programs.mkdir()
    (programs / "python").write_text('#!/bin/sh\necho "$@" >>pip.log\n')
    (programs / "tradebot").write_text(f'#!/bin/sh\nexec {sys.executable} -m tradebot_ops -p {pipeline.project} "$@"\n')
    for program in programs.iterdir():
        program.chmod(0o755)
    environ = pipeline.environment() | {"PATH": f"{programs}:{os.environ['PATH']}", "CI": "true"}
    if service == "github":
        environ["GITHUB_STEP_SUMMARY"] = str(pipeline.cwd / "summary.md")
    for script in steps(service, pipeline.ok("ci", "template", service)):
        shell = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]
        done = subprocess.run(shell, cwd=pipeline.cwd, env=environ, capture_output=True, text=True, timeout=280)
        assert done.returncode in {0, 1}, done.stdout + done.stderr
    assert (pipeline.cwd / "pip.log").read_text().startswith("-m pip install tradebot-ops[local]==")
    found = JUnitXml.fromfile(str(pipeline.cwd / "reports" / "prod-check.xml"))
    assert found.tests > 50
    bad = {case.classname for suite in found for case in suite if case.is_failure or case.is_error}
    assert bad <= LOAD
    assert done.returncode == (1 if bad else 0), done.stdout + done.stderr
    if service == "github":
        assert "tradebot prod-check" in (pipeline.cwd / "summary.md").read_text()
    else:
        assert yaml.safe_load((pipeline.cwd / "reports" / "code-quality.json").read_text()) is not None
    nothing_is_left(pipeline)


def test_a_signal_in_the_middle_leaves_nothing_running(pipeline: Tradebot) -> None:
    process = pipeline.start("ci", "run")
    until(
        lambda: any("postgres" in (each.info["name"] or "") for each in pipeline.processes()), "Postgres to start", 60
    )
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=90)
    assert process.returncode == 143, err
    nothing_is_left(pipeline)


def test_a_stack_that_does_not_come_up_is_reported_and_taken_down(pipeline: Tradebot) -> None:
    (pipeline.cwd / "compose.yaml").write_text(BROKEN)
    pipeline.environ["TRADEBOT_FILE"] = str(pipeline.cwd / "compose.yaml")
    done = pipeline.run("ci", "run", "--timeout", "10", "--output-file", "report.xml", "--", "--stage", "SVC")
    assert done.returncode not in {0, 2}, done.stderr
    assert JUnitXml.fromfile(str(pipeline.cwd / "report.xml")).tests > 0
    nothing_is_left(pipeline)
