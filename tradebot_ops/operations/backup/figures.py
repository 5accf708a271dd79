"""Figures of a database, taken within one session: rows and a hash of each table, sequences, schema, logins."""

from psycopg import sql

from tradebot_ops.backups.manifest import FORMAT, DatabaseFigures, TableFigures
from tradebot_ops.clients.postgres_session import Session

#: Tables of ours: no system's, no extension's, no temporary ones. The binary form of a table is the same wherever it
#: is restored, unless a column is of a type that a database numbers anew (from 16384 on), or holds such numbers (reg…).
_TABLES = """
SELECT n.nspname AS schema, c.relname AS name, NOT EXISTS (
    SELECT FROM pg_attribute a JOIN pg_type y ON y.oid = a.atttypid
    WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
      AND (y.typsend = 0 OR y.oid >= 16384 OR y.typname ~ '^_?reg')
  ) AS portable
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
ORDER BY 1, 2
"""
#: The sum does not depend on the order of the rows.
_FIGURES = "SELECT count(*) AS rows, coalesce(sum({hashed}), 0)::text AS digest FROM ONLY {table} t"
_AS_TEXT = sql.SQL("hashtextextended((t.*)::text, 0)")
#: Writing numbers as text is most of the work in a table of candles.
_AS_BINARY = sql.SQL("hash_record_extended(ROW(record_send(t.*)), 0)")
#: In the first form; of a table with a column ``t`` it is that column alone.
_FIRST = sql.SQL("hashtextextended(t::text, 0)")
_SEQUENCES = """
SELECT schemaname || '.' || sequencename AS name, coalesce(last_value, 0) AS value FROM pg_sequences
WHERE schemaname !~ '^pg_' ORDER BY 1
"""
_SCHEMA = """
WITH ours AS (
  SELECT c.oid, n.nspname || '.' || c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND n.nspname <> 'information_schema'
    AND n.nspname !~ '^pg_' AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
), parts AS (
  SELECT name || ' ' || attname || ' ' || format_type(atttypid, atttypmod) || ' ' || attnotnull || ' '
    || coalesce(pg_get_expr(adbin, adrelid), '') AS part
  FROM ours JOIN pg_attribute ON attrelid = ours.oid AND attnum > 0 AND NOT attisdropped
  LEFT JOIN pg_attrdef ON adrelid = ours.oid AND adnum = attnum
  UNION ALL SELECT name || ' ' || conname || ' ' || pg_get_constraintdef(c.oid)
  FROM ours JOIN pg_constraint c ON conrelid = ours.oid
  UNION ALL SELECT name || ' ' || pg_get_indexdef(indexrelid) FROM ours JOIN pg_index ON indrelid = ours.oid
)
SELECT coalesce(md5(string_agg(part, E'\\n' ORDER BY part COLLATE "C")), '') AS schema FROM parts
"""
_ROLES = "SELECT rolname AS name, rolcanlogin AS login FROM pg_roles WHERE rolname !~ '^pg_' ORDER BY 1"


def figures(session: Session, form: int = FORMAT) -> DatabaseFigures:
    """Of the database that the session is connected to, with digests as a manifest of this form has them."""
    sequences = {row["name"]: row["value"] for row in session.rows(_SEQUENCES)}
    tables = {}
    for row in session.rows(_TABLES):
        name = f"{row['schema']}.{row['name']}"
        hashed = _FIRST if form == 1 else _AS_BINARY if row["portable"] else _AS_TEXT
        table = sql.Identifier(row["schema"], row["name"])
        found = session.rows(sql.SQL(_FIGURES).format(hashed=hashed, table=table))[0]
        tables[name] = TableFigures(found["rows"], found["digest"])
    return DatabaseFigures(tables, sequences, str(session.rows(_SCHEMA)[0]["schema"]))


def roles(session: Session) -> dict[str, bool]:
    """Every account of the server, and whether it may log in."""
    return {row["name"]: row["login"] for row in session.rows(_ROLES)}


def revision(session: Session) -> str:
    """The revision of the schema; empty for a database that was never migrated."""
    if session.rows("SELECT to_regclass('public.alembic_version') AS found")[0]["found"] is None:
        return ""
    rows = session.rows("SELECT version_num AS revision FROM public.alembic_version")
    return str(rows[0]["revision"]) if rows else ""


def server(session: Session) -> str:
    """The version of the server, such as ``18.1``."""
    return str(session.rows("SHOW server_version")[0]["server_version"]).partition(" ")[0]
