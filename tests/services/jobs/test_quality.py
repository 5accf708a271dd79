"""Impossible rows are rejected with their reason; odd ones are flagged and kept."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from services.common.jobtypes import JobFailure
from services.jobs.market import quality, source
from services.jobs.market.rejects import Rejects

HEADER = "Symbol,Date,Open,High,Low,Close,Volume,Adj Close\n"
NOW = datetime(2024, 1, 31, 12, tzinfo=UTC)
WEEK = ("2024-01-01", "2024-01-02", "2024-01-03", "2024-01-04", "2024-01-05", "2024-01-08", "2024-01-09")


def checked(tmp_path: Path, *lines: str, now: datetime = NOW, header: str = HEADER) -> quality.Checked:
    path = tmp_path / "candles.csv"
    path.write_text(header + "\n".join(lines) + "\n", encoding="utf-8")
    (piece,) = source.pieces(path)
    return quality.check(piece.frame, now, piece.interval)


def reasons(tmp_path: Path, *lines: str) -> list[tuple[int, str]]:
    """Line and reason of each rejected row."""
    path = tmp_path / "candles.csv"
    path.write_text(HEADER + "\n".join(lines) + "\n", encoding="utf-8")
    (piece,) = source.pieces(path)
    rejects = Rejects()
    rejects.add(quality.check(piece.frame, NOW, piece.interval).bad, piece)
    return [(each.line, each.reason) for each in rejects.rows]


def row(symbol: str, day: str, price: float = 10.0) -> str:
    return f"{symbol},{day},{price},{price + 1},{price - 1},{price + 0.5},100,{price + 0.5}"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("X,2024-01-02,10,11,9,0,5,1", "close is not positive: close 0"),
        ("X,2024-01-02,10,11,-9,10,5,10", "low is not positive: low -9"),
        ("X,2024-01-02,10,11,9,10,5,0", "adj_close is not positive: adj_close 0"),
        ("X,2024-01-02,10,9.50,9,10,5,10", "high is below open: high 9.50, open 10"),
        ("X,2024-01-02,10,11,10.5,10.7,5,10", "low is above open: low 10.5, open 10"),
        ("X,2024-01-02,10,11,9,10,-5,10", "volume is negative: volume -5"),
        ("X,2024-01-02,10,11,9,10,many,10", "volume is no number: volume many"),
        ("X,2024-01-02,,11,9,10,5,10", "open is empty or no number: open empty"),
        ("X,2024-01-02,ten,11,9,10,5,10", "open is empty or no number: open ten"),
        ("X,yesterday,10,11,9,10,5,10", "date is empty or no date: day yesterday"),
        (",2024-01-02,10,11,9,10,5,10", "symbol is empty, or not printable: symbol empty"),
        ("X\x07,2024-01-02,10,11,9,10,5,10", "symbol is empty, or not printable: symbol X\x07"),
        ("X,2024-01-02,nan,11,9,10,5,10", "open is empty or no number: open nan"),
        ("X,2024-01-02,10,inf,9,10,5,10", "high is empty or no number: high inf"),
        ("X,2024-01-31,10,11,9,10,5,10", "bar not closed yet: day 2024-01-31"),
        ("X,2031-01-01,10,11,9,10,5,10", "bar not closed yet: day 2031-01-01"),
    ],
)
def test_impossible_row_is_rejected_with_its_line_and_the_value(tmp_path: Path, line: str, reason: str) -> None:
    assert reasons(tmp_path, row("X", "2024-01-01"), line) == [(3, reason)]


def test_a_bar_is_closed_when_its_day_is_over(tmp_path: Path) -> None:
    before, after = (datetime(2024, 1, 2, 23, 59, tzinfo=UTC), datetime(2024, 1, 3, tzinfo=UTC))
    assert len(checked(tmp_path, row("X", "2024-01-02"), now=before).bad) == 1
    assert len(checked(tmp_path, row("X", "2024-01-02"), now=after).bad) == 0


def test_of_two_rows_for_one_day_the_later_line_counts(tmp_path: Path) -> None:
    result = checked(tmp_path, row("X", "2024-01-02", 10), row("Y", "2024-01-02"), row("x", "2024-01-02", 20))
    assert result.good.set_index("symbol")["open"].to_dict() == {"X": 20.0, "Y": 10.0}
    assert result.bad["line"].tolist() == [2]
    assert result.bad["kind"].iat[0].startswith("duplicate")


def test_na_is_a_ticker(tmp_path: Path) -> None:
    assert checked(tmp_path, row("NA", "2024-01-02")).good["symbol"].tolist() == ["NA"]


def test_an_impossible_row_is_no_duplicate_of_a_good_one(tmp_path: Path) -> None:
    result = checked(tmp_path, row("X", "2024-01-02", 10), "X,2024-01-02,10,11,9,0,5,1")
    assert result.good["open"].tolist() == [10.0]


def test_a_day_on_which_others_traded_is_a_gap(tmp_path: Path) -> None:
    lines = [row(symbol, day) for symbol in ("A", "B", "C") for day in WEEK]
    lines.remove(row("B", "2024-01-04"))
    lines.remove(row("B", "2024-01-05"))
    flags = [flag for flag in checked(tmp_path, *lines).flags if flag.kind == "gap"]
    assert flags == [quality.Flag("B", "2024-01-04", "gap", "2 trading day(s) missing")]


def test_no_gap_before_the_listing_on_a_holiday_or_a_weekend(tmp_path: Path) -> None:
    # Nobody traded on the 3rd; B is listed on the 5th; somebody's Saturday is not the exchange's.
    lines = [row("A", day) for day in WEEK if day != "2024-01-03"] + [row("B", day) for day in WEEK[4:]]
    lines += [row("A", "2024-01-06")]
    assert [flag for flag in checked(tmp_path, *lines).flags if flag.kind == "gap"] == []


def test_alone_a_symbol_gets_the_benefit_of_the_doubt(tmp_path: Path) -> None:
    short = [row("A", day) for day in ("2024-01-01", "2024-01-08")]
    assert [flag.kind for flag in checked(tmp_path, *short).flags] == []
    long = [row("A", day) for day in ("2024-01-01", "2024-01-09")]
    assert checked(tmp_path, *long).flags == (quality.Flag("A", "2024-01-02", "gap", "5 weekdays missing"),)


def test_repeated_bars_are_stale(tmp_path: Path) -> None:
    lines = [row("A", day, 10 if 1 <= at <= 3 else 11 + at) for at, day in enumerate(WEEK)]
    flags = [flag for flag in checked(tmp_path, *lines).flags if flag.kind == "stale"]
    assert flags == [quality.Flag("A", "2024-01-02", "stale", "3 equal bars in a row")]


def test_sample_is_sound_and_its_true_crash_is_flagged_and_kept() -> None:
    result = quality.check(source.read(source.locate(source.SAMPLE)), NOW)
    assert (len(result.good), len(result.bad)) == (12_154, 0)
    assert result.flags == (quality.Flag("AAPL", "2000-09-29", "outlier", "close moved -51.9 %"),)


def test_splits_are_no_outliers(tmp_path: Path) -> None:
    lines = [f"A,{day},{10 if at < 3 else 5},11,4,{10 if at < 3 else 5},1,5" for at, day in enumerate(WEEK)]
    assert "outlier" not in {flag.kind for flag in checked(tmp_path, *lines).flags}


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("Symbol,Date,Open\nA,2024-01-01,1\n", "no column high, low, close; it has Symbol, Date, Open"),
        ("", "not a readable CSV"),
        ('A,B\n"x\n', "not a readable CSV"),
    ],
)
def test_a_file_of_another_kind_is_a_clear_failure(tmp_path: Path, content: str, says: str) -> None:
    path = tmp_path / "other.csv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(JobFailure, match=says):
        source.read(path)


def test_a_file_of_nothing_but_bad_rows_is_checked(tmp_path: Path) -> None:
    result = checked(tmp_path, "X,2024-01-02,0,0,0,0,0,0")
    assert (len(result.good), len(result.bad), result.flags) == (0, 1, ())


def test_only_the_candle_folders_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine.csv").write_text(HEADER)
    (tmp_path / "link.csv").symlink_to("/etc/hostname")
    monkeypatch.setenv(source.FOLDER_VARIABLE, str(tmp_path))
    assert source.locate("mine.csv") == tmp_path / "mine.csv"
    assert source.locate(source.SAMPLE).parent == source.BUNDLED
    for name in ("none.csv", "link.csv", "../common/ledger/sql.py"):
        with pytest.raises(JobFailure, match="no candle file"):
            source.locate(name)


def test_a_volume_is_not_needed(tmp_path: Path) -> None:
    result = checked(tmp_path, "X,2024-01-02,10,11,9,10", header="Symbol,Date,Open,High,Low,Close\n")
    assert (len(result.good), len(result.bad)) == (1, 0)
    assert np.isnan(result.good["volume"].iat[0])
    assert "adj_close" not in result.good
    empty = checked(tmp_path, "X,2024-01-02,10,11,9,10,,10")
    assert (len(empty.good), len(empty.bad)) == (1, 0)


def test_minutes_among_days_never_make_a_day(tmp_path: Path) -> None:
    lines = [row("X", day) for day in WEEK] + [row("X", "2024-01-10 15:59:00"), row("X", "2024-01-10 16:00:00", 99)]
    result = checked(tmp_path, *lines)
    assert result.bad["kind"].tolist() == ["several bars of one day among daily ones"] * 2
    assert len(result.good) == len(WEEK)
