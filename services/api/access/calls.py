"""Changes that were asked of the API directly: by whom, which, and how they ended."""

from services.common.database import Database, Row, storable_text

INSERT = """
INSERT INTO api_call (by, method, route, path, status, request_id)
VALUES (%(by)s, %(method)s, %(route)s, %(path)s, %(status)s, %(request_id)s)
"""
LATEST = """
SELECT at, by, method, route, path, status, request_id FROM api_call
WHERE (%(since_s)s::float8 IS NULL OR at >= now() - make_interval(secs => %(since_s)s))
  AND (%(by)s::text IS NULL OR by = %(by)s)
ORDER BY at DESC, id DESC LIMIT %(limit)s
"""
#: So many at once that the statement takes no time; what is left goes an hour later.
PRUNE = """
DELETE FROM api_call WHERE id IN (
  SELECT id FROM api_call WHERE at < now() - make_interval(days => %(days)s) ORDER BY at LIMIT 10000)
RETURNING id
"""
KEEP_DAYS = 400
LONGEST_PATH = 300


class ApiCalls:
    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, *, by: str, method: str, route: str, path: str, status: int, request_id: str) -> None:
        row = {"by": by, "method": method, "route": route, "status": status, "request_id": request_id}
        self._database.execute(INSERT, row | {"path": storable_text(path)[:LONGEST_PATH]})

    def latest(self, limit: int, since_s: float | None = None, by: str | None = None) -> list[Row]:
        """The newest first; those within so many seconds."""
        return self._database.rows(LATEST, {"limit": limit, "since_s": since_s, "by": by})

    def prune(self, days: int = KEEP_DAYS) -> int:
        """Forget what is older; returns how much that was."""
        return len(self._database.rows(PRUNE, {"days": days}))
