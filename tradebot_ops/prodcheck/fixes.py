"""The safe remedies of what failed: each is shown, then run as a command of its own."""

import shlex
import subprocess
import sys
from dataclasses import replace

from tradebot_ops.context import Ops
from tradebot_ops.operations import itself
from tradebot_ops.prodcheck.runner import Run, State

#: Warnings stay: what a person may live with is no reason to change the stack.
FIXED = frozenset({State.FAIL, State.ERROR})


def apply(ops: Ops, done: Run) -> frozenset[str]:
    """The ids of the checks whose fix was run; each command once. One that fails is seen by the look afterwards."""
    wanted = {
        result.check.id: result.check.fix for result in done.results if result.state in FIXED and result.check.fix
    }
    for command in dict.fromkeys(wanted.values()):
        ids = ", ".join(id_ for id_, fix in wanted.items() if fix == command)
        sys.stderr.write(f"Fix of {ids}: {command}\n")
        sys.stderr.flush()
        words = shlex.split(command.removeprefix("tradebot "))
        subprocess.run(
            [*itself.command(ops.settings), *words],
            env=dict(ops.settings.environ),
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr,
            check=False,
        )
    return frozenset(wanted)


def merged(before: Run, after: Run) -> Run:
    """The run with what was looked at again in place of what was found first."""
    new = {result.check.id: result for result in after.results}
    results = tuple(new.get(result.check.id, result) for result in before.results)
    return replace(before, results=results, seconds=before.seconds + after.seconds, retries=before.retries + 1)
