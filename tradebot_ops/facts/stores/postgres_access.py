"""Postgres: who gets in, and who may do what."""

from dataclasses import dataclass

from tradebot_ops.context import Ops
from tradebot_ops.facts.fact import fact


@dataclass(frozen=True)
class Access:
    """A line of ``pg_hba.conf``: the kind of connection, from where, and how it proves who it is."""

    kind: str
    address: str
    method: str
    line: int


@dataclass(frozen=True)
class Role:
    """``granted`` are the roles it is a member of, ``owns`` the schemas outside ``public`` that it owns tables in."""

    name: str
    superuser: bool
    granted: tuple[str, ...] = ()
    owns: tuple[str, ...] = ()


@dataclass(frozen=True)
class Rights:
    """Who has rights that nobody needs; ``sequences`` with the share of their range that is used up."""

    public_may_create: bool
    superusers: tuple[str, ...]
    sequences: tuple[tuple[str, float], ...]
    unsafe_functions: tuple[str, ...]


@fact()
def access(ops: Ops) -> tuple[Access, ...]:
    """The rules in ``pg_hba.conf``, as Postgres reads them."""
    rows = ops.postgres.rows(
        "SELECT type, address, auth_method, line_number FROM pg_hba_file_rules WHERE error IS NULL"
    )
    return tuple(Access(row["type"], row["address"] or "", row["auth_method"], row["line_number"]) for row in rows)


@fact()
def roles(ops: Ops) -> tuple[Role, ...]:
    """Every role that may log in, with the ones that it inherits at once."""
    rows = ops.postgres.rows(
        "SELECT r.rolname AS name, r.rolsuper AS superuser,"
        " coalesce((SELECT array_agg(g.rolname::text ORDER BY 1) FROM pg_auth_members m JOIN pg_roles g"
        "   ON g.oid = m.roleid WHERE m.member = r.oid), '{}') AS granted,"
        " coalesce((SELECT array_agg(DISTINCT n.nspname::text) FROM pg_class c JOIN pg_namespace n"
        "   ON n.oid = c.relnamespace WHERE c.relowner = r.oid AND n.nspname <> 'public'"
        "   AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'), '{}') AS owns"
        " FROM pg_roles r WHERE r.rolcanlogin ORDER BY 1"
    )
    return tuple(Role(row["name"], row["superuser"], tuple(row["granted"]), tuple(row["owns"])) for row in rows)


@fact()
def app_user(ops: Ops) -> str:
    """The account of the API and the workers."""
    (row,) = ops.postgres_app.rows("SELECT current_user::text AS name")
    return str(row["name"])


@fact()
def rights(ops: Ops) -> Rights:
    (row,) = ops.postgres.rows(_RIGHTS)
    sequences = ops.postgres.rows(
        "SELECT sequencename::text AS name, (last_value::numeric / max_value)::float AS share FROM pg_sequences"
        " WHERE last_value IS NOT NULL AND increment_by > 0 AND NOT cycle ORDER BY 2 DESC LIMIT 20"
    )
    return Rights(
        row["create"],
        tuple(row["superusers"]),
        tuple((each["name"], each["share"]) for each in sequences),
        tuple(row["functions"]),
    )


_RIGHTS = """
SELECT
  EXISTS (SELECT FROM pg_namespace, aclexplode(coalesce(nspacl, acldefault('n', nspowner))) AS acl
    WHERE nspname = 'public' AND acl.grantee = 0 AND acl.privilege_type = 'CREATE') AS create,
  (SELECT coalesce(array_agg(rolname::text ORDER BY 1), '{}') FROM pg_roles
    WHERE rolsuper AND oid <> 10) AS superusers,
  (SELECT coalesce(array_agg(p.oid::regprocedure::text ORDER BY 1), '{}') FROM pg_proc p
    JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE p.prosecdef AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
    AND NOT EXISTS (SELECT FROM unnest(p.proconfig) AS set WHERE set LIKE 'search_path=%')) AS functions
"""
