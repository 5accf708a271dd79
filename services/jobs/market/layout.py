"""How a file is written: delimiter, header, names of columns, decimals, order of dates; seen in its first lines.

What these do not show is asked for: 03/04/2020 is a day in April to some and one in March to others.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from services.common.jobtypes import JobFailure
from services.jobs.market.wording import several

Dates = Literal["dmy", "mdy"]
Decimal = Literal["point", "comma"]

# Names in exports of the usual vendors and programs, in lower case with all but letters and digits taken out.
ALIASES = {
    "symbol": ("symbol", "ticker"),
    "day": ("date", "day", "datum", "timestamp", "datetime", "unix", "opentime"),
    "clock": ("time", "zeit", "uhrzeit"),
    "open": ("open", "eröffnung", "eröffn", "erster"),
    "high": ("high", "hoch", "tageshoch"),
    "low": ("low", "tief", "tagestief"),
    "close": ("close", "closelast", "price", "schluss", "schlusskurs", "zuletzt", "letzter"),
    "adj_close": ("adjclose", "adjustedclose", "adjustedprice"),
    "volume": ("volume", "vol", "tickvol", "tickvolume", "volumen", "stück"),
}
_MEANING = {alias: name for name, aliases in ALIASES.items() for alias in aliases}
_WORDS = re.compile(r"[^\W\d_]{2,}")
_EPOCH = re.compile(r"\d{9,17}(\.0*)?")
_SLASHED = re.compile(r"(\d{1,2})([./-])(\d{1,2})\2(\d{4}|\d{2})\b")
_NUMBER = re.compile(r"[-+]?[\d.,' \u00a0]+")
#: Files without a header, by the first cell and the number of columns: Binance, Kraken, MetaTrader 4.
_KLINES = ("open time", "open", "high", "low", "close", "volume", "close time", "quote volume", "trades",
           "taker base", "taker quote", "ignore")  # fmt: skip
_KRAKEN = ("unix", "open", "high", "low", "close", "volume", "trades")
_METATRADER = ("date", "time", "open", "high", "low", "close", "volume")


@dataclass(frozen=True)
class Layout:
    """``skip`` lines come before the first row; ``names`` are those of its columns, ``symbol`` is one in its header."""

    delimiter: str
    skip: int
    names: tuple[str, ...]
    symbol: str | None = None
    decimal: Decimal = "point"
    dates: Dates | None = None


@dataclass(frozen=True)
class Asked:
    """Answers of whoever loads the file, which go before what it shows; None where the file is to show it."""

    columns: tuple[str, ...] = ()
    decimal: Decimal | None = None
    dates: Dates | None = None


def meaning(column: str) -> str | None:
    """Our name of a column, None for one that is of no use here."""
    word = "".join(letter for letter in column.lower() if letter.isalnum())
    if word.startswith("volume"):  # ``Volume BTC``
        return "volume"
    return _MEANING.get(word)


def of_lines(file: str, lines: Sequence[str], asked: Asked) -> Layout:
    """The layout of a file that begins with these lines; ``JobFailure`` for what they do not show."""
    at, delimiter = _start(lines)
    if at == len(lines):
        raise JobFailure(f"{file} is not a readable CSV file: none of its first lines has columns.")
    first = _cells(lines[at], delimiter)
    symbol = None
    if _of_yfinance(lines[at : at + 3], delimiter):
        names, skip, symbol = ["Date", *first[1:]], at + 3, _one_symbol(file, _cells(lines[at + 1], delimiter)[1:])
    elif any(_WORDS.search(cell) for cell in first):
        names, skip = first, at + 1
    else:
        names, skip = _names_of(file, first, asked), at
    if asked.columns:
        names = [*asked.columns, *names[len(asked.columns) :]]
    rows = [_cells(line, delimiter) for line in lines[skip:] if line.strip()]
    names += _unnamed(file, names, rows[:1])
    columns = [meaning(name) for name in names]
    decimal = asked.decimal or _decimal(file, _of(rows, columns, "open", "high", "low", "close"))
    dates = asked.dates or _dates(file, _of(rows, columns, "day", "clock"))
    return Layout(delimiter, skip, tuple(names), symbol, decimal, dates)


def _unnamed(file: str, names: list[str], rows: list[list[str]]) -> list[str]:
    """Names for cells behind the last column, where these are empty: each line ends with a delimiter."""
    more = rows[0][len(names) :] if rows else []
    if any(more):
        raise JobFailure(f"{file} has {several(len(names), 'name')} for {several(len(rows[0]), 'column')}.")
    return [f"column {len(names) + number}" for number in range(1, len(more) + 1)]


def _start(lines: Sequence[str]) -> tuple[int, str]:
    """The number of the first line of a table, behind an address or a remark, and the delimiter."""
    for number, line in enumerate(lines):
        if line.lower().startswith("sep=") and len(line) == 5:
            return number + 1, line[4]
        # Three columns at least; where commas stand before decimals, something else parts the columns.
        if delimiter := next((each for each in (";", "\t", ",") if line.count(each) >= 2), None):
            return number, delimiter
    return len(lines), ","


def _cells(line: str, delimiter: str) -> list[str]:
    return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter), [])]


def _of_yfinance(lines: Sequence[str], delimiter: str) -> bool:
    starts = [_cells(line, delimiter)[:1] for line in lines]
    return starts in ([["Price"], ["Ticker"], ["Date"]], [["Price"], ["Ticker"], ["Datetime"]])


def _one_symbol(file: str, tickers: Iterable[str]) -> str:
    found = sorted(set(filter(None, tickers)))
    if len(found) != 1:
        raise JobFailure(
            f"{file} has {len(found)} symbols side by side: {', '.join(found[:5])}.",
            hint="Save each one in a file of its own.",
        )
    return found[0]


def _names_of(file: str, first: list[str], asked: Asked) -> list[str]:
    if asked.columns:
        return [f"column {number}" for number in range(1, len(first) + 1)]
    if _EPOCH.fullmatch(first[0]) and len(first) in (6, 7):
        return list(_KRAKEN[: len(first)])
    if _EPOCH.fullmatch(first[0]) and len(first) in (11, 12):
        return list(_KLINES[: len(first)])
    if re.fullmatch(r"\d{4}\.\d\d\.\d\d", first[0]) and len(first) == len(_METATRADER):
        return list(_METATRADER)
    raise JobFailure(
        f"{file} has no header, and {several(len(first), 'column')} of no format known here.",
        hint="Name them in their order: columns=date,open,high,low,close,volume.",
    )


def _of(rows: list[list[str]], columns: list[str | None], *wanted: str) -> list[str]:
    """The cells of these columns."""
    numbers = [number for number, name in enumerate(columns) if name in wanted]
    return [row[number] for row in rows for number in numbers if number < len(row)]


def _decimal(file: str, cells: Iterable[str]) -> Decimal:
    """A sign that groups digits has three of them behind it; of two signs the last one stands before the decimals."""
    doubtful = ""
    for cell in cells:
        if not _NUMBER.fullmatch(cell.strip("$€£ ")):
            continue
        comma, point = cell.rfind(","), cell.rfind(".")
        if comma >= 0 and point >= 0:
            return "comma" if comma > point else "point"
        if comma >= 0:
            if cell.count(",") > 1:
                return "point"
            if not re.search(r"^\D*[1-9]\d{0,2},\d{3}$", cell):
                return "comma"
            doubtful = cell
        elif point >= 0 and (cell.count(".") > 1):
            return "comma"
        elif point >= 0:
            return "point"
    if doubtful:
        raise JobFailure(
            f"{doubtful!r} in {file} may be a number with three decimals or one of four digits and more.",
            hint="Name the sign before the decimals: decimal=point or decimal=comma.",
        )
    return "point"


def _dates(file: str, cells: Iterable[str]) -> Dates | None:
    """The order of day and month; None where the year comes first. Between points it is the day that does."""
    doubtful = ""
    for cell in cells:
        if not (match := _SLASHED.match(cell)):
            continue
        if match[2] == "." or int(match[1]) > 12:
            return "dmy"
        if int(match[3]) > 12:
            return "mdy"
        doubtful = doubtful or cell
    if doubtful:
        raise JobFailure(
            f"{doubtful!r} in {file} has day and month in an order that no date of its first rows shows.",
            hint="Name it: dates=dmy where the day comes first, dates=mdy where the month does.",
        )
    return None


def lines_of(text: Iterable[str], most: int) -> Iterator[str]:
    """The first lines, without their ends."""
    for number, line in enumerate(text):
        if number >= most:
            return
        yield line.rstrip("\r\n")
