"""Postgres: connections, locks, what runs long, room."""

from collections.abc import Mapping

from tradebot_ops.diagnostics.topic import Problem, Topic, View, doubtful, look, wrong
from tradebot_ops.facts.stores import migrations, postgres, postgres_load
from tradebot_ops.model import Table
from tradebot_ops.text.lists import few
from tradebot_ops.text.quantities import quantity
from tradebot_ops.text.sentences import shortened

TOPIC = Topic("postgres", "Postgres", order=60)
TAKEN, NEARLY_TAKEN = 0.9, 0.7
LONG_S = 300
CACHE_HITS, CACHE_BLOCKS = 0.9, 100_000
WRAPAROUND = 0.5
#: Characters of a statement that are shown.
STATEMENT = 60


@look(asks=(postgres.connections,))
def connections(found: postgres.Connections) -> View:
    share = found.used / found.most
    problems: list[Problem] = []
    if share > NEARLY_TAKEN:
        say = wrong if share > TAKEN else doubtful
        problems.append(say(f"{share:.0%} of the connections to Postgres are taken.",
                            "Raise POSTGRES_MAX_CONNECTIONS and run `tradebot up`, or run fewer workers."))  # fmt: skip
    if found.idle_in_transaction:
        message = f"Connections hold a transaction open and do nothing: {few(found.idle_in_transaction)}."
        problems.append(doubtful(message, "tradebot restart worker"))
    return View((("connections", f"{found.used} of {found.most}"),), problems=tuple(problems))


@look(asks=(postgres.insides,))
def work(insides: postgres.Insides) -> View:
    hits = "not known yet" if insides.cache_hits is None else f"{insides.cache_hits:.1%}"
    problems = []
    if insides.blocked:
        message = f"{insides.blocked} sessions wait for another one's lock."
        problems.append(wrong(message, "tradebot exec postgres -- psql -U tradebot -c 'TABLE pg_locks'"))
    if insides.longest_query_s > LONG_S:
        message = f"A query runs for {quantity(insides.longest_query_s, 's')}."
        problems.append(doubtful(message, "tradebot jobs list"))
    if insides.cache_hits is not None and insides.cache_hits < CACHE_HITS and insides.blocks_read > CACHE_BLOCKS:
        problems.append(doubtful(f"Only {hits} of the reads come from memory.", "tradebot optimize plan"))
    if insides.wraparound > WRAPAROUND:
        message = f"{insides.wraparound:.0%} of the transaction numbers are used up."
        problems.append(wrong(message, "tradebot exec postgres -- vacuumdb -U tradebot --all --freeze"))
    if insides.invalid_indexes:
        message = f"Invalid indexes: {few(insides.invalid_indexes)}."
        problems.append(wrong(message, "tradebot exec postgres -- reindexdb -U tradebot tradebot"))
    values = (
        ("reads from memory", hits),
        ("longest query", quantity(insides.longest_query_s, "s")),
        ("blocked sessions", str(insides.blocked)),
    )
    return View(values, problems=tuple(problems))


@look(asks=(postgres_load.waits,))
def waits(found: postgres_load.Waits) -> View:
    """Active sessions over half a second: at work, or waiting for what."""
    shown = ", ".join(f"{what} {sessions:.1f}" for what, sessions in found.sessions)
    return View((("sessions at work", shown or "none"),))


@look(asks=(postgres_load.statements,))
def statements(found: postgres_load.Statements) -> View:
    rows = tuple(
        (quantity(each.seconds, "s"), str(each.calls), quantity(each.seconds / max(each.calls, 1), "s"),
         shortened(each.text, STATEMENT))
        for each in found.found
    )  # fmt: skip
    name = "statement that took most" if found.recorded else "statement that runs longest"
    return View(table=Table(("took", "calls", "each", name), rows))


@look(asks=(postgres.horizon,))
def clearing(horizon: postgres.Horizon) -> View:
    """Transactions and slots that keep dead rows and old log from being cleared away."""
    slots = few([f"{slot.name} holds {quantity(slot.held, 'bytes')}" for slot in horizon.idle_slots])
    problems = (doubtful(f"Nobody reads replication slots: {slots}.", "tradebot logs postgres"),) if slots else ()
    return View((("oldest transaction", quantity(horizon.oldest_snapshot_s, "s")),), problems=problems)


@look(asks=(postgres.settings,))
def safety(settings: Mapping[str, postgres.Setting]) -> View:
    off = [name for name in ("fsync", "full_page_writes") if name in settings and settings[name].value == "off"]
    message = f"Postgres may lose what it confirmed: {few(off)} off."
    return View(problems=(wrong(message, "tradebot restart postgres"),) if off else ())


@look(asks=(migrations.schema,))
def schema(found: migrations.Schema) -> View:
    old = found.revision != found.head
    message = f"The schema is at revision {found.revision or 'none'}, the services expect {found.head}."
    return View(
        (("schema", found.revision or "none"),), problems=(wrong(message, "tradebot up migrate"),) if old else ()
    )
