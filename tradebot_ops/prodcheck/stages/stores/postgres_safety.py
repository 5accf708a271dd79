"""Postgres: what was committed survives a crash, and nothing piles up behind it."""

from tradebot_ops.facts.stores import postgres, postgres_access
from tradebot_ops.prodcheck.check import Severity, Verdict, check, failed, passed, warned, worst
from tradebot_ops.text.quantities import quantity
from tradebot_ops.text.sentences import ended

#: What is lost in a crash without them, against what is merely at risk.
MUST_BE_ON = ("fsync", "full_page_writes")
SHOULD_BE = {"synchronous_commit": "on", "data_checksums": "on", "password_encryption": "scram-sha-256"}
LOOPBACK = ("127.0.0.1", "::1", "localhost")
OPEN_METHODS = frozenset({"trust", "password"})
SNAPSHOT_WARN_S, SNAPSHOT_FAIL_S = 3600.0, 86_400.0
PREPARED_FAIL_S = 3600.0
HELD_WARN, HELD_FAIL = 1024**3, 10 * 1024**3


@check(
    "DAT-07",
    "Postgres is set to lose nothing and to ask for passwords",
    asks=(postgres.settings, postgres_access.access),
    severity=Severity.CRITICAL,
    source="Postgres: reliability, pg_hba.conf",
    needs=("DAT-05",),
    anchor="compose.yaml#postgres",
    remedy="tradebot restart postgres",
)
def safe(settings: dict[str, postgres.Setting], access: tuple[postgres_access.Access, ...]) -> Verdict:
    """fsync or full_page_writes off means a corrupt database after the next power cut. A line with `trust` lets
    everybody in who reaches the port, whatever the password is.
    """
    values = {name: settings[name].value for name in (*MUST_BE_ON, *SHOULD_BE)}
    shown: dict[str, str] = {
        "observed": ", ".join(f"{name} {value}" for name, value in values.items()),
        "expected": "all on, scram-sha-256, no trust beyond the local socket",
        "evidence": "pg_settings; pg_hba_file_rules: "
        + ", ".join(sorted({f"{rule.kind} {rule.address or '-'} {rule.method}" for rule in access})),
    }
    off = [name for name in MUST_BE_ON if values[name] != "on"]
    other = [f"{name} {values[name]}" for name, wanted in SHOULD_BE.items() if values[name] != wanted]
    opened = [rule for rule in access if rule.method in OPEN_METHODS and rule.kind != "local"]
    beyond = [rule for rule in opened if rule.address not in LOOPBACK]
    pending = sorted(name for name, setting in settings.items() if setting.pending)
    found = []
    if off:
        found.append(failed(f"{' and '.join(off)} off: a crash of the host destroys data.", **shown))
    if beyond:
        where = ", ".join(f"line {rule.line} ({rule.address})" for rule in beyond[:3])
        hint = "Write scram-sha-256 in that line of pg_hba.conf, then: tradebot restart postgres"
        found.append(failed(f"pg_hba.conf lets others in without a hashed password: {where}.", **shown, hint=hint))
    elif opened:
        found.append(warned("pg_hba.conf trusts whoever connects from this host.", **shown))
    if other:
        found.append(warned(f"Not as it should be: {', '.join(other)}.", **shown))
    if pending:
        found.append(warned(f"Changed, and waiting for a restart: {', '.join(pending[:3])}.", **shown))
    return worst(found) if found else passed("Postgres is set to lose nothing.", **shown)


@check(
    "DAT-11",
    "Nothing keeps Postgres from clearing away",
    asks=(postgres.horizon, postgres.connections),
    severity=Severity.MAJOR,
    source="Postgres: replication slots, two-phase commit",
    needs=("DAT-05",),
    anchor="compose.yaml#postgres",
    remedy="tradebot restart worker",
)
def clears(horizon: postgres.Horizon, connections: postgres.Connections) -> Verdict:
    """An old snapshot keeps every dead row since then, a replication slot that nobody reads every byte of the log: the
    disk fills, and Postgres stops.
    """
    held = sum(slot.held for slot in horizon.idle_slots)
    shown: dict[str, str] = {
        "observed": f"oldest transaction {quantity(horizon.oldest_snapshot_s, 's')}, {len(horizon.prepared)} prepared, "
        f"{len(horizon.idle_slots)} idle slots holding {quantity(held, 'bytes')}",
        "expected": "under 1 h, 0 prepared, 0 idle slots",
        "evidence": "pg_stat_activity, pg_prepared_xacts, pg_replication_slots",
    }
    found = []
    if horizon.oldest_snapshot_s > SNAPSHOT_WARN_S:
        old = failed if horizon.oldest_snapshot_s > SNAPSHOT_FAIL_S else warned
        found.append(old(f"A transaction is open for {quantity(horizon.oldest_snapshot_s, 's')}.", **shown))
    if horizon.prepared:
        name, age = horizon.prepared[-1]
        bad = failed if age > PREPARED_FAIL_S else warned
        hint = f"In `tradebot shell postgres`, as its psql: ROLLBACK PREPARED '{name}'"
        found.append(bad(f"A prepared transaction waits for its end: {name}.", **shown, hint=hint))
    if horizon.idle_slots:
        bad = failed if held > HELD_FAIL else warned
        names = ", ".join(slot.name for slot in horizon.idle_slots[:3])
        hint = "In `tradebot shell postgres`, as its psql: SELECT pg_drop_replication_slot('NAME')"
        found.append(bad(f"Nobody reads the replication slots: {names}.", **shown, hint=hint))
    if connections.idle_in_transaction:
        found.append(warned("Connections hold transactions open for more than five minutes.", **shown))
    return worst(found) if found else passed("Nothing keeps Postgres from clearing away.", **shown)


@check(
    "DAT-12",
    "Nothing in the database is damaged",
    asks=(postgres.integrity,),
    severity=Severity.CRITICAL,
    source="Postgres: data checksums, amcheck",
    needs=("DAT-05",),
    anchor="compose.yaml#--data-checksums",
    remedy="tradebot logs postgres --tail 50",
)
def undamaged(integrity: postgres.Integrity) -> Verdict:
    """Bad disks and memory change bytes without a word. Checksums notice that in what is read; amcheck reads the
    indexes now, because a damaged one returns wrong rows and no error.
    """
    shown: dict[str, str] = {
        "observed": f"checksums {'on' if integrity.checksums else 'off'}, {integrity.failures} failures, "
        f"{integrity.checked} indexes checked now",
        "expected": "checksums on, 0 failures, every index in order",
        "evidence": f"pg_stat_database.checksum_failures; bt_index_check: {integrity.checked} read, "
        f"{integrity.skipped} larger than 64 MiB left out",
    }
    hint = "Stop writing, keep the data as it is, and restore: tradebot stop worker api"
    found = []
    if integrity.failures:
        found.append(failed(f"{integrity.failures} blocks differ from what the checksums say.", **shown, hint=hint))
    if integrity.damage:
        found.append(failed(f"An index is damaged: {ended(integrity.damage)}", **shown, hint=hint))
    if not integrity.checksums:
        found.append(failed("Damage would not be noticed: checksums are off.", **shown))
    if integrity.why:
        found.append(warned(f"The indexes were not checked: {integrity.why}.", **shown))
    elif integrity.skipped:
        found.append(warned(f"{integrity.skipped} large indexes were not checked.", **shown))
    return worst(found) if found else passed("Nothing in the database is damaged.", **shown)
