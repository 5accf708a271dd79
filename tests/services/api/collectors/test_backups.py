"""Metrics of backups: asked for every few seconds, kept while Postgres is away, absent before it ever answered."""

from types import SimpleNamespace
from typing import Any

import pytest

from services.api.collectors import kept
from services.api.collectors.backups import BackupCollector
from services.common.database import DatabaseUnavailable


class Notes:
    """A database of notes; ``away`` makes it refuse."""

    def __init__(self, **notes: float) -> None:
        self.notes: dict[str, float] = notes
        self.away = False
        self.asked = 0

    def rows(self, query: str) -> list[dict[str, Any]]:
        assert "backup_note" in query
        self.asked += 1
        if self.away:
            raise DatabaseUnavailable("away")
        return [{"what": what, "at": at} for what, at in self.notes.items()]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    found = SimpleNamespace(now=100.0)
    monkeypatch.setattr(kept, "time", SimpleNamespace(monotonic=lambda: found.now))
    return found


def shown(collector: BackupCollector) -> dict[str, float]:
    samples = [sample for metric in collector.collect() for sample in metric.samples]
    assert {sample.labels["environment"] for sample in samples} <= {"prod"}
    return {sample.name.removeprefix("backup_"): sample.value for sample in samples}


def collector(notes: Notes) -> BackupCollector:
    database: Any = notes
    return BackupCollector(database, "prod")


@pytest.mark.parametrize(
    ("notes", "expected"),
    [
        ({}, (0.0, 0.0, 0.0, 0.0)),
        ({"taken": 5.0}, (5.0, 0.0, 0.0, 0.0)),
        ({"taken": 5.0, "proved": 7.0, "refuted": 8.0, "clearing_failed": 9.0}, (5.0, 7.0, 8.0, 1.0)),
    ],
)
def test_what_was_noted_is_shown(notes: dict[str, float], expected: tuple[float, ...], clock: SimpleNamespace) -> None:
    moments = (f"last_{what}_timestamp_seconds" for what in ("taken", "proved", "refuted"))
    names = (*moments, "clearing_failed")
    assert shown(collector(Notes(**notes))) == dict(zip(names, expected, strict=True))


def test_postgres_is_asked_at_most_every_few_seconds(clock: SimpleNamespace) -> None:
    notes = Notes(taken=5.0)
    asking = collector(notes)
    assert asking.describe() == []
    assert notes.asked == 0
    shown(asking)
    notes.notes["taken"] = 6.0
    clock.now += kept.KEEP_S
    assert (shown(asking)["last_taken_timestamp_seconds"], notes.asked) == (5.0, 1)
    clock.now += 0.1
    assert (shown(asking)["last_taken_timestamp_seconds"], notes.asked) == (6.0, 2)


def test_what_was_known_is_kept_while_postgres_is_away(clock: SimpleNamespace) -> None:
    notes = Notes(taken=5.0)
    notes.away = True
    asking = collector(notes)
    assert shown(asking) == {}
    assert (shown(asking), notes.asked) == ({}, 1), "nobody is asked again at once"
    notes.away = False
    clock.now += kept.KEEP_S + 1
    assert shown(asking)["last_taken_timestamp_seconds"] == 5.0
    notes.away = True
    clock.now += kept.KEEP_S + 1
    assert shown(asking)["last_taken_timestamp_seconds"] == 5.0
