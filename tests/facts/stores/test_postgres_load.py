"""A statement is shown without the values in it: one may be a password."""

import pytest

from tradebot_ops.facts.stores.postgres_load import without_values


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("SELECT $1", "SELECT $1"),
        ("ALTER ROLE a PASSWORD 'it''s secret'", "ALTER ROLE a PASSWORD …"),
        ("SELECT 'cut in the mid", "SELECT …"),
        ("DO $body$ secret $body$ ", "DO …"),
        ("SELECT $$secret", "SELECT …"),
        ("SELECT *\n  FROM t2\tWHERE n = 12.5", "SELECT * FROM t2 WHERE n = …"),
    ],
)
def test_no_value_is_left(query: str, shown: str) -> None:
    assert without_values(query) == shown
