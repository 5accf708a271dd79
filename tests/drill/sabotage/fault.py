"""One fault: how it is made and unmade on a running stack, and which check must react."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

import psycopg

from tests.drill.faults import frozen, processes
from tests.integration.tradebot import Tradebot
from tradebot_ops.context import Ops
from tradebot_ops.settings import load_settings

Act = Callable[[Tradebot], None]


@dataclass(frozen=True)
class Fault:
    """``check`` must become ``state`` within ``within`` seconds; ``also`` are checks that may react because of the
    same fault. Within ``clean`` seconds after ``mend`` all are as before.

    Faults that edit files do so below ``stack.cwd``: the stack must be one of a folder of its own.
    """

    name: str
    check: str
    state: str
    inject: Act
    mend: Act
    also: tuple[str, ...] = ()
    within: float = 60.0
    #: A replica that was started again counts as young for a minute (SVC-03), targets are found anew.
    clean: float = 120.0
    #: Why only the local engine can have it.
    local: str = ""


def stopping(*services: str) -> tuple[Act, Act]:
    """Stops services, and starts them."""

    def inject(stack: Tradebot) -> None:
        stack.ok("stop", *services)

    def mend(stack: Tradebot) -> None:
        stack.ok("start", *services)

    return inject, mend


def editing(path: str, old: str, new: str) -> tuple[Act, Act]:
    """Puts ``new`` in place of the first ``old`` in a file of the stack, and back."""

    def replace(stack: Tradebot, before: str, after: str) -> None:
        file = stack.cwd / path
        text = file.read_text(encoding="utf-8")
        assert before in text, f"{path} has no {before!r}"
        file.write_text(text.replace(before, after, 1), encoding="utf-8")

    return lambda stack: replace(stack, old, new), lambda stack: replace(stack, new, old)


def hanging(replica: str) -> tuple[Act, Act]:
    """A replica that stands still: its port takes connections, and nobody answers."""

    holding: list[AbstractContextManager[None]] = []

    def inject(stack: Tradebot) -> None:
        still = frozen(processes(stack, replica))
        still.__enter__()
        holding.append(still)

    def mend(_stack: Tradebot) -> None:
        holding.pop().__exit__(None, None, None)

    return inject, mend


def ops_of(stack: Tradebot) -> Ops:
    """What a command typed for this stack works with."""
    return Ops(load_settings({"project": stack.project, "engine": stack.engine}, stack.environment(), stack.cwd))


def inside(service: str, *command: str) -> Act:
    """A command where the service runs: in its container, or on this host."""

    def run(stack: Tradebot) -> None:
        engine = ops_of(stack).engine
        (replica,) = [each for each in engine.list() if each.service == service]
        done = engine.exec(replica, command)
        assert done.exit_code == 0, done

    return run


def sql(*statements: str) -> Act:
    """Statements as the owner of the database, each by itself."""

    def run(stack: Tradebot) -> None:
        ops = ops_of(stack)
        address, password = ops.engine.endpoint("postgres", 5432), ops.secret("postgres_password").reveal()
        with psycopg.connect(
            host=address.host, port=address.port, user="tradebot", password=password, dbname="tradebot", autocommit=True
        ) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    return run
