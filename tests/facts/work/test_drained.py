"""Which workers were told to take no jobs: by a page of the API that may be missing, or say something else."""

import json
from pathlib import Path
from typing import Any

import pytest

from tradebot_ops.clients import probe
from tradebot_ops.context import Ops
from tradebot_ops.engines.base import Replica, State
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.errors import Unreachable
from tradebot_ops.facts.work.drained import drained
from tradebot_ops.settings import load_settings
from tradebot_ops.stack.model import Trust

API = Replica("api", 1, "a1", "demo-api-1", State.RUNNING, host="127.0.0.1")
WORKERS = [Replica("worker", number, f"w{number}", f"demo-worker-{number}", State.RUNNING) for number in (1, 2, 3)]
ORDER = {"drain": True, "by": "ana@host", "reason": "", "at": "2026-11-27T11:00:00Z"}
HEARD = [
    {"name": "worker-1", "order": ORDER | {"reason": "memory"}},
    {"name": "demo-worker-2", "order": ORDER},
    {"name": "worker-3", "order": ORDER | {"drain": False}},
    {"name": "worker-4", "order": None},
]


def ask(patch: pytest.MonkeyPatch, folder: Path, *answer: Any, replicas: list[Replica]) -> dict[str, str]:
    settings = load_settings({"project": "demo"}, {"TRADEBOT_STATE": str(folder), "HOME": str(folder)}, folder)

    def page(host: str, port: int, path: str, timeout: float, trust: Trust | None) -> Any:
        assert (host, port, path, trust) == ("127.0.0.1", 8010, "/workers", None)
        if not answer:
            raise Unreachable("it gave no answer")
        return answer

    patch.setattr(probe, "page", page)
    return drained(Ops(settings, StubEngine("demo")), replicas)


def test_who_told_them_and_why(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert ask(monkeypatch, tmp_path, 200, json.dumps({"workers": HEARD}), replicas=[API, *WORKERS]) == {
        "worker-1": "takes no jobs, says ana@host: memory",
        "worker-2": "takes no jobs, says ana@host",
    }


@pytest.mark.parametrize("answer", [(), (503, "{}"), (200, "<html>"), (200, "[]"), (200, '{"workers": [{}]}')])
def test_an_api_that_cannot_say_is_no_reason(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, answer: tuple[Any, ...]
) -> None:
    assert ask(monkeypatch, tmp_path, *answer, replicas=[API, *WORKERS]) == {}


def test_nobody_is_asked_in_vain(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert ask(monkeypatch, tmp_path, replicas=WORKERS) == {}
    assert ask(monkeypatch, tmp_path, replicas=[API]) == {}
