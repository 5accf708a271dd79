"""``python -m services.common.migrate``: bring the database's schema up to date.

Waits for Postgres with a deadline, in a loop of its own: stamina would save five lines and bring itself and tenacity
into every image. Concurrent runs queue up behind an advisory lock; the later ones find
nothing to do.
"""

import sys
import time
from pathlib import Path

import psycopg
import structlog
from psycopg import sql
from pydantic import SecretStr

from services.common.logging import configure_logging
from services.common.settings import Settings

WAIT_S = 60.0
#: Between two looks whether another migration is done.
TURN_S = 0.2
LOCK_KEY = "tradebot.migrate"
#: The newest revision in ``migrations/versions``.
HEAD = "0023"
#: The account of the API and the workers, and that of the Postgres exporter.
APP = "tradebot_app"
EXPORTER = "exporter"
MIGRATIONS = Path(__file__).parent / "migrations"

log = structlog.get_logger(__name__)


class PostgresNotReached(Exception):  # noqa: N818 - reads as what it is
    """Postgres did not let us in before the deadline."""


def connect(dsn: SecretStr, wait_s: float = WAIT_S) -> psycopg.Connection:
    """A connection, as soon as Postgres accepts one; ``PostgresNotReached`` after ``wait_s`` seconds."""
    deadline = time.monotonic() + wait_s
    pause = 0.1
    while True:
        try:
            return psycopg.connect(dsn.get_secret_value())
        except psycopg.OperationalError as error:
            reason = " ".join(str(error).split())
            if time.monotonic() + pause > deadline:
                raise PostgresNotReached(f"Postgres not reached within {wait_s:.0f} s: {reason}") from error
            log.info("waiting for postgres", reason=reason)
        time.sleep(pause)
        pause = min(pause * 2, 2.0)


def migrate(settings: Settings, wait_s: float = WAIT_S) -> None:
    """Run every migration that this database lacks."""
    dsn = settings.postgres_dsn("migrate", statement_timeout_s=0, lock_timeout_s=0)
    with connect(dsn, wait_s) as guard:
        # Held by the session, so a migrator that dies frees it; a rolled back migration does not.
        _wait_for_turn(guard)
        known = revision(guard)
        guard.commit()  # no transaction may stand in the way of what changes tables
        if known != HEAD:
            upgrade(dsn)
        if (password := settings.app_password()) is not None:
            make_app(guard, password.get_secret_value())
        if (password := settings.exporter_password()) is not None:
            make_exporter(guard, password.get_secret_value())


def _wait_for_turn(guard: psycopg.Connection) -> None:
    """By asking again and again: a statement that waits for the lock is what building an index would wait for."""
    lock = sql.SQL("SELECT pg_try_advisory_lock(hashtextextended({}, 0))").format(LOCK_KEY)
    while guard.execute(lock).fetchone() != (True,):
        guard.commit()
        time.sleep(TURN_S)
    guard.commit()


def revision(guard: psycopg.Connection) -> str | None:
    """That of the database; None for one that was never migrated."""
    if guard.execute("SELECT to_regclass('alembic_version')").fetchone() == (None,):
        return None
    row = guard.execute("SELECT version_num FROM alembic_version").fetchone()
    return str(row[0]) if row else None


def upgrade(dsn: SecretStr, to: str = HEAD) -> None:
    """Bring the schema to this revision; libraries that take a third of a second are loaded only for this."""
    from alembic import command
    from alembic.config import Config
    from sqlalchemy import create_engine
    from sqlalchemy.pool import NullPool

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))

    def connected() -> psycopg.Connection:
        return psycopg.connect(dsn.get_secret_value())

    engine = create_engine("postgresql+psycopg://", creator=connected, poolclass=NullPool)
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, to)


def make_app(admin: psycopg.Connection, password: str) -> None:
    """Make the account of the API and the workers: it reads and writes rows, and changes no table.

    Rights are granted anew at every migration, which is where tables come from.
    """
    _make_login(admin, APP, password)
    role = sql.Identifier(APP)
    admin.execute(sql.SQL("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {}").format(role))
    admin.execute(sql.SQL("GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {}").format(role))
    admin.execute(sql.SQL("REVOKE INSERT, UPDATE, DELETE ON alembic_version FROM {}").format(role))
    admin.commit()


def make_exporter(admin: psycopg.Connection, password: str) -> None:
    """Make the user of the Postgres exporter: it may look at statistics, and read no table of ours."""
    admin.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
    _make_login(admin, EXPORTER, password)
    admin.execute(sql.SQL("GRANT pg_monitor TO {}").format(sql.Identifier(EXPORTER)))
    admin.commit()


def _make_login(admin: psycopg.Connection, name: str, password: str) -> None:
    # Hashed here: a plain password would stand in the server's log and in pg_stat_statements.
    hashed = admin.pgconn.encrypt_password(password.encode(), name.encode(), b"scram-sha-256").decode()
    if admin.execute("SELECT FROM pg_roles WHERE rolname = %s", [name]).fetchone() is None:
        admin.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(name)))
    admin.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(name), hashed))


def main() -> int:
    try:
        settings = Settings()
        configure_logging(settings)
    except (ValueError, OSError) as error:
        raise SystemExit(f"The migration cannot start: {error}") from error
    try:
        migrate(settings)
    except PostgresNotReached as error:
        log.error("migration failed", reason=str(error))  # noqa: TRY400 - the reason is enough
        return 1
    log.info("schema is up to date")
    return 0


if __name__ == "__main__":
    sys.exit(main())
