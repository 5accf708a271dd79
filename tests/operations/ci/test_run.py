"""The order of the steps and the exit code, with a program that only notes how it was called."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.waiting import until
from tradebot_ops.context import Ops
from tradebot_ops.operations import itself
from tradebot_ops.operations.ci import run as ci
from tradebot_ops.settings import Settings, load_settings

PROGRAM = """
import json, os, sys, time
words = sys.argv[1:]
step = next(word for word in words if word in {"up", "prod-check", "down"})
with open(os.environ["NOTES"], "a") as notes:
    notes.write(json.dumps({"step": step, "words": words, "port": os.environ.get("API_PORT")}) + "\\n")
if os.environ.get("HANG") == step:
    time.sleep(60)
sys.exit(int(os.environ.get(step.replace("-", "_").upper() + "_CODE", "0")))
"""


class World:
    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.notes = folder / "notes"
        self.notes.touch()
        program = folder / "program.py"
        program.write_text(PROGRAM)
        self._folder = folder
        real = itself.command

        def ours(settings: Settings) -> list[str]:
            return [sys.executable, str(program), *real(settings)[4:]]

        monkeypatch.setattr(itself, "command", ours)
        self.said: list[str] = []

    def run(self, *words: str, **environ: str) -> int:
        given = {"NOTES": str(self.notes), "TRADEBOT_STATE": str(self._folder / "state"), **environ}
        return ci.run(Ops(load_settings({}, given, self._folder)), words, self.said.append)

    def calls(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.notes.read_text().splitlines()]

    def steps(self) -> list[str]:
        return [call["step"] for call in self.calls()]


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return World(tmp_path, monkeypatch)


@pytest.mark.parametrize(
    ("codes", "code"),
    [
        ({}, 0),
        ({"PROD_CHECK_CODE": "3"}, 3),
        ({"UP_CODE": "6"}, 6),
        ({"UP_CODE": "6", "PROD_CHECK_CODE": "1"}, 6),
        ({"DOWN_CODE": "4"}, 4),
        ({"DOWN_CODE": "4", "PROD_CHECK_CODE": "1"}, 1),
    ],
)
def test_each_step_runs_and_the_first_failure_is_the_exit_code(world: World, codes: dict[str, str], code: int) -> None:
    assert world.run("--strict", **codes) == code
    assert world.steps() == ["up", "prod-check", "down"]
    assert "--strict" in world.calls()[1]["words"]
    assert any("was not taken down whole" in line for line in world.said) == ("DOWN_CODE" in codes)


def test_every_run_has_a_project_of_its_own_and_free_ports_for_chosen_ones(world: World) -> None:
    world.run(API_PORT="8010")
    world.run()
    names = [call["words"][call["words"].index("-p") + 1] for call in world.calls()]
    assert len(set(names)) == 2
    assert all(name.startswith("tradebot-ci-") for name in names)
    assert world.calls()[0]["port"] not in {None, "8010"}
    assert world.calls()[3]["port"] is None


@pytest.mark.parametrize("hanging", ["up", "prod-check"])
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_the_step_and_the_stack(world: World, hanging: str, number: int, code: int) -> None:
    def send() -> None:
        until(lambda: hanging in world.steps(), f"{hanging} to run", 20)
        os.kill(os.getpid(), number)

    before = signal.getsignal(number)
    sender = threading.Thread(target=send)
    sender.start()
    assert world.run(HANG=hanging) == code
    sender.join()
    assert world.steps() == {"up": ["up", "down"], "prod-check": ["up", "prod-check", "down"]}[hanging]
    assert signal.getsignal(number) == before


# Without processes


class Steps:
    """Programs that end with these codes; one in ``hanging`` ends only when it is killed, after so many looks."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.codes: dict[str, int] = {}
        self.hanging = {"": 0}
        self.on_look: Callable[[], None] = lambda: None
        self.calls: list[tuple[list[str], dict[str, Any]]] = []
        self.killed: list[tuple[float, int]] = []
        self.now = 0.0
        self.folder = folder
        real = subprocess
        names = SimpleNamespace(Popen=self.popen, TimeoutExpired=real.TimeoutExpired, DEVNULL=real.DEVNULL)
        monkeypatch.setattr(ci, "subprocess", names)
        monkeypatch.setattr(ci, "time", SimpleNamespace(monotonic=lambda: self.now))
        monkeypatch.setattr(itself, "command", lambda settings: ["tradebot", "-p", settings.project])
        monkeypatch.setattr("os.killpg", self.kill)
        self.said: list[str] = []

    def popen(self, command: list[str], **options: Any) -> Any:
        self.calls.append((command, options))
        step = command[3]
        looks = self.hanging.get(step, 0)

        def wait(timeout: float) -> int:
            nonlocal looks
            self.now += timeout
            self.on_look()
            if looks and (-1, signal.SIGKILL) not in [(-1, number) for _, number in self.killed]:
                looks -= 1
                raise subprocess.TimeoutExpired(step, timeout)
            return self.codes.get(step, 0)

        return SimpleNamespace(pid=4711, wait=wait)

    def kill(self, pid: int, number: int) -> None:
        assert pid == 4711
        self.killed.append((round(self.now, 1), number))
        if len(self.killed) == 1:
            raise ProcessLookupError  # it ended just now, and is not waited for yet

    def run(self, *words: str, project: str = "demo", **environ: str) -> int:
        given = {"TRADEBOT_STATE": str(self.folder / "state"), **environ}
        settings = load_settings({"project": project, "output": "github"}, given, self.folder)
        return ci.run(Ops(settings), words, self.said.append)


