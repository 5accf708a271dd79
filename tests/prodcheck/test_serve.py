"""The last run over HTTP, as a process of its own: asked while it judges, and ended by SIGTERM."""

import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.paths import ROOT
from tests.waiting import until
from tradebot_ops.errors import OpsError
from tradebot_ops.model import Report
from tradebot_ops.prodcheck import serve


def test_a_cache_says_why_it_is_not_ready() -> None:
    answers: list[Report | OpsError] = [OpsError("No engine.", code="TB-0400", hint="-"), Report(failure=1, success=1)]
    answers.append(Report())

    def look() -> Report:
        answer = answers.pop(0)
        if isinstance(answer, OpsError):
            raise answer
        return answer

    cache = serve.Cache(look, 60)
    said = [cache.ready()]
    for _ in range(3):
        cache.renew()
        said.append(cache.ready())
    assert said == [
        (False, "There is no run yet."),
        (False, "No engine."),
        (False, "The last run found failures."),
        (True, "Ready."),
    ]


def test_an_old_run_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    cache = serve.Cache(Report, 10)
    cache.renew()
    later = time.monotonic() + 331
    monkeypatch.setattr(time, "monotonic", lambda: later)
    assert cache.ready()[0] is False


@contextmanager
def serving(folder: Path, *words: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "tradebot_ops", "-p", "served", "--engine", "local", "prod-check", "serve", *words]
    environ = {"HOME": str(folder), "PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}
    process = subprocess.Popen(command, cwd=ROOT, env=environ, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def test_it_answers_and_ends_with_sigterm(tmp_path: Path) -> None:
    with serving(tmp_path, "--port", "0", "--no-canary") as process:
        assert process.stderr is not None
        found = re.search(r"http://127\.0\.0\.1:\d+", process.stderr.readline())
        assert found
        base = found[0]
        assert httpx.get(f"{base}/nothing").status_code == 404
        text = until(lambda: httpx.get(f"{base}/metrics").text, "the first run", 60)
        assert 'tradebot_check_state{id="ENG-01",stage="1"} 0.0' in text
        answer = httpx.get(f"{base}/readyz")
        assert (answer.status_code, answer.text) == (503, "The last run found failures.\n")  # nothing was ever started
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0


def test_a_taken_port_is_said(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with serving(tmp_path, "--port", str(taken.getsockname()[1])) as process:
            assert process.wait(20) == 2
            assert process.stderr is not None
            assert "TB-0236" in process.stderr.read()
