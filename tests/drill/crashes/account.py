"""What became of the jobs, by the ledger and by what they wrote."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import quantiles
from typing import Any
from uuid import UUID

import psycopg

from tests.drill.crashes.harm import Harm

#: Soon enough after a blow for a store to be there again.
BACK = timedelta(seconds=6)

_DOUBLED = "SELECT count(*) FROM (SELECT FROM {} GROUP BY job HAVING count(*) > 1) AS doubled"
_FINISHED = """
SELECT count(*) FROM (SELECT FROM job_event WHERE state = 'succeeded' GROUP BY job_id HAVING count(*) > 1) AS twice
"""
_WITHOUT_EFFECT = """
SELECT count(*) FROM job
WHERE type = 'crash_drill' AND state = 'succeeded' AND id::text NOT IN (SELECT job FROM drill_effect)
"""
_NEXT = "SELECT min(at) FROM job_event WHERE job_id = %s AND state = 'running' AND at > %s"
_UNDER_WAY = "SELECT id, state FROM job WHERE state NOT IN ('succeeded', 'dead', 'cancelled')"


@dataclass(frozen=True)
class Account:
    """``lost`` are accepted and not in the ledger; ``takeovers`` are seconds until a killed job ran again, by kind;
    those of job processes while the stores were there: without them nobody can even know of a loss.
    """

    lost: int
    dead: list[str]
    finished_twice: int
    doubled_plain: int
    doubled_effect: int
    without_effect: int
    takeovers: dict[str, list[float]]


def under_way(ledger: psycopg.Connection[Any]) -> list[tuple[UUID, str]]:
    return ledger.execute(_UNDER_WAY).fetchall()


def account(ledger: psycopg.Connection[Any], accepted: Sequence[UUID], harm: Harm) -> Account:
    known = {row[0] for row in ledger.execute("SELECT id FROM job")}
    dead = ledger.execute("SELECT id, fault, kills, deferrals, message FROM job WHERE state = 'dead'").fetchall()
    takeovers: dict[str, list[float]] = {}
    for kill in harm.kills:
        again: datetime | None = _number(ledger, _NEXT, kill.job, kill.at)
        # Without one it had ended in the moment of the kill.
        if again is not None and (kill.kind == "worker" or not _outage(harm, kill.at, again)):
            takeovers.setdefault(kill.kind, []).append((again - kill.at).total_seconds())
    return Account(
        lost=len(set(accepted) - known),
        dead=[" ".join(map(str, row)) for row in dead],
        finished_twice=_number(ledger, _FINISHED),
        doubled_plain=_number(ledger, _DOUBLED.format("drill_plain")),
        doubled_effect=_number(ledger, _DOUBLED.format("drill_effect")),
        without_effect=_number(ledger, _WITHOUT_EFFECT),
        takeovers=takeovers,
    )


def _outage(harm: Harm, start: datetime, end: datetime) -> bool:
    return any(start - BACK < at < end for at in harm.outages)


def _number(ledger: psycopg.Connection[Any], query: str, *params: object) -> Any:
    (value,) = ledger.execute(query.encode(), params or None).fetchone() or (None,)
    return value


def percentile(seconds: Sequence[float], percent: int) -> float:
    if len(seconds) < 2:
        return max(seconds, default=0.0)
    return quantiles(seconds, n=100, method="inclusive")[percent - 1]
