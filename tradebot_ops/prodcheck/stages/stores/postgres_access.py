"""Postgres: everybody may do what they need, and the schema is the one that the services expect."""

from tradebot_ops.context import POSTGRES_MONITOR
from tradebot_ops.facts.stores import migrations, postgres_access
from tradebot_ops.prodcheck.check import Severity, Verdict, check, failed, passed, warned, worst

MONITOR_MAY = {"pg_monitor"}
SEQUENCE_WARN, SEQUENCE_FAIL = 0.7, 0.9


@check(
    "DAT-09",
    "Accounts may do no more than they need, and the schema is the newest",
    asks=(postgres_access.roles, postgres_access.app_user, migrations.schema),
    severity=Severity.CRITICAL,
    source="Postgres: role attributes; CIS PostgreSQL 4",
    needs=("DAT-05",),
    anchor="compose.yaml#DATABASE_URL",
    remedy="tradebot restart postgres",
)
def least_rights(roles: tuple[postgres_access.Role, ...], user: str, schema: migrations.Schema) -> Verdict:
    """A superuser reads files of the server and runs programs there: one flaw in a job, and the host is the
    attacker's. The monitoring account needs statistics only.
    """
    known = {role.name: role for role in roles}
    app, monitor = known[user], known.get(POSTGRES_MONITOR)
    shown: dict[str, str] = {
        "observed": "; ".join(
            f"{role.name}: {'superuser' if role.superuser else ', '.join(role.granted) or 'nothing more'}"
            for role in roles[:5]
        ),
        "expected": f"{user}: no superuser; {POSTGRES_MONITOR}: pg_monitor alone; revision {schema.head}",
        "evidence": f"pg_roles, pg_auth_members; alembic_version: {schema.revision or 'none'}",
    }
    found = []
    if app.superuser:
        hint = "Give the services an account of their own, without SUPERUSER (DATABASE_URL), then `tradebot up`."
        found.append(failed(f"The services log in as a superuser: {user}.", **shown, hint=hint))
    if monitor and (monitor.superuser or set(monitor.granted) - MONITOR_MAY):
        more = "superuser" if monitor.superuser else ", ".join(sorted(set(monitor.granted) - MONITOR_MAY))
        hint = f"In `tradebot shell postgres`, as its psql: REVOKE {more} FROM {POSTGRES_MONITOR}"
        found.append(failed(f"The monitoring account may do more than look: {more}.", **shown, hint=hint))
    if app.owns:
        found.append(warned(f"{user} owns tables in other schemas: {', '.join(app.owns[:3])}.", **shown))
    if schema.revision != schema.head:
        message = f"The database is at revision {schema.revision or 'none'}, the services expect {schema.head}."
        found.append(failed(message, **shown, hint="tradebot up migrate"))
    return worst(found) if found else passed("Accounts may do no more than they need.", **shown)


@check(
    "DAT-15",
    "Nobody can plant anything in the schema, and its numbers do not run out",
    asks=(postgres_access.rights,),
    severity=Severity.MAJOR,
    source="Postgres: CVE-2018-1058, sequences, SECURITY DEFINER",
    needs=("DAT-05",),
    anchor="services/common/migrations",
    remedy="tradebot logs postgres --tail 50",
)
def nothing_planted(rights: postgres_access.Rights) -> Verdict:
    """Whoever may create objects in the schema public can have others run them. A sequence at its end refuses every
    further row, at the busiest hour.
    """
    fullest = rights.sequences[0] if rights.sequences else ("none", 0.0)
    shown: dict[str, str] = {
        "observed": f"CREATE for everybody: {'yes' if rights.public_may_create else 'no'}; "
        f"{len(rights.superusers)} superusers beside the owner; fullest sequence {fullest[0]} {fullest[1]:.1%}",
        "expected": f"no; 0; under {SEQUENCE_WARN:.0%}",
        "evidence": "pg_namespace.nspacl, pg_roles, pg_sequences, pg_proc",
    }
    psql = "In `tradebot shell postgres`, as its psql:"
    found = []
    if rights.public_may_create:
        hint = f"{psql} REVOKE CREATE ON SCHEMA public FROM PUBLIC"
        found.append(failed("Everybody may create objects in the schema public.", **shown, hint=hint))
    if rights.superusers:
        names = ", ".join(rights.superusers[:3])
        hint = f"{psql} ALTER ROLE {rights.superusers[0]} NOSUPERUSER"
        found.append(failed(f"More superusers than the owner: {names}.", **shown, hint=hint))
    if rights.unsafe_functions:
        hint = f"{psql} ALTER FUNCTION … SET search_path = pg_catalog, public"
        message = f"Functions run as their owner without a fixed search_path: {', '.join(rights.unsafe_functions[:3])}."
        found.append(warned(message, **shown, hint=hint))
    name, share = fullest
    if share > SEQUENCE_WARN:
        bad = failed if share > SEQUENCE_FAIL else warned
        found.append(
            bad(
                f"The sequence {name} is {share:.0%} used up.",
                **shown,
                hint=f"{psql} ALTER TABLE … ALTER COLUMN … TYPE bigint",
            )
        )
    return worst(found) if found else passed("Nobody can plant anything in the schema.", **shown)
