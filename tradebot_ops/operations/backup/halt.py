"""Let no job of a restored ledger start by itself: what waited when the backup was taken may be old news by now."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tradebot_ops.clients.postgres_session import Session

#: They trade nothing, and prove after the restore that the stack works.
HARMLESS = ["canary", "failing_canary"]

_HAS_RULES = "SELECT to_regclass('public.queue_rule') IS NOT NULL AND to_regclass('public.schedule') IS NOT NULL AS has"
_PAUSE = """
INSERT INTO public.queue_rule AS rule (type, paused, reason, by)
SELECT type, true, %s, %s FROM (
  SELECT type FROM public.job WHERE state IN ('queued', 'retrying', 'running') UNION SELECT type FROM public.schedule
) AS waiting WHERE type <> ALL(%s)
ON CONFLICT (type) DO UPDATE SET paused = true, reason = excluded.reason, by = excluded.by, at = now()
"""
#: The worker that held it is not there any more, and its message neither: the sweeper sends both again. A job that
#: waits for its parts has no lease, and gets none.
_VOID = """
UPDATE public.job SET lease_until = CASE WHEN lease_until > now() THEN now() ELSE lease_until END,
  sent_at = CASE WHEN state = 'running' THEN sent_at END, sends = 0
WHERE state IN ('queued', 'retrying', 'running')
"""
_PAUSED = "SELECT type FROM public.queue_rule WHERE paused ORDER BY type"
_STATES = "SELECT state, count(*) AS jobs FROM public.job WHERE state NOT IN ('succeeded', 'cancelled') GROUP BY state"


@dataclass(frozen=True)
class Halted:
    """Types of jobs that wait for an operator, and the jobs that are not over, by state."""

    types: tuple[str, ...] = ()
    jobs: Mapping[str, int] = field(default_factory=dict)


def halt(session: Session, reason: str, by: str) -> Halted | None:
    """Pause each type that has jobs or schedules, and void what was under way; None for a schema without pauses."""
    if not session.rows(_HAS_RULES)[0]["has"]:
        return None
    with session.transaction():
        session.rows(_PAUSE, (reason, by, HARMLESS))
        session.rows(_VOID)
    return Halted(
        tuple(row["type"] for row in session.rows(_PAUSED)),
        {row["state"]: row["jobs"] for row in session.rows(_STATES)},
    )
