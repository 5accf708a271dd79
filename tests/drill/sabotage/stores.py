"""Stage 6 broken on purpose."""

from collections.abc import Callable
from contextlib import closing

import redis

from tests.drill.sabotage.fault import Act, Fault, inside, ops_of, sql, stopping
from tests.integration.tradebot import Tradebot

_RELOAD = "SELECT pg_reload_conf(), pg_sleep(0.3)"  # the server reads its files a moment later
_TRUST = "host all all 0.0.0.0/0 trust"


def _redis(act: Callable[[redis.Redis, str], object]) -> Act:
    """``act`` gets a client that is logged in, and the password."""

    def run(stack: Tradebot) -> None:
        ops = ops_of(stack)
        address, password = ops.engine.endpoint("redis", 6379), ops.secret("redis_password").reveal()
        with closing(redis.Redis(host=address.host, port=address.port, password=password)) as client:
            act(client, password)

    return run


def _config(name: str, value: str, before: str) -> tuple[Act, Act]:
    return (
        _redis(lambda client, _: client.config_set(name, value)),
        _redis(lambda client, _: client.config_set(name, before)),
    )


def open_to_all() -> tuple[Act, Act]:
    """Without its protected mode, which would turn away whoever does not come from Redis' own host."""
    kept: list[str] = []

    def inject(client: redis.Redis, _password: str) -> None:
        kept.append(str(client.config_get("protected-mode")["protected-mode"]))
        client.config_set("protected-mode", "no")
        client.execute_command("ACL", "SETUSER", "default", "nopass")

    def mend(client: redis.Redis, password: str) -> None:
        client.execute_command("ACL", "SETUSER", "default", "resetpass", f">{password}")
        client.config_set("protected-mode", kept.pop())

    return _redis(inject), _redis(mend)


def _setting(name: str, value: str) -> tuple[Act, Act]:
    return sql(f"ALTER SYSTEM SET {name} = {value}", _RELOAD), sql(f"ALTER SYSTEM RESET {name}", _RELOAD)


def _piped(text: str, command: str) -> Act:
    """Postgres hands the text to a command in its own data folder, wherever that is."""
    return sql(f"COPY (SELECT '{text}') TO PROGRAM '{command}'", _RELOAD)


def _trusting() -> tuple[Act, Act]:
    """A line at the end of pg_hba.conf, and away with it."""
    return _piped(_TRUST, "cat >>pg_hba.conf"), _piped("", r"cat >/dev/null; sed -i \$d pg_hba.conf")


def _log_folder(old: str, new: str) -> Act:
    """Renames the folder of Redis' append-only log, from the folder that Redis works in."""
    return inside("redis", "mv", old, new)


#: Who else notices that a data store is away.
_DEPENDANTS = ("SVC-01", "SVC-02", "SVC-06", "API-01", "API-02")

FAULTS = (
    Fault("Redis stopped", "DAT-01", "error", *stopping("redis"), also=_DEPENDANTS),
    Fault("eviction on", "DAT-02", "fail", *_config("maxmemory-policy", "allkeys-lru", "noeviction"), also=("DAT-13",)),
    Fault("no memory limit", "DAT-02", "fail", *_config("maxmemory", "0", "512mb"), also=("DAT-10", "DAT-13")),
    Fault("a memory limit that nobody described", "DAT-13", "fail", *_config("maxmemory", "400mb", "512mb"),
          also=("DAT-10",)),
    Fault("AOF off", "DAT-03", "fail", *_config("appendonly", "no", "yes"), also=("DAT-13",)),
    Fault("AOF never written through", "DAT-13", "fail", *_config("appendfsync", "no", "everysec")),
    Fault("AOF files away", "DAT-13", "fail", _log_folder("appendonlydir", "away"),
          _log_folder("away", "appendonlydir")),
    Fault("Redis open to all", "DAT-04", "fail", *open_to_all(), also=("SEC-01",)),
    Fault("Postgres stopped", "DAT-05", "error", *stopping("postgres"), also=_DEPENDANTS),
    Fault("fsync off", "DAT-07", "fail", *_setting("fsync", "off")),
    Fault("full_page_writes off", "DAT-07", "fail", *_setting("full_page_writes", "off")),
    Fault("commits that do not wait for the disk", "DAT-07", "warn", *_setting("synchronous_commit", "off")),
    Fault("passwords hashed as MD5", "DAT-07", "warn", *_setting("password_encryption", "md5")),
    Fault("a setting that waits for a restart", "DAT-07", "warn",
          sql("ALTER SYSTEM SET max_wal_senders = 12", _RELOAD),
          # Only a reload with the value in force takes the mark away.
          sql("ALTER SYSTEM SET max_wal_senders = 10", _RELOAD, "ALTER SYSTEM RESET max_wal_senders", _RELOAD)),
    Fault("a trust line", "DAT-07", "fail", *_trusting(), also=("SEC-01",)),
    Fault("an invalid index", "DAT-08", "fail",
          sql("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'job_by_type'::regclass"),
          sql("UPDATE pg_index SET indisvalid = true WHERE indexrelid = 'job_by_type'::regclass")),
    Fault("services that are superusers", "DAT-09", "fail", sql("ALTER ROLE tradebot_app SUPERUSER"),
          sql("ALTER ROLE tradebot_app NOSUPERUSER"), also=("DAT-15",)),
    Fault("a monitoring account that may write", "DAT-09", "fail", sql("GRANT pg_write_all_data TO exporter"),
          sql("REVOKE pg_write_all_data FROM exporter")),
    Fault("a schema of yesterday", "DAT-09", "fail", sql("UPDATE alembic_version SET version_num = '0001'"),
          sql("UPDATE alembic_version SET version_num = '0003'")),
    Fault("a slot that nobody reads", "DAT-11", "warn",
          sql("SELECT pg_create_physical_replication_slot('sabotage', true)"),
          sql("SELECT pg_drop_replication_slot('sabotage')")),
    Fault("one superuser more", "DAT-15", "fail", sql("CREATE ROLE mallory SUPERUSER LOGIN"),
          sql("DROP ROLE mallory")),
    Fault("everybody may create", "DAT-15", "fail", sql("GRANT CREATE ON SCHEMA public TO PUBLIC"),
          sql("REVOKE CREATE ON SCHEMA public FROM PUBLIC")),
    Fault("a function with its owner's rights", "DAT-15", "warn",
          sql("CREATE FUNCTION sudo() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'"),
          sql("DROP FUNCTION sudo()")),
    Fault("a sequence near its end", "DAT-15", "fail", sql("SELECT setval('series_id_seq', 2000000000)"),
          sql("SELECT setval('series_id_seq', (SELECT max(id) FROM series))")),
)  # fmt: skip
