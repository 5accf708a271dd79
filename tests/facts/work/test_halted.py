"""Whether the stack is halted: by a page of the API that may be missing, or hold something else."""

import json
from pathlib import Path
from typing import Any

import pytest

from tradebot_ops.clients import probe
from tradebot_ops.context import Ops
from tradebot_ops.engines.base import Replica, State
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.errors import Unreachable
from tradebot_ops.facts.work.halted import halted
from tradebot_ops.settings import load_settings
from tradebot_ops.stack.model import Trust

API = Replica("api", 1, "a1", "demo-api-1", State.RUNNING, host="127.0.0.1")
WORKER = Replica("worker", 1, "w1", "demo-worker-1", State.RUNNING)
HALT = {"halted": True, "at": "2026-11-28T08:15:00Z", "by": "ana@desk", "reason": "fills look wrong"}


def ask(patch: pytest.MonkeyPatch, folder: Path, *answer: Any, replicas: list[Replica]) -> Any:
    settings = load_settings({"project": "demo"}, {"TRADEBOT_STATE": str(folder), "HOME": str(folder)}, folder)

    def page(host: str, port: int, path: str, timeout: float, trust: Trust | None) -> Any:
        assert (host, port, path, trust) == ("127.0.0.1", 8010, "/halt", None)
        if not answer:
            raise Unreachable("it gave no answer")
        return answer

    patch.setattr(probe, "page", page)
    return halted(Ops(settings, StubEngine("demo")), replicas)


def test_the_halt_that_is_in_force(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    found = ask(monkeypatch, tmp_path, 200, json.dumps(HALT | {"ended_at": None}), replicas=[WORKER, API])
    assert found == HALT


@pytest.mark.parametrize("answer", [(), (503, "{}"), (200, "<html>"), (200, "[1]"), (200, "{}"), (200, '{"at": 1}')])
def test_an_api_that_cannot_say_is_not_known(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, answer: tuple[Any, ...]
) -> None:
    assert ask(monkeypatch, tmp_path, *answer, replicas=[API]) is None


def test_without_an_api_nobody_is_asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert ask(monkeypatch, tmp_path, 200, json.dumps(HALT), replicas=[WORKER]) is None
