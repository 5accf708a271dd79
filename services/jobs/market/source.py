"""Reading candle files: CSV, plain or compressed, one row per symbol and bar, in pieces that fit into memory."""

import gzip
import io
import os
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from services.common.jobtypes import JobFailure
from services.jobs.market import cells, intervals, layout
from services.jobs.market.layout import Asked

if TYPE_CHECKING:
    import pandas as pd

SAMPLE = "stocks.csv.gz"
ANYTHING = Asked()
BUNDLED = Path(__file__).resolve().parents[2] / "data"
FOLDER_VARIABLE = "CANDLE_FILES"
#: About 150 MB while they are read.
ROWS_PER_PIECE = 200_000
#: In so many of its first lines a file shows how it is written.
SHOWING = 500
REQUIRED = ("symbol", "day", "open", "high", "low", "close")


@dataclass(frozen=True)
class Piece:
    """Some rows of a file: ``frame`` as ``cells.typed`` gives them with their ``day``, ``cells`` as they are written.

    Both in the same order. ``columns`` has the file's name of each of ours, ``done`` is how much was read, 0 to 1.
    """

    frame: "pd.DataFrame"
    cells: "pd.DataFrame"
    columns: dict[str, str]
    interval: intervals.Interval
    done: float


def folders() -> list[Path]:
    """Where candle files may lie: the folder named by ``CANDLE_FILES``, then the data of the stack itself."""
    chosen = os.environ.get(FOLDER_VARIABLE)
    return [*([Path(chosen)] if chosen else []), BUNDLED]


def locate(name: str) -> Path:
    """The file of that name; ``JobFailure`` says where it was looked for. Nothing else is ever read."""
    for folder in folders():
        path = folder / name
        if path.is_file() and path.resolve().is_relative_to(folder.resolve()):
            return path
    places = " or ".join(str(folder) for folder in folders())
    raise JobFailure(
        f"There is no candle file {name!r} in {places}.",
        hint=f"Put it there, or set {FOLDER_VARIABLE} to its folder on the workers.",
    )


def read(path: Path) -> "pd.DataFrame":
    """The rows of a whole file at once, for files that are known to be small."""
    import pandas as pd

    return pd.concat([piece.frame for piece in pieces(path, rows=10**9)], ignore_index=True)


def pieces(
    path: Path,
    *,
    symbol: str | None = None,
    interval: intervals.Interval | None = None,
    only: tuple[str, ...] = (),
    asked: Asked = ANYTHING,
    rows: int | None = None,
) -> Iterator[Piece]:
    """The file, ``rows`` rows at a time, by default ``ROWS_PER_PIECE``; of symbols ``only``, if any are named.

    ``symbol`` is that of a file which has no such column. In a file of daily bars ``day`` is the date as written,
    whatever the zone; else it is the time in UTC. Raises ``JobFailure`` for a file without the needed columns, or
    one that does not show how it is to be read, where that was not ``asked``.
    """
    seen: intervals.Interval | None = None
    written = layout.of_lines(path.name, _first_lines(path), asked)
    columns = _columns(path.name, written, symbol)
    for chunk, first_line, done in _chunks(path, written, rows or ROWS_PER_PIECE):
        texts = chunk[list(columns.values())].set_axis(list(columns), axis=1)
        if "symbol" not in columns:
            texts = texts.assign(symbol=symbol or written.symbol)
        frame = cells.typed(texts, first_line, written)
        if only:
            chosen = frame["symbol"].isin(only).to_numpy()
            frame, chunk = frame[chosen].reset_index(drop=True), chunk[chosen]  # noqa: PLW2901 - the same rows
        if frame.empty:
            continue
        seen = seen or intervals.of_file(path.name, frame, interval)
        frame["day"] = frame["written"].dt.normalize() if seen == intervals.DAILY else frame["instant"]
        yield Piece(frame, chunk, columns, seen, done)


def _first_lines(path: Path) -> list[str]:
    try:
        with _opened(path) as stream:
            return list(layout.lines_of(io.TextIOWrapper(stream, encoding="utf-8-sig"), SHOWING))
    except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise _unreadable(path, error) from error


@contextmanager
def _opened(path: Path) -> "Iterator[IO[bytes]]":
    if _compression(path) == "gzip":
        with gzip.open(path) as stream:
            yield stream  # type: ignore[misc]
    elif _compression(path) == "zip":
        with zipfile.ZipFile(path) as archive, archive.open(archive.namelist()[0]) as stream:
            yield stream
    else:
        with path.open("rb") as stream:
            yield stream


def _compression(path: Path) -> str | None:
    return {".gz": "gzip", ".zip": "zip"}.get(path.suffix.lower())


def _unreadable(path: Path, error: Exception) -> JobFailure:
    return JobFailure(f"{path.name} is not a readable CSV file: {error}.")


def _chunks(path: Path, written: layout.Layout, rows: int) -> "Iterator[tuple[pd.DataFrame, int, float]]":
    """Rows as texts, the line of the first of them, and the part of the file that was read."""
    import pandas as pd

    size = max(path.stat().st_size, 1)
    try:
        with path.open("rb") as stream:
            # "NA" and "NAN" are tickers, and 000001 is one: nothing is anything but text yet. Blank lines count.
            reader = pd.read_csv(
                stream,
                sep=written.delimiter,
                header=None,
                names=range(len(written.names)),
                skiprows=written.skip,
                dtype="object",
                na_filter=False,
                skip_blank_lines=False,
                index_col=False,
                chunksize=rows,
                encoding="utf-8-sig",
                compression=_compression(path),
            )
            line = written.skip + 1
            for chunk in reader:
                first, line = line, line + len(chunk)
                chunk = chunk.reset_index(drop=True).set_axis(list(written.names), axis=1)  # noqa: PLW2901 - the same
                yield _without_blanks(chunk), first, min(stream.tell() / size, 1.0)
    except (ValueError, OSError, EOFError) as error:
        raise _unreadable(path, error) from error


def _without_blanks(chunk: "pd.DataFrame") -> "pd.DataFrame":
    empty = chunk.iloc[:, 0] == ""
    return chunk[~empty | (chunk != "").any(axis=1)] if empty.any() else chunk


def _columns(file: str, written: layout.Layout, symbol: str | None) -> dict[str, str]:
    """The columns that are understood, by our names; of two with one meaning the first counts."""
    found: dict[str, str] = {}
    for column in written.names:
        if name := layout.meaning(column):
            found.setdefault(name, column)
    has = found.keys() | ({"symbol"} if symbol or written.symbol else set()) | ({"day"} if "clock" in found else set())
    if missing := [name for name in REQUIRED if name not in has]:
        raise JobFailure(
            f"{file} has no column {', '.join(missing)}; it has {', '.join(written.names)}.",
            hint="Name the symbol that all of it is of: symbol=BTC/USDT." if missing == ["symbol"] else "",
        )
    return found
