"""Migrations on a real Postgres: complete, safe to run several at once, and clear when in vain."""

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from alembic.script import ScriptDirectory

from services.common.migrate import HEAD, MIGRATIONS, PostgresNotReached, migrate, revision, upgrade
from services.common.settings import Settings
from tests.integration.parts import PostgresPart, new_database
from tests.waiting import free_port, until

pytestmark = pytest.mark.integration

JOB = "INSERT INTO job (id, type, payload) VALUES (gen_random_uuid(), 'x', '{}')"
INDEX = """SELECT indisvalid, pg_get_indexdef(indexrelid) FROM pg_index
    WHERE indexrelid = 'job_finished'::regclass"""
TABLES = {
    "job",
    "job_event",
    "job_effect",
    "job_notice",
    "api_call",
    "api_key",
    "halt",
    "queue_rule",
    "schedule",
    "series",
    "candle",
    "candle_file",
    "candle_file_part",
    "candle_rejected",
    "candle_rejected_count",
    "api_error",
    "alert_ack",
    "alert_event",
    "backup_note",
    "quarantine",
    "alembic_version",
}


def settings_for(postgres: PostgresPart, database: str) -> Settings:
    return Settings(database_url=postgres.url(database), database_password_file=postgres.password_file)


def tables(postgres: PostgresPart, database: str) -> set[str]:
    with postgres.connect(database) as connection:
        rows = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
    return {row[0] for row in rows}


def test_the_head_is_the_newest_revision() -> None:
    assert ScriptDirectory(str(MIGRATIONS)).get_current_head() == HEAD


@pytest.mark.parametrize("before", ["0001", "0002", "0003"])
def test_a_database_of_an_earlier_revision_is_brought_up_to_date(postgres: PostgresPart, before: str) -> None:
    settings = settings_for(postgres, new_database(postgres))
    upgrade(settings.postgres_dsn("migrate"), before)
    with postgres.connect(settings.database_url.rpartition("/")[2]) as connection:
        assert revision(connection) == before
        fault = "job" if before < "0003" else None
        connection.execute(
            "INSERT INTO job (id, type, payload, state, error_type) VALUES (gen_random_uuid(), 'x', '{}', 'dead', 'E')"
        )
        migrate(settings)
        assert revision(connection) == HEAD
        connection.execute("SELECT last_received_at FROM alert_event")
        assert connection.execute("SELECT fault, deferrals FROM job").fetchall() == [(fault, 0)]


def test_indexes_are_built_while_jobs_go_on(postgres: PostgresPart) -> None:
    """A writer that began before holds up the migration, and the migration holds up no other writer."""
    name = new_database(postgres)
    settings = settings_for(postgres, name)
    upgrade(settings.postgres_dsn("migrate"), "0003")
    with ThreadPoolExecutor(1) as pool, postgres.connect(name) as watch, postgres.connect(name) as slow:
        slow.execute("BEGIN")
        slow.execute(JOB)
        migration = pool.submit(migrate, settings)
        until(lambda: blocked(watch), "the migration waits for the writer", 20)
        watch.execute("SET lock_timeout = '2s'")
        watch.execute(JOB)
        slow.execute("COMMIT")
        migration.result(60)
        assert revision(watch) == HEAD


def test_what_an_interrupted_migration_has_built_is_built_anew(postgres: PostgresPart) -> None:
    name = new_database(postgres)
    settings = settings_for(postgres, name)
    upgrade(settings.postgres_dsn("migrate"), "0003")
    with postgres.connect(name) as connection:
        connection.execute("CREATE INDEX job_finished ON job (id)")
        migrate(settings)
        (built,) = connection.execute(INDEX).fetchall()
        assert built[0] is True
        assert built[1].endswith("(finished_at) WHERE (finished_at IS NOT NULL)")


def blocked(connection: psycopg.Connection) -> bool:
    """Whether something of this database waits for a lock."""
    query = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    return connection.execute(query).fetchone() is not None


def test_concurrent_runs_make_one_schema(postgres: PostgresPart) -> None:
    database = new_database(postgres)
    with ThreadPoolExecutor(4) as pool:
        for run in [pool.submit(migrate, settings_for(postgres, database)) for _ in range(4)]:
            run.result(60)
    assert tables(postgres, database) == TABLES | {"alembic_version"}


def test_waits_no_longer_than_its_deadline() -> None:
    settings = Settings(database_url=f"postgresql://tradebot@127.0.0.1:{free_port()}/x")
    with pytest.raises(PostgresNotReached, match=r"within 1 s: .*[Cc]onnection refused"):
        migrate(settings, wait_s=1)
