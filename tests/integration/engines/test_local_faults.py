"""The local engine when things die: what comes back, what list() says, and that nothing is left behind."""

import os
import signal
import time
from pathlib import Path

import psutil
import pytest

from tests.engines.contract import Harness
from tests.integration.engines.conftest import Project
from tests.waiting import until
from tradebot_ops.engines.base import LogQuery, State
from tradebot_ops.engines.local.layout import MARK, Layout
from tradebot_ops.errors import OpsError

pytestmark = pytest.mark.integration


def _layout(harness: Harness) -> Layout:
    return harness.engine._layout  # type: ignore[attr-defined]


def _supervisor(harness: Harness) -> psutil.Process:
    return psutil.Process(int(_layout(harness).pidfile.read_text()))


def _alive(harness: Harness) -> list[int]:
    """Every process of the project but the supervisor, found without the engine's help."""
    mark = f"{MARK}={_layout(harness).base}/"
    found = []
    for process in psutil.process_iter():
        try:
            if mark in Path(f"/proc/{process.pid}/environ").read_text(errors="replace"):
                found.append(process.pid)
        except OSError:
            continue
    return found


def _heard(harness: Harness, service: str = "web", number: int = 1) -> None:
    """Wait until the program itself runs: it has said something."""
    query = LogQuery(services=(service,), number=number)
    until(lambda: list(harness.engine.logs(query)), f"a log line of {service}")


def test_a_killed_replica_comes_back(project: Project) -> None:
    harness = project()
    first = harness.up()
    _heard(harness)
    assert first.pid is not None
    os.kill(first.pid, signal.SIGKILL)
    back = until(lambda: (one := harness.now()) and one.restarts and one.pid and one, "a new process")
    assert (back.state, back.restarts) == (State.RUNNING, 1)
    assert back.pid != first.pid
    assert ("die", 137) in [(event.action, event.exit_code) for event in harness.engine.events()]


ON_REAL_TIME = """
import signal, sys, time
signal.signal(signal.SIGRTMIN + 3, lambda *_: (print("asked to end", flush=True), sys.exit(0)))
print("ready", flush=True)
while True:
    time.sleep(1)
"""


def test_a_real_time_signal_stops_its_service_and_harms_no_other(project: Project) -> None:
    harness = project()
    stack = harness.changed("stubborn", command=("python", "-c", ON_REAL_TIME), stop_signal="SIGRTMIN+3")
    harness.up()
    found = harness.engine.apply(stack, "stubborn", 1)
    _heard(harness, "stubborn")
    begun = time.monotonic()
    harness.engine.stop(found, 30)
    assert time.monotonic() - begun < 20
    lines = [line.text for line in harness.engine.logs(LogQuery(services=("stubborn",)))]
    assert "asked to end" in lines
    assert [one.state for one in harness.engine.list()] == [State.EXITED, State.RUNNING]


def test_a_killed_supervisor_leaves_no_orphan_and_everything_comes_back(project: Project) -> None:
    harness = project()
    for number in (1, 2):
        harness.up("web", number)
        _heard(harness, "web", number)
    harness.up("once")
    harness.reaches(State.EXITED, "once")
    assert len(_alive(harness)) >= 2
    _supervisor(harness).kill()
    until(lambda: not _alive(harness), "every replica ended with its supervisor")
    listed = {one.id: one for one in harness.reopen().list()}
    assert {one.state for one in listed.values()} == {State.EXITED}
    assert all(one.pid is None for one in listed.values())
    assert (listed["once-1"].exit_code, listed["web-1"].exit_code) == (0, None)
    again = [harness.up("web", number) for number in (1, 2)]
    assert {one.state for one in again} == {State.RUNNING}
    assert len(harness.engine.list()) == 3


