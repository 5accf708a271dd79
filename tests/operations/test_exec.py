"""Which replica a command runs in, what is said where it cannot, and whose exit code counts."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from tests.operations.seen import refusal, whole
from tests.operations.test_change import world
from tradebot_ops.context import Ops
from tradebot_ops.engines.base import ExecResult, Replica, State
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.errors import OpsError
from tradebot_ops.operations import exec as executing


class Engine(StubEngine):
    """These replicas; what is run in them is noted."""

    def __init__(self, *there: Replica) -> None:
        super().__init__("demo")
        self.there = there
        self.asked: list[tuple[str, tuple[str, ...], float | None]] = []

    def list(self) -> tuple[Replica, ...]:
        return self.there

    def exec(self, replica: Replica, command: Sequence[str], *, timeout: float | None = 30.0) -> ExecResult:
        self.asked.append((replica.label, tuple(command), timeout))
        return ExecResult(3 if "fail" in command else 0, "one\ntwo\n")


def replica(service: str, number: int, state: State = State.RUNNING) -> Replica:
    return Replica(service, number, f"{service}-{number}", f"demo-{service}-{number}", state)


def ops_with(folder: Path, *there: Replica) -> tuple[Ops, Engine]:
    engine = Engine(*there)
    return Ops(world(folder).settings, engine), engine


THERE = (
    replica("store", 1, State.PAUSED),
    replica("worker", 1, State.EXITED),
    replica("worker", 2, State.RESTARTING),
    replica("worker", 3),
)


@pytest.mark.parametrize(
    ("typed", "number", "found"),
    [("worker", None, 2), ("worker", 3, 3), ("worker-3", None, 3), ("workers", 2, 2), ("worker-3", 2, 2)],
)
def test_the_first_that_runs_or_the_one_that_is_named(
    tmp_path: Path, typed: str, number: int | None, found: int
) -> None:
    ops, _ = ops_with(tmp_path, *THERE)
    assert executing.replica(ops, typed, number).number == found


@pytest.mark.parametrize(
    ("typed", "number", "message"),
    [
        ("worker", 1, "worker 1 is not running."),
        ("store", None, "store is not running."),
        ("store", 1, "store 1 is not running."),
        ("store", 2, "store 2 is not running."),
        ("setup", None, "setup is not running."),
    ],
)
def test_what_does_not_run_is_told_by_its_name(tmp_path: Path, typed: str, number: int | None, message: str) -> None:
    ops, _ = ops_with(tmp_path, *THERE)
    with pytest.raises(OpsError) as raised:
        executing.replica(ops, typed, number)
    assert refusal(raised.value) == ("TB-0110", message, "Start it with `tradebot up`.")


def test_a_number_that_there_is_not_names_those_there_are(tmp_path: Path) -> None:
    ops, _ = ops_with(tmp_path, *THERE)
    with pytest.raises(OpsError) as raised:
        executing.replica(ops, "worker", 7)
    assert raised.value.code == "TB-0212"
    assert "1, 2, 3" in raised.value.message + raised.value.hint


def test_without_a_command_an_example_is_shown() -> None:
    for words in ([], ["2"], ["2", "--"]):
        with pytest.raises(OpsError) as raised:
            executing.split(words)
        assert raised.value.hint.endswith("tradebot exec worker 1 -- ps")
        assert raised.value.code == "TB-0206"


@pytest.mark.parametrize(("command", "code"), [(("echo", "hello"), 0), (("fail",), 3)])
def test_output_and_exit_code_are_the_commands_own(tmp_path: Path, command: tuple[str, ...], code: int) -> None:
    ops, engine = ops_with(tmp_path, *THERE)
    report = executing.run(ops, "worker", 3, command)
    assert engine.asked == [("worker-3", command, 20.0)]
    failed = [f"finding: level=fail, id=exec.failed, message={command[0]} ended with exit code 3."] if code else []
    assert whole(report).splitlines() == [
        f"exit codes 0, {code}; now {code}",
        *failed,
        "# ",
        "one",
        "two",
        'data service: "worker"',
        "data number: 3",
        *(f'data command: "{word}"' for word in command),
        f"data exit_code: {code}",
        'data output: "one\\ntwo\\n"',
    ]


def test_an_engine_that_can_only_collect_writes_what_it_collected(tmp_path: Path) -> None:
    ops, engine = ops_with(tmp_path, *THERE)
    written: list[str] = []
    assert executing.attach(ops, "worker", 3, ["fail"], written.append, terminal=True) == 3
    assert (written, engine.asked) == (["one\ntwo\n"], [("worker-3", ("fail",), None)])
    with pytest.raises(OpsError) as raised:
        executing.attach(ops, "worker", 3, [], written.append, terminal=True)
    assert refusal(raised.value)[1:] == ("The stub engine has no shell.", "tradebot exec SERVICE -- COMMAND")


@pytest.mark.parametrize("terminal", [True, False])
def test_one_that_can_attach_has_this_process_s_own_streams(tmp_path: Path, terminal: bool) -> None:
    asked: list[tuple[object, ...]] = []

    class Attaching(Engine):
        def attached(self, replica: Replica, command: Sequence[str], *, terminal: bool) -> int:
            asked.append((replica.label, tuple(command), terminal))
            return 7

    ops = Ops(world(tmp_path).settings, Attaching(*THERE))
    assert executing.attach(ops, "worker", 2, [], pytest.fail, terminal=terminal) == 7
    assert asked == [("worker-2", (), terminal)]


def test_a_replica_of_another_service_is_never_meant(tmp_path: Path) -> None:
    ops, _ = ops_with(tmp_path, replace(THERE[3], service="store"), THERE[3])
    assert executing.replica(ops, "worker", 3) == THERE[3]
