"""Stage 10 broken on purpose."""

import os
from contextlib import AbstractContextManager

from tests.drill.sabotage.fault import Act, Fault, editing
from tests.integration.tradebot import Tradebot
from tradebot_ops.state import ProjectState

_PAGE = "docs/runbooks/RedisDown.md"


def _held() -> tuple[Act, Act]:
    """The project's lease, held by this process as if for two hours."""
    holding: list[AbstractContextManager[None]] = []

    def inject(stack: Tradebot) -> None:
        lock = ProjectState(stack.state).lock("sabotage")
        lock.__enter__()
        holding.append(lock)
        file = stack.state / "lock"
        long_ago = file.stat().st_mtime - 7200
        os.utime(file, (long_ago, long_ago))

    def mend(_stack: Tradebot) -> None:
        holding.pop().__exit__(None, None, None)

    return inject, mend


def _without_page() -> tuple[Act, Act]:
    def inject(stack: Tradebot) -> None:
        (stack.cwd / _PAGE).rename(stack.cwd / f"{_PAGE}.away")

    def mend(stack: Tradebot) -> None:
        (stack.cwd / f"{_PAGE}.away").rename(stack.cwd / _PAGE)

    return inject, mend


FAULTS = (
    Fault("the project held for hours", "OPS-05", "warn", *_held()),
    Fault("no runbook for a critical alert", "OPS-08", "fail", *_without_page(), also=("ALR-02",)),
    Fault("a runbook with a command that does not exist", "OPS-08", "warn",
          *editing(_PAGE, "tradebot restart redis", "tradebot resurrect redis")),
)  # fmt: skip
