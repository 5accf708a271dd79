"""Whether alerts are worth their noise: acknowledgements of firings, and what they come to for each alert.

A firing is an alert (``fingerprint``) from one start. What a person says of it says nothing of the next one.
"""

from collections.abc import Mapping
from typing import Any

from psycopg.types.json import Jsonb

from services.common.database import Database, storable_text

FIRINGS = """
firing AS (
  SELECT fingerprint, starts_at, min(name) AS name, min(severity) AS severity, (array_agg(labels))[1] AS labels,
    min(received_at) FILTER (WHERE status = 'firing') AS received_at, max(ends_at) AS ended_at
  FROM alert_event
  WHERE (%(name)s::text IS NULL OR lower(name) = lower(%(name)s)) AND labels @> %(labels)s
    AND starts_at > now() - make_interval(secs => coalesce(%(since_s)s::float8, 1e10))
  GROUP BY fingerprint, starts_at
)
"""

# What fires now; where nothing does, what began last. An alert whose end never came is over once it fires anew.
ACKNOWLEDGE = f"""
WITH {FIRINGS}, latest AS (
  SELECT DISTINCT ON (fingerprint) * FROM firing ORDER BY fingerprint, starts_at DESC
), lasting AS (
  SELECT * FROM latest WHERE ended_at IS NULL
), chosen AS (
  SELECT * FROM lasting
  UNION SELECT * FROM latest WHERE NOT EXISTS (SELECT FROM lasting) AND starts_at = (SELECT max(starts_at) FROM latest)
  UNION SELECT * FROM firing WHERE %(since_s)s IS NOT NULL
    AND NOT EXISTS (SELECT FROM alert_ack AS ack WHERE (ack.fingerprint, ack.starts_at)
      = (firing.fingerprint, firing.starts_at))
), made AS (
  INSERT INTO alert_ack (fingerprint, starts_at, by, reason, false_positive)
  SELECT fingerprint, starts_at, %(by)s, %(reason)s, %(false_positive)s FROM chosen
  ON CONFLICT (fingerprint, starts_at) DO UPDATE
  SET at = now(), by = excluded.by, reason = excluded.reason, false_positive = excluded.false_positive
  RETURNING *
)
SELECT name, severity, labels, ended_at, made.* FROM made JOIN chosen USING (fingerprint, starts_at)
ORDER BY starts_at DESC, fingerprint
"""  # noqa: S608 - only constants are put together

STATS = f"""
WITH {FIRINGS}
SELECT name, severity, count(*) AS fired, count(*) FILTER (WHERE ended_at IS NULL) AS lasting,
  count(ack.at) AS acknowledged, count(*) FILTER (WHERE false_positive) AS false_positives,
  percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM received_at - starts_at)) AS received_median_s,
  percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM ended_at - starts_at)) AS ended_median_s,
  max(starts_at) AS last_at
FROM firing LEFT JOIN alert_ack AS ack USING (fingerprint, starts_at)
GROUP BY name, severity ORDER BY fired DESC, name, severity
"""  # noqa: S608 - only constants are put together

# After the alerts themselves were pruned.
PRUNE = """
DELETE FROM alert_ack AS ack WHERE NOT EXISTS (
  SELECT FROM alert_event AS event
  WHERE (event.fingerprint, event.starts_at) = (ack.fingerprint, ack.starts_at))
"""


class AlertQuality:
    """All methods raise ``DatabaseUnavailable``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def acknowledge(
        self,
        name: str,
        *,
        by: str,
        reason: str = "",
        false_positive: bool = False,
        labels: Mapping[str, str] | None = None,
        since_s: float | None = None,
    ) -> list[dict[str, Any]]:
        """Keep who looked at this alert, in any spelling, where it has the labels; returns the firings it is about.

        These are the ones that fire now, or the last ones where none does; with ``since_s`` also all that began
        within so many seconds and that nobody acknowledged. The last word on a firing counts.
        """
        asked = {"name": name, "labels": Jsonb(dict(labels or {})), "since_s": since_s}
        given = {"by": by, "reason": storable_text(reason), "false_positive": false_positive}
        return self._database.rows(ACKNOWLEDGE, asked | given)

    def stats(self, since_s: float, name: str | None = None) -> list[dict[str, Any]]:
        """Figures of each alert and severity, of firings that began within so many seconds, the most frequent first."""
        return self._database.rows(STATS, {"name": name, "labels": Jsonb({}), "since_s": since_s})

    def prune(self) -> None:
        """Forget acknowledgements of firings that are forgotten."""
        self._database.execute(PRUNE)
