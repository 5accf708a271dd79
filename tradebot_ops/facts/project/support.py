"""Until when releases get security fixes: a shipped table, so that no check needs the internet.

Sources, as of ``TABLE_DATE``: postgresql.org/support/versioning; the release schedules of Python's PEPs 596, 619, 664,
693, 719 and 745; prometheus.io/docs/introduction/release-cycle; valkey.io's release policy (three
years for a minor release); grafana.com/docs upgrade guide (nine months, fifteen for the last minor of a major release).
A release that is not listed is reported as unknown, never as supported.
"""

from collections.abc import Mapping
from datetime import date

TABLE_DATE = date(2026, 11, 26)

#: Last day by program and the beginning of its version, as long as needed to distinguish releases.
ENDS: Mapping[str, Mapping[str, date]] = {
    "docker": {"20.10": date(2023, 12, 10), "23.0": date(2024, 5, 19), "24.0": date(2024, 6, 8)},
    "grafana": {
        "11.6": date(2026, 6, 25),
        "12.0": date(2026, 2, 5),
        "12.1": date(2026, 4, 22),
        "12.2": date(2026, 6, 23),
        "12.3": date(2026, 8, 19),
        "12.4": date(2027, 5, 24),
        "13.0": date(2027, 1, 9),
        "13.1": date(2027, 3, 20),
        "13.2": date(2027, 5, 18),
    },
    "postgres": {
        "12": date(2024, 11, 21),
        "13": date(2025, 11, 13),
        "14": date(2026, 11, 12),
        "15": date(2027, 11, 11),
        "16": date(2028, 11, 9),
        "17": date(2029, 11, 8),
        "18": date(2030, 11, 14),
    },
    # Others than the long-term releases get fixes for six weeks.
    "prometheus": {
        "2.45": date(2024, 7, 31),
        "2.53": date(2025, 7, 31),
        "2.54": date(2024, 9, 20),
        "2.55": date(2024, 12, 3),
        "3.0": date(2024, 12, 26),
        "3.1": date(2025, 2, 13),
        "3.2": date(2025, 3, 31),
        "3.3": date(2025, 5, 27),
        "3.4": date(2025, 6, 28),
        "3.5": date(2026, 7, 31),
        "3.6": date(2025, 11, 2),
        "3.7": date(2025, 11, 26),
        "3.8": date(2026, 1, 9),
        "3.9": date(2026, 2, 17),
        "3.10": date(2026, 4, 8),
    },
    "python": {
        "3.9": date(2025, 10, 31),
        "3.10": date(2026, 10, 31),
        "3.11": date(2027, 10, 31),
        "3.12": date(2028, 10, 31),
        "3.13": date(2029, 10, 31),
        "3.14": date(2030, 10, 31),
    },
    "valkey": {
        "7.2": date(2027, 4, 16),
        "8.0": date(2027, 9, 15),
        "8.1": date(2028, 3, 31),
        "9.0": date(2028, 10, 21),
    },
}


def supported_until(program: str, version: str) -> date | None:
    """None for what the table does not know."""
    parts = version.split(".")
    names = (".".join(parts[:count]) for count in range(len(parts), 0, -1))
    known = ENDS.get(program, {})
    return next((known[name] for name in names if name in known), None)
