"""Databases beside that of the stack: restored into, compared, and dropped or put in its place."""

from collections.abc import Iterator
from contextlib import contextmanager

from psycopg import sql

from tradebot_ops.backups.manifest import DatabaseFigures, Manifest, differences
from tradebot_ops.backups.shelf import AtFault, Backup
from tradebot_ops.clients.postgres_session import Session
from tradebot_ops.context import Ops
from tradebot_ops.operations.backup.figures import figures, server
from tradebot_ops.operations.backup.tools import Tools

#: The database that administration connects to.
ADMIN = "postgres"


def restore_into(ops: Ops, used: Tools, backup: Backup, manifest: Manifest, database: str) -> DatabaseFigures:
    """Restore into a new database of this name and compare it with the manifest.

    Raises ``AtFault`` TB-0133 where it is not the one that was backed up, each difference a line.
    """
    with ops.postgres.session(ADMIN) as admin:
        _make_roles(admin, manifest, used.user)
        admin.rows(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(database)))
    used.restore(backup.dump, database)
    with ops.postgres.session(database) as session:
        found = figures(session, manifest.format)
        same_major = int(server(session).partition(".")[0]) == manifest.major
    wrong = differences(manifest.database, found, same_major=same_major)
    if wrong:
        message = f"The backup {backup.id} was restored, and the data are not those that were backed up: {wrong[0]}"
        raise AtFault(
            message,
            code="TB-0133",
            hint="Use another one: tradebot backup list",
            detail=wrong[:20],
        )
    return found


@contextmanager
def scratch(ops: Ops, database: str) -> Iterator[str]:
    """A name for a database that is dropped afterwards, whatever happens to it; before, what a kill left of it."""
    remove(ops, database)
    try:
        yield database
    finally:
        remove(ops, database)


def remove(ops: Ops, database: str) -> None:
    """A database of a name that only restores use, such as one that was killed left."""
    with ops.postgres.session(ADMIN) as admin:
        drop(admin, database)


def drop(admin: Session, database: str) -> None:
    admin.rows(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(database)))


def exists(admin: Session, database: str) -> bool:
    return bool(admin.rows("SELECT 1 AS found FROM pg_database WHERE datname = %s", [database]))


def _make_roles(admin: Session, manifest: Manifest, owner: str) -> None:
    """Rights can only be given to accounts that exist. Without a password nobody can log in as one; the migration
    gives the stack's own theirs."""
    known = {row["name"] for row in admin.rows("SELECT rolname AS name FROM pg_roles")}
    for name, login in manifest.roles.items():
        if name not in known and name != owner:
            statement = "CREATE ROLE {} LOGIN" if login else "CREATE ROLE {}"
            admin.rows(sql.SQL(statement).format(sql.Identifier(name)))
