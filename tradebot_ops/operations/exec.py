"""Run a command where a service runs."""

from collections.abc import Callable, Sequence

from tradebot_ops.context import Ops
from tradebot_ops.engines.base import Attaches, Replica, State
from tradebot_ops.errors import OpsError, Unsupported
from tradebot_ops.model import Finding, Level, Report, Section
from tradebot_ops.operations.select import no_such_replica, replica_name


def split(words: Sequence[str]) -> tuple[int | None, tuple[str, ...]]:
    """``[N] [--] COMMAND…``: the replica, None for the first that runs, and the command."""
    head, command = list(words[:1]) if words and words[0].isdigit() else [], list(words)
    command = command[len(head) :]
    if command[:1] == ["--"]:
        command = command[1:]
    if not command:
        raise OpsError(
            "There is no command to run.",
            code="TB-0206",
            hint="Write it after two dashes: tradebot exec worker 1 -- ps",
        )
    return (int(head[0]) if head else None), tuple(command)


def replica(ops: Ops, typed: str, number: int | None) -> Replica:
    """The running replica that was asked for. Raises ``OpsError`` TB-0110 when it does not run, TB-0212 when there
    is no such number."""
    name, numbered = replica_name(ops.stack, typed)
    number = numbered if number is None else number
    there = [found for found in ops.engine.list() if found.service == name]
    running = [found for found in there if found.state.alive and found.state is not State.PAUSED]
    chosen = next((found for found in running if number in {None, found.number}), None)
    if chosen is not None:
        return chosen
    if number is not None and running and number not in {found.number for found in there}:
        raise no_such_replica(name, number, (found.number for found in there))
    what = name if number is None else f"{name} {number}"
    raise OpsError(f"{what} is not running.", code="TB-0110", hint="Start it with `tradebot up`.")


def run(ops: Ops, typed: str, number: int | None, command: Sequence[str]) -> Report:
    """Collect the output; an exit code other than 0 is a failed finding, and the report's own exit code.

    Raises ``OpsError`` TB-0601 after the ``--timeout``.
    """
    chosen = replica(ops, typed, number)
    done = ops.engine.exec(chosen, command, timeout=ops.settings.timeout)
    data = {
        "service": chosen.service,
        "number": chosen.number,
        "command": list(command),
        "exit_code": done.exit_code,
        "output": done.output,
    }
    message = f"{command[0]} ended with exit code {done.exit_code}."
    findings = (Finding(Level.FAIL, "exec.failed", message),) if done.exit_code else ()
    section = Section(lines=tuple(done.output.splitlines()))
    return Report(data=data, findings=findings, sections=(section,), failure=done.exit_code)


def attach(
    ops: Ops, typed: str, number: int | None, command: Sequence[str], write: Callable[[str], object], *, terminal: bool
) -> int:
    """Run with this process's own streams; ``write`` is for engines that can only collect. Returns the exit code."""
    chosen = replica(ops, typed, number)
    engine = ops.engine
    if isinstance(engine, Attaches):
        return engine.attached(chosen, command, terminal=terminal)
    if not command:
        raise Unsupported(f"The {engine.name} engine has no shell.", hint="tradebot exec SERVICE -- COMMAND")
    done = engine.exec(chosen, command, timeout=None)
    write(done.output)
    return done.exit_code
