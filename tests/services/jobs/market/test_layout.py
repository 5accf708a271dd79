"""Each usual format is read from a file as its program writes it; what a file does not show is asked for."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from services.common.jobtypes import JobFailure
from services.jobs.load_candles import JOB
from services.jobs.market import layout, quality, source
from services.jobs.market.layout import Asked

FORMATS = Path(__file__).parent / "formats"
FILES = sorted(FORMATS.iterdir())
DAYS = ["2024-01-02", "2024-01-03", "2024-01-16"]
BARS = {
    "open": [185.0, 184.25, 182.0],
    "high": [186.5, 185.5, 184.0],
    "low": [183.25, 183.0, 181.5],
    "close": [184.75, 183.5, 183.75],
    "volume": [1500.0, 2500.0, 3500.0],
}


def good(path: Path, **chosen: Any) -> quality.Checked:
    (piece,) = source.pieces(path, **chosen)
    assert piece.interval == "1d"
    return quality.check(piece.frame, datetime(2024, 2, 1, tzinfo=UTC))


@pytest.mark.parametrize("path", FILES, ids=[path.name for path in FILES])
def test_a_file_is_read_as_its_program_writes_it(path: Path) -> None:
    checked = good(path, symbol="ACME")
    assert len(checked.bad) == 0
    assert checked.good["symbol"].astype(str).tolist() == ["ACME"] * 3
    assert [str(day)[:10] for day in checked.good["day"]] == DAYS
    for name, values in BARS.items():
        assert checked.good[name].tolist() == values, name
    assert ("adj_close" in checked.good) == path.name.startswith("yahoo")


def test_every_format_has_its_file() -> None:
    assert len(FILES) == 17


def bars(tmp_path: Path, *lines: str) -> Path:
    path = tmp_path / "mine.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_a_date_of_two_meanings_is_asked_for(tmp_path: Path) -> None:
    path = bars(tmp_path, "Date,Open,High,Low,Close", "03/04/2020,1,2,1,2", "04/04/2020,1,2,1,2")
    with pytest.raises(JobFailure, match=r"'03/04/2020' in mine\.csv has day and month .* dates=dmy"):
        good(path, symbol="X")
    for order, day in (("dmy", "2020-04-03"), ("mdy", "2020-03-04")):
        (piece,) = source.pieces(path, symbol="X", interval="1d", asked=Asked(dates=order))  # type: ignore[arg-type]
        assert str(piece.frame["day"].iat[0])[:10] == day


@pytest.mark.parametrize(
    ("dates", "day"),
    [
        (("03/04/2020", "13/04/2020"), "2020-04-03"),
        (("03/04/2020", "03/13/2020"), "2020-03-04"),
        (("3.4.2020", "4.4.2020"), "2020-04-03"),
        (("3/4/20", "3/13/20"), "2020-03-04"),
        (("03-04-2020", "13-04-2020"), "2020-04-03"),
        (("2020/04/03", "2020/04/04"), "2020-04-03"),
        (("2020/4/3", "2020/4/4"), "2020-04-03"),
        (("2020-4-3", "2020-4-4"), "2020-04-03"),
        (("2020-4-3 00:00", "2020-4-4 00:00"), "2020-04-03"),
    ],
)
def test_one_date_of_one_meaning_shows_it_for_all(tmp_path: Path, dates: tuple[str, str], day: str) -> None:
    path = bars(tmp_path, "Date,Open,High,Low,Close", *(f"{each},1,2,1,2" for each in dates))
    (piece,) = source.pieces(path, symbol="X", interval="1d")
    assert str(piece.frame["day"].iat[0])[:10] == day


def test_a_date_that_is_none_hides_no_later_one(tmp_path: Path) -> None:
    path = bars(tmp_path, "Date,Open,High,Low,Close", *(f"{each},1,2,1,2" for each in ("", "03/04/2020", "13/04/2020")))
    (piece,) = source.pieces(path, symbol="X", interval="1d")
    assert [str(day)[:10] for day in piece.frame["day"]] == ["NaT", "2020-04-03", "2020-04-13"]


def test_a_number_of_two_meanings_is_asked_for(tmp_path: Path) -> None:
    lines = ("Date;Open;High;Low;Close", "2024-01-02;1,234;1,235;1,233;1,234")
    path = bars(tmp_path, *lines)
    with pytest.raises(JobFailure, match="'1,234' in mine.csv may be .* decimal=point or decimal=comma"):
        good(path, symbol="X")
    for sign, price in (("comma", 1.234), ("point", 1234.0)):
        (piece,) = source.pieces(path, symbol="X", asked=Asked(decimal=sign))  # type: ignore[arg-type]
        assert piece.frame["close"].tolist() == [price]
    with_a_clear_one = bars(tmp_path, *lines, "2024-01-03;1,2;1,3;1,1;1,2")
    assert good(with_a_clear_one, symbol="X").good["close"].tolist() == [1.234, 1.2]


@pytest.mark.parametrize(
    ("written", "value"),
    [("$1,234.50", 1234.5), ("1 234.5", 1234.5), ("1e3", 1000.0), ("0.00000130", 0.0000013), ("1,234,567", 1234567.0)],
)
def test_signs_of_money_and_groups_are_left_out(tmp_path: Path, written: str, value: float) -> None:
    path = bars(tmp_path, "Date;Open;High;Low;Close", f"2024-01-02;{written};{written};{written};{written}")
    assert good(path, symbol="X").good["close"].tolist() == [value]


def test_two_symbols_side_by_side_are_refused(tmp_path: Path) -> None:
    path = bars(tmp_path, "Price,Close,Close,Open,Open", "Ticker,AAPL,MSFT,AAPL,MSFT", "Date,,,,", "2024-01-02,1,2,1,2")
    with pytest.raises(JobFailure, match="2 symbols side by side: AAPL, MSFT"):
        good(path)


def test_columns_without_names_are_named_by_whoever_loads_them(tmp_path: Path) -> None:
    path = bars(tmp_path, "2024-01-02,2,1,1.5,1.25", "2024-01-03,2,1,1.5,1.25")
    with pytest.raises(JobFailure, match="no header, and 5 columns of no format"):
        good(path, symbol="X")
    asked = Asked(columns=tuple(JOB.normalise({"columns": "date,high,low,open,close"})["columns"]))
    checked = good(path, symbol="X", asked=asked)
    assert checked.good[["open", "high", "low", "close"]].to_numpy()[0].tolist() == [1.5, 2.0, 1.0, 1.25]


def test_more_cells_than_names_are_refused_unless_they_are_empty(tmp_path: Path) -> None:
    header = "Date,Open,High,Low,Close"
    assert len(good(bars(tmp_path, header, "2024-01-02,1,2,1,2,"), symbol="X").good) == 1
    for lines in (("2024-01-02,1,234,2,1,2",), ("2024-01-02,1,2,1,2", "2024-01-03,1,234,2,1,2")):
        with pytest.raises(JobFailure, match="6"):
            good(bars(tmp_path, header, *lines), symbol="X")


def test_an_epoch_is_told_by_its_size(tmp_path: Path) -> None:
    expected = np.datetime64("2024-01-02T09:30:00")
    for unit in (1, 1_000, 1_000_000):
        rows = [f"{int((expected + 60 * at).astype('int64')) * unit},1,2,1,2" for at in range(2)]
        (piece,) = source.pieces(bars(tmp_path, "time,open,high,low,close", *rows), symbol="X")
        assert (piece.interval, piece.frame["day"].to_numpy()[0]) == ("1m", expected)


def test_a_column_is_known_by_any_of_its_names() -> None:
    assert [layout.meaning(name) for name in ("<OPEN>", "Adj. Close", "Volume BTC", "Close/Last", "Change %")] == [
        "open", "adj_close", "volume", "close", None,
    ]  # fmt: skip
