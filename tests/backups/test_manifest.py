"""A manifest survives being written, refuses what it is not, and names each difference."""

from dataclasses import replace

import pytest

from tradebot_ops.backups.manifest import DatabaseFigures, Manifest, TableFigures, differences
from tradebot_ops.shapes import ShapeError

FIGURES = DatabaseFigures({"public.job": TableFigures(3, "77")}, {"public.job_id": 9}, "abc")
MANIFEST = Manifest(
    project="demo",
    taken_at="2026-11-27T09:00:00+00:00",
    tradebot="0.1.0",
    engine="local",
    server="18.6",
    revision="0010",
    database=FIGURES,
    roles={"tradebot_app": True},
    by="ana@host",
)


def test_it_is_read_as_it_was_written() -> None:
    assert Manifest.of(MANIFEST.content()) == MANIFEST
    assert MANIFEST.major == 18


@pytest.mark.parametrize(
    "change",
    [
        {"project": 1},
        {"taken_at": "yesterday"},
        {"taken_at": "2026-11-27T09:00:00"},
        {"server": "new"},
        {"database": {"tables": {"public.job": {"rows": "3", "digest": "1"}}}},
    ],
)
def test_what_is_no_manifest_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ShapeError):
        Manifest.of({**MANIFEST.content(), **change})


@pytest.mark.parametrize("key", ["project", "taken_at", "server", "database", "revision"])
def test_a_manifest_without_one_of_its_keys_is_refused(key: str) -> None:
    content = MANIFEST.content()
    del content[key]
    with pytest.raises(ShapeError):
        Manifest.of(content)


def table(rows: int, digest: str) -> DatabaseFigures:
    return replace(FIGURES, tables={"public.job": TableFigures(rows, digest)})


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        (FIGURES, ""),
        (replace(FIGURES, sequences={"public.job_id": 12}), ""),
        (table(2, "77"), "The table public.job has 2 rows instead of 3."),
        (table(3, "78"), "The table public.job has its 3 rows, and not all of them are the same."),
        (replace(FIGURES, tables={}), "The table public.job is missing."),
        (replace(FIGURES, sequences={"public.job_id": 8}), "The sequence public.job_id is at 8, before 9."),
        (replace(FIGURES, sequences={}), "The sequence public.job_id is at nothing, before 9."),
        (replace(FIGURES, schema="xyz"), "The tables have other columns, constraints or indexes."),
    ],
)
def test_each_difference_is_named(found: DatabaseFigures, sentence: str) -> None:
    assert differences(FIGURES, found) == ((sentence,) if sentence else ())


def test_a_table_that_was_not_backed_up_is_named() -> None:
    more = replace(FIGURES, tables={**FIGURES.tables, "public.more": TableFigures(0, "0")})
    assert differences(FIGURES, more) == ("The table public.more was not in the backup.",)


def test_another_major_version_may_word_the_schema_differently() -> None:
    assert differences(FIGURES, replace(FIGURES, schema="xyz"), same_major=False) == ()