@pytest.fixture
def steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Steps:
    return Steps(tmp_path, monkeypatch)


@pytest.mark.parametrize(("up", "retry"), [(0, "60"), (6, "0")])
def test_each_step_has_its_words_and_the_output_is_that_of_the_check_alone(steps: Steps, up: int, retry: str) -> None:
    """What did not come up is not waited for."""
    steps.codes = {"up": up}
    assert steps.run("--strict", "--stage", "1", API_PORT="8010") == up
    (_, _, project), *_ = [call[0][:3] for call in steps.calls]
    assert re.fullmatch("demo-ci-[0-9a-f]{8}", project)
    assert [(command[3:], options.pop("stdout")) for command, options in steps.calls] == [
        (["up"], sys.stderr),
        (["prod-check", "--retry-timeout", retry, "-o", "github", "--strict", "--stage", "1"], None),
        (["down", "--volumes", "--yes"], sys.stderr),
    ]
    for command, options in steps.calls:
        assert command[:3] == ["tradebot", "-p", project]
        assert options.pop("env")["API_PORT"] != "8010"
        assert options == {"stdin": subprocess.DEVNULL, "start_new_session": True}
    assert steps.said == [f"Project {project}: up, prod-check, down."]


def test_a_long_name_is_cut_so_that_it_stays_one(steps: Steps) -> None:
    steps.run(project="p" * 50)
    assert re.fullmatch("p{40}-ci-[0-9a-f]{8}", steps.calls[0][0][2])


@pytest.mark.parametrize("down", [0, 4])
def test_the_files_of_a_run_go_with_it_unless_something_is_left(steps: Steps, down: int) -> None:
    kept = steps.folder / "state"

    def made() -> None:
        (kept / steps.calls[0][0][2] / "secrets").mkdir(parents=True, exist_ok=True)

    steps.on_look = made
    steps.codes = {"down": down}
    assert steps.run() == down
    name = steps.calls[0][0][2]
    assert (kept / name).exists() is bool(down)
    told = f"{name} was not taken down whole: tradebot -p {name} down --volumes --yes"
    assert steps.said[1:] == ([told] if down else [])


def test_a_step_that_does_not_end_is_asked_until_its_time_is_over_and_then_killed(steps: Steps) -> None:
    steps.hanging = {"up": 1000}
    steps.now = 5000.0

    def interrupted() -> None:
        if steps.now < 5000.3:
            signal.raise_signal(signal.SIGTERM)

    steps.on_look = interrupted
    assert steps.run() == 143
    asked = [at for at, number in steps.killed if number == signal.SIGTERM]
    assert (asked[0], steps.killed[-1][1]) == (5000.2, signal.SIGKILL)
    assert 10.0 < steps.killed[-1][0] - asked[0] <= 10.5
    assert [command[3] for command, _ in steps.calls] == ["up", "down"]


def test_the_first_signal_is_the_one_that_counts(steps: Steps) -> None:
    steps.hanging = {"prod-check": 3}
    numbers = iter([signal.SIGINT, signal.SIGTERM, signal.SIGTERM])

    def interrupted() -> None:
        if steps.calls[-1][0][3] == "prod-check" and (number := next(numbers, None)):
            signal.raise_signal(number)

    steps.on_look = interrupted
    assert steps.run() == 130
    assert signal.SIGKILL not in [number for _, number in steps.killed]


def test_no_signal_keeps_the_stack_from_being_taken_down(steps: Steps) -> None:
    steps.hanging = {"down": 3}
    steps.codes = {"down": 4}

    def interrupted() -> None:
        if steps.calls[-1][0][3] == "down":
            signal.raise_signal(signal.SIGINT)

    steps.on_look = interrupted
    assert steps.run() == 130
    assert steps.killed == []
    assert steps.now == pytest.approx(0.2 + 0.2 + 4 * 1)


def test_only_ports_are_chosen_anew(steps: Steps) -> None:
    settings = load_settings({}, {"API_PORT": "8010", "LOG_LEVEL": "debug"}, steps.folder)
    found = ci._free_ports(settings)
    assert found.keys() == {"API_PORT"}
    assert 0 < int(found["API_PORT"]) != 8010
