"""The halt of the whole stack: from then on no job starts and none is accepted, until an operator resumes.

Canaries go on: they trade nothing, and prove that a halted stack works. Whatever runs goes on to its end. What waits
keeps its place, its attempts and its messages' due times; the sweeper sends it once the halt has ended.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from services.common.database import Database, storable_text
from services.common.jobtypes import FAILS_ON_PURPOSE

#: Job types that trade nothing.
HARMLESS = ("canary", FAILS_ON_PURPOSE)

IN_FORCE = "EXISTS (SELECT FROM halt WHERE ended_at IS NULL)"


def unless_halted(type_: str) -> str:
    """The condition that a job of this type, an SQL expression, may be accepted and may start."""
    harmless = ", ".join(f"'{name}'" for name in HARMLESS)
    return f"(NOT {IN_FORCE} OR {type_} IN ({harmless}))"


# Whoever halts a halted stack gets the halt that is in force.
HALT = """
INSERT INTO halt (by, reason) VALUES (%(by)s, %(reason)s) ON CONFLICT ((true)) WHERE ended_at IS NULL DO NOTHING
"""
RESUME = "UPDATE halt SET ended_at = now(), ended_by = %(by)s, ended_reason = %(reason)s WHERE ended_at IS NULL"
LATEST = "SELECT at, by, reason, ended_at, ended_by, ended_reason FROM halt ORDER BY id DESC LIMIT 1"
NOW_IN_FORCE = "SELECT at, by, reason FROM halt WHERE ended_at IS NULL"


class StackHalted(Exception):  # noqa: N818 - reads as what it is
    """The stack takes and starts no jobs."""

    def __init__(self, at: datetime, by: str, reason: str) -> None:
        why = f": {reason.rstrip('.')}" if reason else ""
        super().__init__(
            f"{by} halted the stack at {at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC{why}. Resume it: tradebot resume"
        )


@dataclass(frozen=True, slots=True)
class Halt:
    """The latest halt; in force while it has no end."""

    at: datetime
    by: str
    reason: str
    ended_at: datetime | None
    ended_by: str | None
    ended_reason: str | None

    @property
    def in_force(self) -> bool:
        return self.ended_at is None


class Halts:
    """All methods raise ``DatabaseUnavailable``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def latest(self) -> Halt | None:
        """None where the stack was never halted."""
        row = self._database.row(LATEST)
        return Halt(**row) if row else None

    def halt(self, *, by: str, reason: str) -> None:
        """From here on no claim and no submission succeeds; one that is in force stays as it is."""
        self._database.execute(HALT, {"by": by, "reason": storable_text(reason)})

    def resume(self, *, by: str, reason: str = "") -> None:
        """End the halt, if one is in force."""
        self._database.execute(RESUME, {"by": by, "reason": storable_text(reason)})


def raise_if_halted(database: Database, type_: str) -> None:
    """Raise ``StackHalted`` where this is why a job of the type was not taken."""
    if type_ not in HARMLESS and (row := database.row(NOW_IN_FORCE)):
        raise StackHalted(**row)
