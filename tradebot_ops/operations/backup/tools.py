"""Postgres' own tools, run where Postgres runs: so they fit its version, and need neither address nor password."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tradebot_ops.backups.shelf import AtFault
from tradebot_ops.context import Ops
from tradebot_ops.engines.base import Engine, Pipes, Replica
from tradebot_ops.errors import NotRunning, Unsupported
from tradebot_ops.private_folder import writable

_VERSION = re.compile(r"\(PostgreSQL\) (\d+)")


class ToolFailed(AtFault):
    """A tool of Postgres ended with an exit code other than 0; ``detail`` are its last lines."""


@dataclass(frozen=True)
class Tools:
    """The tools beside one running Postgres."""

    engine: Engine
    pipes: Pipes
    replica: Replica
    user: str
    database: str

    def dump(self, snapshot: str, target: Path) -> None:
        """The database as it was at the snapshot, in Postgres' own form, uncompressed: so copies share their blocks.

        Raises ``ToolFailed``; ``OpsError`` TB-0802 where the disk is full.
        """
        words = ("--format=custom", "--compress=0", "--lock-wait-timeout=15s", f"--snapshot={snapshot}")
        with writable(target), target.open("wb") as sink:
            done = self.pipes.piped(self.replica, self._words("pg_dump", self.database, words), sink=sink)
        if done.exit_code != 0:
            raise _failed("pg_dump", "The database could not be dumped", done.output)

    def read(self, dump: Path) -> None:
        """Read a dump to its end, as a restore would, and throw it away. Raises ``ToolFailed``.

        Listing its contents is no proof: that succeeds for a dump whose end is missing.
        """
        with dump.open("rb") as source:
            done = self.pipes.piped(self.replica, ("pg_restore", "--file=/dev/null"), source=source)
        if done.exit_code != 0:
            raise _failed("pg_restore", "The dump cannot be read", done.output)

    def restore(self, dump: Path, database: str) -> None:
        """Restore a dump into an empty database. Raises ``ToolFailed`` at the first error."""
        words = ("--exit-on-error", "--no-owner")
        with dump.open("rb") as source:
            done = self.pipes.piped(self.replica, self._words("pg_restore", database, words), source=source)
        if done.exit_code != 0:
            raise _failed("pg_restore", "The dump could not be restored", done.output)

    def examine(self, database: str) -> None:
        """Read every page of tables and indexes (pg_amcheck). Raises ``ToolFailed``."""
        words = (f"--username={self.user}", "--no-password", f"--database={database}", "--install-missing")
        done = self.pipes.piped(self.replica, ("pg_amcheck", *words, "--heapallindexed"))
        if done.exit_code != 0:
            raise _failed("pg_amcheck", "The restored database is damaged", done.output)

    def version(self) -> int:
        """The major version of the tools; 0 where it is not known."""
        done = self.engine.exec(self.replica, ("pg_dump", "--version"))
        found = _VERSION.search(done.output)
        return int(found[1]) if found else 0

    def _words(self, tool: str, database: str, words: Sequence[str]) -> tuple[str, ...]:
        return (tool, f"--username={self.user}", "--no-password", f"--dbname={database}", *words)


def tools(ops: Ops) -> Tools:
    """The tools of the running Postgres. Raises ``NotRunning`` TB-0535."""
    engine = ops.engine
    if not isinstance(engine, Pipes):
        raise Unsupported(f"The {engine.name} engine makes no backups.", hint="Use --engine local or --engine docker.")
    running = [found for found in engine.list() if found.service == "postgres" and found.state.alive]
    if not running:
        raise NotRunning("Postgres does not run.", code="TB-0535", hint="tradebot up")
    declared = ops.stack.services["postgres"].environment
    user = declared.get("POSTGRES_USER", "postgres")
    return Tools(engine, engine, running[0], user, declared.get("POSTGRES_DB", user))


def _failed(tool: str, message: str, output: str) -> ToolFailed:
    lines = [line for line in output.strip().splitlines() if line.strip()]
    reason = lines[0].partition("error: ")[2] or lines[0] if lines else f"{tool} gave no reason"
    return ToolFailed(
        f"{message}: {reason.rstrip('.')}.",
        code="TB-0131",
        hint="tradebot logs postgres --tail 50; tradebot diag disk",
        detail=tuple(lines[-5:]),
    )
