"""A load of a file from its pieces to its result; the store stands in here, and Postgres is asked in
tests/integration/worker/test_store.py."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from services.common.data import candle_files
from services.common.jobtypes import JobCancelled, JobFailure, PayloadInvalid
from services.jobs.load_candles import JOB
from services.jobs.market import source, store
from services.jobs.market.rejects import Rejects
from services.jobs.market.store import Written

FILE = (
    "Ticker,Date,Open,High,Low,Close,Volume\n"
    "A,2024-01-02,1,4,0.5,2,10\nB,2024-01-02,1,4,0.5,2,10\nA,2024-01-03,1,4,0.5,2,10\nC,2024-01-03,9,4,0.5,2,10\n"
)


class Context:
    """A job whose store writes down what it gets, in its order."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
        self.store = self
        self.calls: list[Any] = []
        self.told: list[tuple[float, str]] = []
        self.uploaded: Path | None = None
        self.cancelled_after = 99
        monkeypatch.setenv(source.FOLDER_VARIABLE, str(folder))
        monkeypatch.setattr(source, "ROWS_PER_PIECE", 2)
        monkeypatch.setattr(store, "series_ids", self._ids)
        monkeypatch.setattr(store, "Upsert", self._upsert)
        monkeypatch.setattr(candle_files, "fetched", self._fetched)
        monkeypatch.setattr(candle_files, "loaded", lambda given, name: self._call(given, "loaded", name))
        monkeypatch.setattr(Rejects, "store", self._rejects)

    def run(self, **payload: Any) -> dict[str, Any]:
        return JOB.run(self, JOB.validate({"file": "a.csv", **payload}))  # type: ignore[arg-type]

    def check_cancelled(self) -> None:
        self.cancelled_after -= 1
        if self.cancelled_after < 0:
            raise JobCancelled

    def progress(self, done: float, note: str) -> None:
        self.told.append((done, note))

    @contextmanager
    def transaction(self) -> Iterator[None]:
        self.calls.append("begin")
        yield
        self.calls.append("commit")

    def _call(self, given: object, *words: Any) -> None:
        assert given is self
        self.calls.append(words)

    def _ids(self, given: object, symbols: list[str], interval: str) -> dict[str, int]:
        self._call(given, "ids", symbols, interval)
        return {symbol: ord(symbol) for symbol in symbols}

    def _upsert(self, given: object) -> "Context":
        assert given is self
        return self

    def add(self, good: Any, ids: dict[str, int]) -> Written:
        self.calls.append(("add", good["symbol"].astype(str).tolist(), dict(ids)))
        return Written(len(good), 0, 0)

    def _rejects(self, given: object, name: str, ids: dict[str, int]) -> None:
        self._call(given, "rejects", name, ids)

    @contextmanager
    def _fetched(self, given: object, name: str) -> Iterator[Path | None]:
        self._call(given, "fetched", name)
        yield self.uploaded


@pytest.fixture
def ctx(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Context:
    (tmp_path / "a.csv").write_text(FILE)
    return Context(monkeypatch, tmp_path)


def test_a_file_is_stored_piece_by_piece_and_as_a_whole(ctx: Context) -> None:
    result = ctx.run()
    assert ctx.calls == [
        ("fetched", "a.csv"),
        "begin",
        ("ids", ["A", "B"], "1d"),
        ("add", ["A", "B"], {"A": 65, "B": 66}),
        ("add", ["A"], {"A": 65, "B": 66}),
        ("ids", ["C"], "1d"),
        ("rejects", "a.csv", {"C": 67}),
        ("loaded", "a.csv"),
        "commit",
    ]
    assert [note for _, note in ctx.told] == ["2 rows, 0 of them rejected", "4 rows, 1 of them rejected"]
    assert [done for done, _ in ctx.told] == [1.0, 1.0], "a small file is read at once"
    assert (result["file"], result["read"], result["inserted"], result["rejected"]) == ("a.csv", 4, 3, 1)


def test_its_time_is_that_from_the_first_byte(ctx: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    times = [10.0, 12.0]
    monkeypatch.setattr(time, "perf_counter", lambda: times.pop(0))
    assert ctx.run()["seconds"] == 2.0


def test_a_file_that_was_uploaded_is_the_one_that_is_read(ctx: Context, tmp_path: Path) -> None:
    ctx.uploaded = tmp_path / "b.csv"
    ctx.uploaded.write_text(FILE.replace("B,", "D,"))
    assert [each["symbol"] for each in ctx.run()["symbols"]] == ["A", "D"]
    assert ctx.calls[-2] == ("loaded", "b.csv")


def test_a_trial_reads_and_stores_nothing(ctx: Context) -> None:
    result = ctx.run(dry_run=True)
    assert ctx.calls == [("fetched", "a.csv"), "begin", "commit"]
    assert (ctx.told, result["read"], result["inserted"], result["rejected"]) == ([], 4, 0, 1)


def test_a_cancelled_load_ends_between_two_pieces(ctx: Context) -> None:
    ctx.cancelled_after = 1
    with pytest.raises(JobCancelled):
        ctx.run()
    assert [each for each in ctx.calls if each[0] == "add"] == [("add", ["A", "B"], {"A": 65, "B": 66})]


def test_only_what_is_wanted_is_read_and_a_file_without_it_holds_none(ctx: Context) -> None:
    assert [each["symbol"] for each in ctx.run(symbols=["B"])["symbols"]] == ["B"]
    with pytest.raises(JobFailure, match=r"^a\.csv holds no rows of X, Y\.$"):
        ctx.run(symbols=["X", "Y"])


def test_an_empty_file_holds_no_rows(ctx: Context, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(FILE.partition("\n")[0] + "\n")
    with pytest.raises(JobFailure, match=r"^a\.csv holds no rows\.$"):
        ctx.run(dry_run=True)


def test_how_a_file_is_to_be_read_is_what_was_asked_for(ctx: Context, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("03/04/2024;1,5;4;0,5;2\n04/04/2024;1,5;4;0,5;2\n")
    asked = {"columns": "date,open,high,low,close", "symbol": "X", "decimal": "comma", "dates": "dmy", "interval": "1d"}
    (shown,) = ctx.run(**asked)["symbols"]
    assert shown == {"symbol": "X", "rows": 2, "first": "2024-04-03", "last": "2024-04-04"}


def test_without_a_file_the_sample_is_loaded() -> None:
    payload: Any = JOB.validate({})
    assert (payload.file, payload.dry_run) == (source.SAMPLE, False)
    given: Any = JOB.validate({"columns": ["date", "open"]})
    assert given.columns == ("date", "open")
    with pytest.raises(PayloadInvalid):
        JOB.validate({"file": "../etc/passwd"})
