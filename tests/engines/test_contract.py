"""What every engine must do, told without knowing which one it is."""

import errno
import itertools
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from tests.engines.contract import Harness
from tests.waiting import until
from tradebot_ops.engines.base import LogQuery, Pipes, State
from tradebot_ops.errors import OpsError


def test_nothing_is_listed_before_anything_was_started(harness: Harness) -> None:
    assert harness.engine.list() == ()
    assert harness.engine.destroy(harness.stack, volumes=False) == ()


def test_apply_starts_a_replica_and_list_agrees(harness: Harness) -> None:
    started = harness.up()
    assert (started.service, started.number, started.state) == ("web", 1, State.RUNNING)
    assert (started.spec_hash, started.content_hash) == ("web-1", "files-1")
    assert started.name == f"{harness.engine.list()[0].name}"
    assert started.pid
    assert started.started_at is not None
    assert abs(datetime.now(UTC) - started.started_at) < timedelta(minutes=1)
    assert harness.engine.list() == (started,)


def test_another_client_of_the_project_sees_the_same(harness: Harness) -> None:
    started = harness.up()
    assert harness.reopen().list() == (started,)


def test_applying_twice_changes_nothing(harness: Harness) -> None:
    first = harness.up()
    again = harness.up()
    assert (again.pid, again.started_at, again.restarts) == (first.pid, first.started_at, 0)


def test_another_spec_recreates_the_replica(harness: Harness) -> None:
    first = harness.up()
    stack = harness.changed("web", spec_hash="web-2", environment={"LISTEN": f"0.0.0.0:{harness.port}", "NEW": "1"})
    second = harness.engine.apply(stack, "web", 1)
    assert second.spec_hash == "web-2"
    assert second.state is State.RUNNING
    assert second.pid != first.pid
    assert len(harness.engine.list()) == 1


def test_changed_contents_alone_do_not_restart(harness: Harness) -> None:
    first = harness.up()
    second = harness.engine.apply(harness.changed("web", content_hash="files-2"), "web", 1)
    assert (second.pid, second.content_hash) == (first.pid, "files-2")


def test_more_replicas_leave_the_running_ones_alone(harness: Harness) -> None:
    first = harness.up()
    for number in (2, 3):
        harness.engine.apply(harness.stack, "web", number)
    assert [one.number for one in harness.engine.list()] == [1, 2, 3]
    assert harness.now() == first


def test_several_threads_may_apply_at_once(harness: Harness) -> None:
    harness.up()
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda number: harness.engine.apply(harness.stack, "web", number), range(2, 6)))
    assert [one.number for one in harness.engine.list()] == [1, 2, 3, 4, 5]
    assert len({one.pid for one in made}) == 4
    assert all(one.state is State.RUNNING and one.restarts == 0 for one in harness.engine.list())


def test_a_stopped_replica_stays_until_it_is_started_again(harness: Harness) -> None:
    started = harness.up()
    harness.engine.stop(started, 5)
    stopped = harness.now()
    assert stopped is not None
    assert (stopped.state, stopped.pid, stopped.restarts) == (State.EXITED, None, 0)
    harness.engine.stop(stopped, 5)
    again = harness.engine.apply(harness.stack, "web", 1)
    assert again.state is State.RUNNING
    assert again.pid != started.pid


def test_a_replica_that_ignores_its_signal_is_killed_after_the_grace(real: Harness) -> None:
    started = real.up("stubborn")
    until(lambda: list(real.engine.logs(LogQuery())), "the line that says it ignores SIGTERM")
    begun = datetime.now(UTC)
    real.engine.stop(started, 0.5)
    assert datetime.now(UTC) - begun < timedelta(seconds=4)
    stopped = real.now("stubborn")
    assert stopped is not None
    assert (stopped.state, stopped.exit_code) == (State.EXITED, 137)


def test_remove_forgets_a_stopped_replica(harness: Harness) -> None:
    started = harness.up()
    with pytest.raises(OpsError):
        harness.engine.remove(started)
    harness.engine.stop(started, 5)
    harness.engine.remove(started)
    assert harness.engine.list() == ()


