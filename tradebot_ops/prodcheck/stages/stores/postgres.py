"""Postgres: it keeps what it is given, has connections to spare, and is in good health."""

from collections import Counter

from tradebot_ops.facts.project import stack
from tradebot_ops.facts.stores import postgres
from tradebot_ops.prodcheck.check import Severity, Verdict, check, failed, passed, warned, worst
from tradebot_ops.stack.model import Stack
from tradebot_ops.text.quantities import quantity

SLOW_S = 1.0
#: Connections that one replica may open at most; a test compares them with what the services say.
POOLS = {"api": 10, "worker": 3, "postgres-exporter": 3}
TAKEN_WARN, TAKEN_FAIL = 0.7, 0.9
WRAP_WARN, WRAP_FAIL = 0.5, 0.75
DEAD_SHARE = 0.4
CACHE_HITS, CACHE_BLOCKS = 0.99, 100_000
LONG_QUERY_S = 300.0


@check(
    "DAT-05",
    "Postgres keeps a row",
    asks=(postgres.written,),
    severity=Severity.CRITICAL,
    source="brief: Database health",
    anchor="compose.yaml#postgres",
    remedy="tradebot logs postgres --tail 50",
)
def keeps(written: postgres.Written) -> Verdict:
    """A row is written and read with the account of the services, and rolled back. A database that only reads, whose
    disk is full or whose password is another one answers a ping all the same.
    """
    observed = f"{quantity(written.seconds, 's')} with login"
    evidence = "CREATE TABLE, INSERT, SELECT, ROLLBACK"
    expected = f"read back, within {quantity(SLOW_S, 's')}"
    if not written.read_back:
        return failed("Postgres did not return the row that was written.", observed=observed, evidence=evidence)
    if written.seconds > SLOW_S:
        return warned("Postgres is slow.", observed=observed, expected=expected, evidence=evidence)
    return passed("Postgres keeps a row.", observed=observed, expected=expected, evidence=evidence)


@check(
    "DAT-06",
    "There are connections to Postgres for everybody",
    asks=(postgres.connections, stack.description),
    severity=Severity.MAJOR,
    source="Postgres: max_connections; brief: alert HighDatabaseConnections",
    needs=("DAT-05",),
    anchor="compose.yaml#max_connections",
    remedy="tradebot scale workers 2",
)
def connections(found: postgres.Connections, stack: Stack) -> Verdict:
    """Whoever comes after the last connection is refused: jobs fail that have nothing to do with it. The pools of all
    replicas together must fit, because one day they are all full.
    """
    replicas = Counter({name: service.replicas for name, service in stack.services.items() if name in POOLS})
    wanted = sum(POOLS[name] * count for name, count in replicas.items())
    share = found.used / found.most
    shown: dict[str, str] = {
        "observed": f"{found.used} of {found.most} taken, pools may take {wanted}",
        "expected": f"at most {TAKEN_WARN:.0%} taken, pools up to {found.most}",
        "evidence": "pg_stat_activity; max_connections less the reserved; "
        + ", ".join(f"{name} {count} × {POOLS[name]}" for name, count in replicas.items()),
    }
    verdicts = []
    if share > TAKEN_WARN:
        full = failed if share > TAKEN_FAIL else warned
        verdicts.append(full(f"{share:.0%} of the connections are taken.", **shown))
    if wanted > found.most:
        hint = "Raise POSTGRES_MAX_CONNECTIONS and run `tradebot up`, or run fewer workers."
        verdicts.append(failed("The pools together are larger than what Postgres allows.", **shown, hint=hint))
    if found.idle_in_transaction:
        count = len(found.idle_in_transaction)
        message = f"{count} connections hold a transaction open: {_few(found.idle_in_transaction)}."
        verdicts.append(warned(message, **shown, hint="tradebot restart worker"))
    return worst(verdicts) if verdicts else passed("There are connections for everybody.", **shown)


@check(
    "DAT-08",
    "Postgres is in good health inside",
    asks=(postgres.insides,),
    severity=Severity.MAJOR,
    source="Postgres: routine maintenance",
    needs=("DAT-05",),
    anchor="compose.yaml#postgres",
    remedy="tradebot logs postgres --tail 50",
)
def healthy(insides: postgres.Insides) -> Verdict:
    """Slow failures: transaction numbers that run out stop all writing, dead rows and cold caches make every job
    slower, a session that blocks others stops them.
    """
    hits = "–" if insides.cache_hits is None else f"{insides.cache_hits:.1%}"
    shown: dict[str, str] = {
        "observed": f"wraparound {insides.wraparound:.1%}, cache {hits}, longest query "
        f"{quantity(insides.longest_query_s, 's')}, {insides.blocked} blocked",
        "expected": f"wraparound under {WRAP_WARN:.0%}, cache over {CACHE_HITS:.0%}, queries under 5 min, 0 blocked",
        "evidence": f"pg_database, pg_stat_database ({insides.blocks_read} blocks read), pg_stat_activity, pg_index",
    }
    found = []
    if insides.wraparound > WRAP_WARN:
        bad = failed if insides.wraparound > WRAP_FAIL else warned
        hint = "tradebot exec postgres -- vacuumdb -U tradebot --all --freeze"
        found.append(bad(f"{insides.wraparound:.0%} of the transaction numbers are used up.", **shown, hint=hint))
    if insides.invalid_indexes:
        hint = "tradebot exec postgres -- reindexdb -U tradebot tradebot"
        found.append(failed(f"Invalid indexes: {_few(insides.invalid_indexes)}.", **shown, hint=hint))
    dead = [f"{name} ({share:.0%})" for name, share, _ in insides.dead if share > DEAD_SHARE]
    if dead:
        found.append(warned(f"Tables of mostly dead rows: {_few(dead)}.", **shown))
    if insides.cache_hits is not None and insides.cache_hits < CACHE_HITS and insides.blocks_read > CACHE_BLOCKS:
        hint = "Raise POSTGRES_SHARED_BUFFERS and run `tradebot up`."
        found.append(warned(f"Only {hits} of the reads come from memory.", **shown, hint=hint))
    if insides.longest_query_s > LONG_QUERY_S:
        found.append(warned(f"A query runs for {quantity(insides.longest_query_s, 's')}.", **shown))
    if insides.blocked:
        found.append(warned(f"{insides.blocked} sessions wait for another one's lock.", **shown))
    if insides.unused_indexes:
        found.append(warned(f"Indexes that nobody used for a week: {_few(insides.unused_indexes)}.", **shown))
    return worst(found) if found else passed("Postgres is in good health inside.", **shown)


def _few(names: tuple[str, ...] | list[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more
