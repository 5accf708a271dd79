"""Note in the database what there is of backups: the API shows it to Prometheus, which cannot see the files."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

from tradebot_ops.backups.shelf import Shelf
from tradebot_ops.clients.postgres_session import Session
from tradebot_ops.context import Ops
from tradebot_ops.errors import OpsError

_HAS_NOTES = "SELECT to_regclass('public.backup_note') IS NOT NULL AS has"
_NOTE = """
INSERT INTO public.backup_note (what, at) VALUES (%s, %s) ON CONFLICT (what) DO UPDATE SET at = excluded.at
"""
_FORGET = "DELETE FROM public.backup_note WHERE what = %s"


def note(ops: Ops, shelf: Shelf) -> tuple[str, ...]:
    """Note the newest usable backup, the last proof of a restore and the last that failed; a warning where that could
    not be done.

    One that could not be read or restored is none: by its manifest alone it would pass for a fresh one.
    """

    def write(session: Session) -> None:
        found = shelf.all()
        usable = [each for each in found if each.usable]
        _put(session, "taken", [each.at for each in usable])
        _put(session, "proved", [each.proof.moment for each in usable if each.proof])
        _put(session, "refuted", [each.refutation.moment or each.at for each in found if each.refutation])

    return _noted(ops, write)


@contextmanager
def clearing(ops: Ops) -> Iterator[None]:
    """Clear old backups away within this: whether it failed is noted, and the error goes on its way."""
    try:
        yield
    except OpsError:
        _noted(ops, lambda session: _put(session, "clearing_failed", [ops.clock()]))
        raise
    _noted(ops, lambda session: _put(session, "clearing_failed", []))


def _put(session: Session, what: str, moments: Sequence[datetime]) -> None:
    """Note the last of these moments; where there is none, nothing stays noted."""
    if moments:
        session.rows(_NOTE, (what, max(moments)))
    else:
        session.rows(_FORGET, (what,))


def _noted(ops: Ops, write: Callable[[Session], None]) -> tuple[str, ...]:
    """A schema from before the notes has no metrics of them either."""
    try:
        with ops.postgres.session() as session:
            if session.rows(_HAS_NOTES)[0]["has"]:
                write(session)
    except OpsError as error:
        return (f"The metrics of backups could not be brought up to date: {error.message}",)
    return ()
