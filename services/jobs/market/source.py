"""Reading candle files: CSV, plain or gzip, one row per symbol and day."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from services.common.jobtypes import JobFailure

if TYPE_CHECKING:
    import pandas as pd

SAMPLE = "stocks.csv.gz"
BUNDLED = Path(__file__).resolve().parents[2] / "data"
FOLDER_VARIABLE = "CANDLE_FILES"
PRICES = ("open", "high", "low", "close", "adj_close")
# Names seen in exports of the usual data vendors, in lower case with blanks and underscores taken out.
ALIASES = {
    "ticker": "symbol", "symbol": "symbol", "date": "day", "day": "day", "timestamp": "day", "open": "open",
    "high": "high", "low": "low", "close": "close", "volume": "volume", "adjclose": "adj_close",
    "adjustedclose": "adj_close",
}  # fmt: skip
REQUIRED = ("symbol", "day", "open", "high", "low", "close", "volume")


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
    """Columns symbol, day, open, high, low, close, volume, adj_close in the file's order, and ``line``.

    A value that does not parse becomes missing, for the quality checks to reject; a file without the needed
    columns is a ``JobFailure``.
    """
    import pandas as pd

    try:
        # Only an empty cell is missing: "NA" and "NAN" are tickers.
        frame = pd.read_csv(
            path,
            dtype=dict.fromkeys(("Ticker", "Symbol", "ticker", "symbol"), "str"),
            keep_default_na=False,
            na_values=[""],
        )
    except (ValueError, OSError, UnicodeDecodeError) as error:
        raise JobFailure(f"{path.name} is not a readable CSV file: {error}.") from error
    frame.columns = [ALIASES.get(str(name).lower().replace(" ", "").replace("_", ""), str(name)) for name in frame]
    if missing := [name for name in REQUIRED if name not in frame]:
        raise JobFailure(f"{path.name} has no column {', '.join(missing)}; it has {', '.join(map(str, frame))}.")
    if "adj_close" not in frame:
        frame["adj_close"] = frame["close"]
    frame = frame[["symbol", "day", "open", "high", "low", "close", "volume", "adj_close"]].copy()
    return _typed(frame)


def _typed(frame: "pd.DataFrame") -> "pd.DataFrame":
    import pandas as pd

    for name in (*PRICES, "volume"):
        frame[name] = pd.to_numeric(frame[name], errors="coerce").astype("float64")
    frame["symbol"] = frame["symbol"].astype("str").fillna("").str.strip().str.upper().astype("category")
    frame["day"] = pd.to_datetime(frame["day"], errors="coerce", utc=True, format="ISO8601").dt.tz_localize(None)
    frame["day"] = frame["day"].dt.normalize().astype("datetime64[s]")
    frame["line"] = range(2, len(frame) + 2)
    return frame