def test_a_process_that_outlives_its_supervisor_is_told_and_ended(project: Project) -> None:
    harness = project()
    started = harness.up("stubborn")
    _heard(harness, "stubborn")
    _supervisor(harness).kill()
    stray = until(
        lambda: (one := harness.now("stubborn")) and not _layout_running(harness) and one, "no supervisor any more"
    )
    assert (stray.state, stray.pid) == (State.RUNNING, started.pid)
    told: list[str] = []
    harness.engine.prepare(harness.stack, lambda service, line: told.append(f"{service}: {line}"))
    assert told == ["stubborn: ended a process that had outlived its supervisor"]
    assert _alive(harness) == []


def test_a_stray_can_be_stopped_without_a_supervisor(project: Project) -> None:
    harness = project()
    started = harness.up("stubborn")
    _heard(harness, "stubborn")
    _supervisor(harness).kill()
    until(lambda: not _layout_running(harness), "no supervisor any more")
    harness.engine.stop(started, 0.2)
    assert _alive(harness) == []


def _layout_running(harness: Harness) -> bool:
    return bool(harness.engine._supervisor.running())  # type: ignore[attr-defined]


def test_files_of_a_dead_supervisor_are_recognised(project: Project) -> None:
    harness = project()
    harness.up()
    layout = _layout(harness)
    _supervisor(harness).kill()
    assert layout.socket.exists()
    assert layout.pidfile.exists()
    layout.pidfile.write_text(str(os.getpid()))  # as if the number had been given to somebody else
    until(lambda: (one := harness.now()) and one.state is State.EXITED, "the truth")
    assert harness.up().state is State.RUNNING
    assert _supervisor(harness).pid != os.getpid()


def test_a_stop_that_somebody_began_and_left_is_finished_by_the_next(project: Project) -> None:
    """As after Ctrl-C in a `scale --drain`: the supervisor would wait for an hour."""
    harness = project()
    stubborn = harness.up("stubborn")
    _heard(harness, "stubborn")
    supervisor = harness.engine._supervisor  # type: ignore[attr-defined]
    supervisor.call("stopProcess", stubborn.id, False)
    assert supervisor.call("getProcessInfo", stubborn.id)["statename"] == "STOPPING"
    began = time.monotonic()
    harness.engine.stop(stubborn, 0.5)
    assert time.monotonic() - began < 5
    harness.reaches(State.EXITED, "stubborn")


def test_a_crash_loop_gets_its_verdict_with_the_last_lines(project: Project) -> None:
    harness = project()
    harness.up("crashing")
    failed = until(
        lambda: (one := harness.now("crashing")) and one.state is State.FAILED and one, "the verdict", seconds=40
    )
    assert (failed.exit_code, failed.restarts, failed.pid) == (7, 4, None)
    assert [line.text for line in harness.engine.logs(LogQuery(services=("crashing",), tail=2))] == ["boom", "boom"]
    assert [event.action for event in harness.engine.events()][-1] == "failed"
    again = harness.up("crashing")
    assert again.restarts == 0


def test_a_program_that_cannot_start_says_why_in_its_log(project: Project) -> None:
    harness = project()
    stack = harness.changed("once", command=("/etc/passwd",))
    harness.engine.prepare(stack, lambda _service, _line: None)
    with pytest.raises(OpsError, match="needs the program /etc/passwd") as caught:
        harness.engine.apply(stack, "once", 1)
    assert caught.value.code == "TB-0404"


def test_nothing_of_a_destroyed_project_is_left(project: Project) -> None:
    harness = project()
    harness.up()
    supervisor = _supervisor(harness)
    harness.engine.destroy(harness.stack, volumes=True)
    assert _alive(harness) == []
    assert not supervisor.is_running() or supervisor.status() == psutil.STATUS_ZOMBIE
    assert [path.name for path in _layout(harness).state.iterdir()] == []
    assert harness.engine.destroy(harness.stack, volumes=True) == ()


def test_scaling_takes_well_under_a_second(project: Project) -> None:
    harness = project()
    harness.up()
    harness.up("web", 2)
    begun = time.monotonic()
    for number in range(3, 7):
        harness.engine.apply(harness.stack, "web", number)
    assert time.monotonic() - begun < 3  # about 0.2 s on a quiet machine
    assert all(one.state is State.RUNNING for one in harness.engine.list())