@pytest.mark.parametrize(("service", "code"), [("once", 0), ("failing", 3)])
def test_a_one_shot_ends_and_keeps_its_exit_code(harness: Harness, service: str, code: int) -> None:
    harness.up(service)
    ended = harness.reaches(State.EXITED, service)
    assert (ended.exit_code, ended.restarts, ended.pid) == (code, 0, None)


def test_a_one_shot_runs_again_when_applied_again(harness: Harness) -> None:
    harness.up("once")
    harness.reaches(State.EXITED, "once")
    harness.engine.apply(harness.stack, "once", 1)
    assert harness.reaches(State.EXITED, "once").exit_code == 0


def test_a_crashing_replica_is_restarted_and_counted(real: Harness) -> None:
    real.up("crashing")
    found = until(lambda: (one := real.now("crashing")) and one.restarts >= 2 and one, "two restarts")
    assert found.state in {State.RESTARTING, State.RUNNING}
    lines = [line.text for line in real.engine.logs(LogQuery(services=("crashing",)))]
    assert lines.count("boom") >= 2
    real.engine.stop(found, 1)
    stopped = real.now("crashing")
    assert stopped is not None
    assert stopped.state is State.EXITED


def test_an_endpoint_is_where_the_replica_answers(real: Harness) -> None:
    real.up()
    real.engine.apply(real.stack, "web", 2)
    addresses = [real.engine.endpoint("web", real.port, number) for number in (1, 2)]
    assert addresses[0] != addresses[1]
    for address in addresses:
        until(partial(_answers, f"http://{address}/"), f"{address} answers")


def test_an_unknown_endpoint_is_refused_with_a_hint(harness: Harness) -> None:
    harness.up()
    for service, port, number in (("web", 1, 1), ("web", harness.port, 9), ("nobody", harness.port, 1)):
        with pytest.raises(OpsError) as caught:
            harness.engine.endpoint(service, port, number)
        assert caught.value.hint


def test_logs_are_cut_by_tail_and_carry_their_own_time(real: Harness) -> None:
    real.up()
    until(lambda: list(real.engine.logs(LogQuery())), "a log line")
    (line,) = real.engine.logs(LogQuery(services=("web",), number=1, tail=1))
    assert "listening" in line.text
    assert line.at is not None
    assert list(real.engine.logs(LogQuery(services=("nobody",)))) == []
    assert list(real.engine.logs(LogQuery(tail=0))) == []


def test_logs_can_be_followed(real: Harness) -> None:
    started = real.up()
    until(lambda: list(real.engine.logs(LogQuery())), "a log line")
    lines = real.engine.logs(LogQuery(follow=True, tail=0))
    with ThreadPoolExecutor(1) as pool:
        told = pool.submit(lambda: next(line for line in lines if "reloaded" in line.text))

        def followed() -> bool:
            real.engine.signal(started, "SIGHUP")
            return told.done()

        until(followed, "the followed line")
        assert told.result().service == "web"


def test_exec_runs_beside_the_replica(real: Harness) -> None:
    started = real.up()
    done = real.engine.exec(started, ["sh", "-c", 'echo "$GREETING"; echo oh >&2; exit 4'])
    assert done.exit_code == 4
    assert set(done.output.splitlines()) == {"grüß dich", "oh"}


def test_what_a_quick_command_says_is_never_lost(real: Harness) -> None:
    """Several at once: the answer then often comes in one piece with what the engine says before it."""
    started = real.up()
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda _: real.engine.exec(started, ["echo", "there"]).output, range(240)))
    assert set(answers) == {"there\n"}


def test_a_command_runs_between_two_files(real: Harness, tmp_path: Path) -> None:
    """More than fits into any pipe, every byte as it is; what it writes to stderr and its exit code are the answer."""
    started, text = real.up(), bytes(range(256)) * 20_000
    (tmp_path / "in").write_bytes(text)
    assert isinstance(real.engine, Pipes)
    with (tmp_path / "in").open("rb") as source, (tmp_path / "out").open("wb") as sink:
        done = real.engine.piped(started, ["sh", "-c", "cat; echo oh >&2; exit 4"], source=source, sink=sink)
    assert (done.exit_code, done.output) == (4, "oh\n")
    assert (tmp_path / "out").read_bytes() == text


