"""The order of the steps and the exit code, with a program that only notes how it was called."""

import json
import os
import signal
import sys
import threading
from pathlib import Path
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
