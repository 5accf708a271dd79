"""prod-check on a real stack: what it mends, two at once, and a store that takes nothing."""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from tests.integration.local.test_monitoring import stack  # noqa: F401 - a fixture
from tests.integration.tradebot import Tradebot
from tradebot_ops.facts.project.last_check import FILE

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("local-prod-check"), pytest.mark.timeout(600)]

#: How busy the host is with other work at this moment is no fault of the stack.
WHOLE = ("prod-check", "--env", "dev", "--skip", "ENG-12", "--json")
FINE = {"pass", "warn", "skip", "waived"}


def checks(done: "CompletedProcess[str]") -> dict[str, dict[str, Any]]:
    assert "Traceback" not in done.stderr, done.stderr
    return {each["id"]: each for each in json.loads(done.stdout)["data"]["checks"]}


def bad(found: dict[str, dict[str, Any]]) -> dict[str, str]:
    return {id_: f"{each['message']} {each['observed']}" for id_, each in found.items() if each["state"] not in FINE}


def test_fix_mends_what_is_safe_shows_it_first_and_leaves_the_rest(stack: Tradebot) -> None:  # noqa: F811
    words = ("prod-check", "--env", "dev", "--only", "MON-01,SVC-01", "--json")
    stack.ok("stop", "alertmanager", "worker")
    try:
        assert set(bad(checks(stack.run(*words)))) == {"MON-01", "SVC-01"}
        fixed = stack.run(*words, "--fix")
        found = checks(fixed)
        assert set(bad(found)) == {"SVC-01"}, "to start workers again is for whoever stopped them to decide"
        assert fixed.returncode == 1
        lines = fixed.stderr.splitlines()
        (shown,) = [number for number, line in enumerate(lines) if line.startswith("Fix of ")]
        assert lines[shown] == "Fix of MON-01: tradebot monitoring start"
        assert "FAIL   MON-01" in lines[shown - 1] or any("FAIL   MON-01" in line for line in lines[:shown])
        assert any("MON-01" in line for line in lines[shown + 1 :]), "it looks again afterwards"
        assert stack.states()["alertmanager-1"] == "ready"
        assert stack.states()["worker-1"] == "stopped"
    finally:
        stack.ok("start", "alertmanager", "worker")
    clean = stack.run(*words, "--fix", "--retry-timeout", "30")
    assert bad(checks(clean)) == {}
    assert (clean.returncode, "Fix of" in clean.stderr) == (0, False)


def test_two_runs_at_once_judge_as_one_does(stack: Tradebot) -> None:  # noqa: F811
    assert bad(checks(stack.run(*WHOLE, "--retry-timeout", "90", timeout=300))) == {}
    both = [stack.start(*WHOLE) for _ in range(2)]
    for each in both:
        out, err = each.communicate(timeout=300)
        assert bad(checks(CompletedProcess(each.args, each.returncode, out, err))) == {}
        assert each.returncode == 0, err
    dead = stack.json("jobs", "list", "--state", "dead")
    assert dead["jobs"] == [], "what failed on purpose is gone"


@contextmanager
def read_only(path: Path) -> Iterator[None]:
    """For root, too, whom no permission keeps from writing."""
    if os.geteuid() != 0:
        path.chmod(0o400)
        yield
        path.chmod(0o600)
        return
    mounted = subprocess.run(["mount", "--bind", str(path), str(path)], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip("nothing can be mounted here")
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", str(path)], capture_output=True, check=True)
        yield
    finally:
        subprocess.run(["umount", "-l", str(path)], check=True)


def test_a_store_that_takes_nothing_costs_the_run_nothing(stack: Tradebot) -> None:  # noqa: F811
    words = ("prod-check", "--only", "ENG-01", "--json")
    stack.ok(*words)
    before = stack.json("prod-check", "history")
    with read_only(stack.state / FILE):
        done = stack.run(*words, "--diff")
        assert done.returncode == 0, done.stderr
        assert checks(done)["ENG-01"]["state"] == "pass"
        assert "This run is not remembered" in json.dumps(json.loads(done.stdout)) + done.stderr
    assert stack.json("prod-check", "history") == before