def test_a_command_that_does_not_read_its_file_ends(real: Harness, tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(b"x" * 5_000_000)
    assert isinstance(real.engine, Pipes)
    with (tmp_path / "in").open("rb") as source:
        assert real.engine.piped(real.up(), ["sh", "-c", "exit 3"], source=source).exit_code == 3


def test_a_full_disk_is_not_the_engines_fault(real: Harness) -> None:
    """It is the command's failure where that writes the file itself, and else an ``OSError``."""
    assert isinstance(real.engine, Pipes)
    started, code, number = real.up(), 0, 0
    with Path("/dev/full").open("wb", buffering=0) as sink:
        try:
            code = real.engine.piped(started, ["cat", "/proc/self/maps"], sink=sink).exit_code
        except OSError as error:
            number = error.errno or 0
    assert code or number == errno.ENOSPC


def test_exec_gives_up_in_time(real: Harness) -> None:
    started = real.up()
    with pytest.raises(OpsError) as caught:
        real.engine.exec(started, ["sleep", "30"], timeout=0.3)
    assert caught.value.code == "TB-0601"


def test_exec_of_an_unknown_program_fails_as_a_shell_would(real: Harness) -> None:
    assert real.engine.exec(real.up(), ["no-such-program"]).exit_code in {126, 127}


def test_stats_leave_out_what_does_not_run(harness: Harness) -> None:
    first = harness.up()
    second = harness.engine.apply(harness.stack, "web", 2)
    harness.engine.stop(second, 5)
    (stats,) = harness.engine.stats([first, second])
    assert stats.id == first.id
    assert stats.memory > 500_000
    assert stats.cpu is not None
    assert 0 <= stats.cpu < 64
    (memory_only,) = harness.engine.stats([first], cpu=False)
    assert (memory_only.cpu, memory_only.memory > 500_000) == (None, True)


def test_events_tell_starts_and_ends(harness: Harness) -> None:
    harness.up("failing")
    harness.reaches(State.EXITED, "failing")
    told = [(event.action, event.exit_code) for event in harness.engine.events() if event.service == "failing"]
    assert told[0] == ("start", None)
    assert ("die", 3) in told


def test_events_can_be_followed(harness: Harness) -> None:
    harness.up()
    seen = list(itertools.islice(harness.engine.events(follow=True), 1))
    assert (seen[0].service, seen[0].action) == ("web", "start")


def test_a_signal_reaches_the_main_process(real: Harness) -> None:
    started = real.up()
    until(lambda: list(real.engine.logs(LogQuery())), "a log line")
    real.engine.signal(started, "SIGHUP")
    until(lambda: [line for line in real.engine.logs(LogQuery()) if "reloaded" in line.text], "the line about it")
    assert real.now() == started


def test_a_signal_to_a_stopped_replica_is_refused(harness: Harness) -> None:
    started = harness.up()
    harness.engine.stop(started, 5)
    with pytest.raises(OpsError):
        harness.engine.signal(started, "SIGHUP")


def test_volumes_survive_destroy_unless_they_are_meant(real: Harness) -> None:
    started = real.up()
    assert real.engine.exec(started, ["sh", "-c", 'echo kept > "$DATA/file"']).exit_code == 0
    assert real.engine.destroy(real.stack, volumes=False)
    assert real.engine.list() == ()
    assert real.engine.exec(real.up(), ["sh", "-c", 'cat "$DATA/file"']).output.strip() == "kept"
    assert any("data" in name for name in real.engine.destroy(real.stack, volumes=True))
    assert real.engine.exec(real.up(), ["sh", "-c", 'ls "$DATA"']).output == ""


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as response:  # noqa: S310 - always http
            return bool(response.status == 200)
    except OSError:
        return False
