"""How a job process is started, asked and ended; the operating system stands in here."""

import json
import os
import signal
import socket
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from services.worker import process as module
from services.worker.process import LARGEST_MESSAGE, START_S, ChildDied, JobProcess


class System:
    """Writes down what is asked of it: the process ends by itself at ``ends_at``, with this ``code``."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now, self.ends_at, self.code = 100.0, float("inf"), 3
        self.calls: list[Any] = []
        self.says: list[Any] = []
        self.gone: Exception | None = None
        self.socket = SimpleNamespace(fileno=lambda: 5, detach=lambda: 6)
        self.open = True
        monkeypatch.setattr(socket, "socketpair", lambda: (self.socket, self))
        monkeypatch.setattr(subprocess, "Popen", self._popen)
        monkeypatch.setattr(module, "Connection", self._connection)
        monkeypatch.setattr(psutil, "Process", self._statistics)
        monkeypatch.setattr(os, "killpg", self._killpg)
        clock = SimpleNamespace(monotonic=lambda: self.now, sleep=self._sleep)
        monkeypatch.setattr(module, "time", clock)

    # The child's end of the line.
    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        self.open = False

    def fileno(self) -> int:
        return 5

    def _popen(self, command: list[str], **options: Any) -> "System":
        assert self.open, "its end of the line was closed before it had it"
        self.command, self.options = command, options
        return self

    def _connection(self, number: int) -> "System":
        assert number == 6
        return self

    def _statistics(self, pid: int) -> "System":
        assert pid == self.pid
        return self

    def _sleep(self, seconds: float) -> None:
        self.now += seconds

    def _killpg(self, *words: int) -> None:
        self.calls.append(("killpg", *words))
        self.ends_at, self.code = min(self.ends_at, self.now), self.code if self.now >= self.ends_at else -9
        if self.gone:
            raise self.gone

    # The process, its line and its statistics.
    pid = 77

    def poll(self, timeout_s: float | None = None) -> Any:
        if timeout_s is None:
            return self.code if self.now >= self.ends_at else None
        self.calls.append(("poll", timeout_s))
        return bool(self.says)

    def wait(self) -> int:
        return self.code

    def send_signal(self, number: int) -> None:
        self.calls.append(("signal", number))
        if self.gone:
            raise self.gone

    def send_bytes(self, content: bytes) -> None:
        self.calls.append(("send", json.loads(content)))
        if self.gone:
            raise self.gone

    def recv_bytes(self, most: int) -> bytes:
        assert most == LARGEST_MESSAGE
        said = self.says.pop(0)
        if isinstance(said, Exception):
            raise said
        assert isinstance(said, bytes)
        return said

    def memory_info(self) -> Any:
        if self.gone:
            raise self.gone
        return SimpleNamespace(rss=1000)

    def close(self) -> None:
        self.calls.append("close")


@pytest.fixture
def system(monkeypatch: pytest.MonkeyPatch) -> System:
    return System(monkeypatch)


def test_it_is_python_anew_in_a_session_of_its_own_with_one_end_of_the_line(system: System) -> None:
    process = JobProcess({"PATH": "/bin", "OMP_NUM_THREADS": "4"})
    assert system.command == [sys.executable, "-m", "services.worker.child", "5", str(os.getpid())]
    assert system.options == {
        "stdin": subprocess.DEVNULL,
        "pass_fds": [5],
        "start_new_session": True,
        "env": {"PATH": "/bin", "OMP_NUM_THREADS": "4", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"},
    }
    assert not system.open
    assert process.pid == 77


def test_it_has_the_environment_of_its_worker(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MKL_NUM_THREADS", "2")
    JobProcess()
    assert system.options["env"] == module.ONE_THREAD | dict(os.environ)
    assert system.options["env"]["MKL_NUM_THREADS"] == "2"


def test_it_is_ready_once_it_says_so(system: System) -> None:
    system.says = [b'{"kind": "ready"}']
    JobProcess().wait_ready()
    assert system.calls == [("poll", START_S)]


@pytest.mark.parametrize("says", [[], [b'{"kind": "done"}']])
def test_any_other_first_word_or_none_is_its_death(system: System, says: list[bytes]) -> None:
    system.says = list(says)
    with pytest.raises(ChildDied, match="^the job process was not ready within 7 s$"):
        JobProcess().wait_ready(7.2)


def test_orders_and_answers_are_json(system: System) -> None:
    process = JobProcess()
    process.send({"x": 1})
    system.says = [b'{"y": 2}']
    assert process.receive(0.5) == {"y": 2}
    assert process.receive(0.5) is None
    assert system.calls == [("send", {"x": 1}), ("poll", 0.5), ("poll", 0.5)]


@pytest.mark.parametrize("said", [EOFError("ended"), OSError("ended"), b"half a mess"])
def test_a_line_that_is_closed_or_broken_is_its_death(system: System, said: Any) -> None:
    process = JobProcess()
    system.says = [said]
    with pytest.raises(ChildDied, match="ended|Expecting value"):
        process.receive(0.5)
    system.gone = BrokenPipeError("nobody reads")
    with pytest.raises(ChildDied, match="nobody reads"):
        process.send({})


def test_what_is_gone_holds_no_memory(system: System) -> None:
    process = JobProcess()
    assert process.rss() == 1000
    system.gone = psutil.NoSuchProcess(77)
    assert process.rss() == 0


@pytest.mark.parametrize("gone", [None, ProcessLookupError()])
def test_it_is_asked_to_end_and_then_made_to(system: System, gone: Exception | None) -> None:
    process = JobProcess()
    system.gone = gone
    process.terminate()
    process.kill()
    assert system.calls == [("signal", signal.SIGTERM), ("signal", signal.SIGKILL)]


@pytest.mark.parametrize("gone", [None, ProcessLookupError(), PermissionError()])
@pytest.mark.parametrize(
    ("ends_at", "grace_s", "code", "waited_s"),
    [
        (float("inf"), 0.0, -9, 0.0),
        (float("inf"), 0.05, -9, 0.05),
        (100.03, 1.0, 3, 0.03),
        (50.0, 1.0, 3, 0.0),
    ],
)
def test_its_end_takes_all_it_started_with_it(
    system: System, gone: Exception | None, ends_at: float, grace_s: float, code: int, waited_s: float
) -> None:
    process = JobProcess()
    system.ends_at, system.gone = ends_at, gone
    assert process.end(grace_s) == code
    assert system.calls == [("killpg", 77, signal.SIGKILL), "close"]
    assert system.now - 100 == pytest.approx(waited_s, abs=0.011)
    assert not process.alive


def test_its_end_waits_for_nothing_unless_it_is_given_time(system: System) -> None:
    assert JobProcess().end() == -9
    assert system.now == 100.0
