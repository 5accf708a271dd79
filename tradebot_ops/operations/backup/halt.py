"""Let no job of a restored ledger start by itself: what waited when the backup was taken may be old news by now."""

from collections.abc import Mapping

from tradebot_ops.clients.postgres_session import Session
from tradebot_ops.operations.trade import halting

#: The worker that held it is not there any more, and its message neither: the sweeper sends both again. A job that
#: waits for its parts has no lease, and gets none.
_VOID = """
UPDATE public.job SET lease_until = CASE WHEN lease_until > now() THEN now() ELSE lease_until END,
  sent_at = CASE WHEN state = 'running' THEN sent_at END, sends = 0
WHERE state IN ('queued', 'retrying', 'running')
"""
_STATES = "SELECT state, count(*) AS jobs FROM public.job WHERE state NOT IN ('succeeded', 'cancelled') GROUP BY state"


def halt(session: Session, reason: str, by: str) -> Mapping[str, int] | None:
    """Halt the stack and void what was under way; the jobs that are not over, by state. None for a schema that is older
    than the halt.
    """
    if not halting.has_halts(session):
        return None
    with session.transaction():
        halting.halt(session, reason, by)
        session.rows(_VOID)
    return {row["state"]: row["jobs"] for row in session.rows(_STATES)}
