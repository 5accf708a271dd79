"""What GitHub and GitLab run is .ci/run, on every Python that the package says it supports."""

import os
import re
import subprocess
from typing import Any

import pytest
import yaml

from tests.paths import ROOT

GITHUB, GITLAB = ROOT / ".github" / "workflows" / "ci.yml", ROOT / ".gitlab-ci.yml"


def supported() -> list[str]:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    return re.findall(r'"Programming Language :: Python :: (3\.\d+)"', text)


def github() -> dict[str, Any]:
    return dict(yaml.safe_load(GITHUB.read_text(encoding="utf-8"))["jobs"])


def gitlab() -> dict[str, Any]:
    return dict(yaml.safe_load(GITLAB.read_text(encoding="utf-8")))


def test_every_supported_python_is_in_both_matrices() -> None:
    assert supported()[0] == "3.11"
    assert github()["python"]["strategy"]["matrix"]["python"] == supported()
    assert gitlab()["python"]["parallel"]["matrix"] == [{"PYTHON_VERSION": supported()}]


def test_both_run_the_same_two_commands() -> None:
    ours = {"python": ".ci/run unit", "everything": ".ci/run"}
    for name, command in ours.items():
        (run,) = [step["run"] for step in github()[name]["steps"] if "run" in step]
        assert f" {run}".endswith(f" {command}")
        assert gitlab()[name]["script"] == [command]


def test_actions_are_pinned_by_their_major_version() -> None:
    used = [step["uses"] for job in github().values() for step in job["steps"] if "uses" in step]
    assert used
    assert [name for name in used if not re.fullmatch(r"actions/[a-z-]+@v\d+", name)] == []


def test_the_script_is_executable_and_refuses_words_it_does_not_know() -> None:
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
    done = subprocess.run([ROOT / ".ci" / "run", "unitt"], capture_output=True, text=True, timeout=20)
    assert (done.returncode, done.stderr) == (2, f"usage: {ROOT / '.ci' / 'run'} [unit]\n")


@pytest.mark.parametrize("package", ["tradebot_ops", "services"])
def test_the_packages_say_that_they_are_typed(package: str) -> None:
    assert (ROOT / package / "py.typed").is_file()
