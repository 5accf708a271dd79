"""From the text of cells to symbols, times and numbers; the text stays, for rows that are rejected."""

import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from services.jobs.market.layout import Dates, Decimal, Layout

    Times = NDArray[np.datetime64]

PRICES = ("open", "high", "low", "close", "adj_close")
LONGEST_SYMBOL = 100
#: ``2024-01-02 09:30:00``; what follows is the zone.
_SECONDS_END = 19
_ZONE = re.compile(r"\s*(?:Z|UTC|[+-]\d\d(?::?\d\d)?)")
_EPOCH = r"\d{9,17}(?:\.0*)?"
#: Seconds of the year 5138: a larger number counts smaller units.
LATEST_S = 1e11
_SIGNS = r"[$€£%\s'\u00a0\u202f]"
_GROUPED = r"(?<=\d),(?=\d{3}(?:\D|$))"
_YEAR_FIRST = r"^(\d{4})[./]?(\d\d)[./]?(\d\d)(?!\d)"
_DAY_OR_MONTH_FIRST = r"^(\d{1,2})[./-](\d{1,2})[./-](\d{4}|\d{2})(?!\d)"
_WORDY = ("%b %d, %Y", "%B %d, %Y", "%d %b %Y", "%d-%b-%Y", "%d-%b-%y")
_TIME_AND_ZONE = r"^(.*?\d\d:\d\d\S*?)\s*(?:Z|UTC|[+-]\d\d(?::?\d\d)?)$"


def typed(cells: "pd.DataFrame", first_line: int, layout: "Layout") -> "pd.DataFrame":
    """Columns symbol, written, instant and numbers; ``line`` counts from ``first_line`` on.

    ``cells`` are texts under our names (``layout.ALIASES``). ``written`` is the time as it stands there, whatever its
    zone, ``instant`` the same in UTC, which also is the zone of a time without one. What cannot be read is missing:
    NaT, NaN, or the symbol "". A volume that is not given is NaN, an adjusted close that no row has is no column.
    """
    import numpy as np
    import pandas as pd

    found = {"symbol": symbols(cells["symbol"])}
    found["written"], found["instant"] = times(moments(cells), layout.dates)
    for name in PRICES:
        if name in cells:
            found[name] = numbers(cells[name], layout.decimal)
    empty = np.full(len(cells), np.nan)
    found["volume"] = volumes(cells["volume"], layout.decimal) if "volume" in cells else empty
    found["line"] = cells.index.to_numpy() + first_line
    return pd.DataFrame(found).reset_index(drop=True)


def symbols(texts: "pd.Series[str]") -> "pd.Series[str]":
    """By the rule of payloads: no blanks at the ends, capitals, and nothing that cannot be printed; else "" ."""
    named = texts.astype("category")
    names = [_symbol(str(name)) for name in named.cat.categories]
    found = sorted(set(names))
    numbers = {name: number for number, name in enumerate(found)}
    import numpy as np
    import pandas as pd

    codes = np.array([numbers[name] for name in names], dtype=np.int64)
    return pd.Series(pd.Categorical.from_codes(codes[named.cat.codes.to_numpy()], categories=found))


def _symbol(text: str) -> str:
    text = text.strip().upper()
    printable = all(unicodedata.category(letter)[0] != "C" for letter in text)
    return text if printable and len(text) <= LONGEST_SYMBOL else ""


def numbers(texts: "pd.Series[str]", decimal: "Decimal" = "point") -> "NDArray[np.float64]":
    """NaN where a text is no number; signs of money, and signs that group digits, are left out."""
    import numpy as np
    import pandas as pd

    found: NDArray[np.float64]
    try:
        if decimal == "point":
            return texts.mask(texts == "", "nan").to_numpy(dtype=object).astype(np.float64)  # type: ignore[no-any-return]
    except ValueError:
        pass  # most files have no signs but the point
    plain = texts.str.replace(_SIGNS, "", regex=True)
    if decimal == "comma":
        plain = plain.str.replace(".", "", regex=False).str.replace(",", ".", regex=False)
    else:
        plain = plain.str.replace(_GROUPED, "", regex=True)
    found = pd.to_numeric(plain, errors="coerce").to_numpy(dtype=np.float64)
    return found


def volumes(texts: "pd.Series[str]", decimal: "Decimal" = "point") -> "NDArray[np.float64]":
    """NaN where none is given, infinite where a text is no number; ``1.5K``, ``53.2M`` and ``1B`` are numbers."""
    import numpy as np

    found = numbers(texts, decimal).copy()
    given = (~texts.str.strip().isin(["", "-"])).to_numpy()
    if (wrong := np.isnan(found) & given).any():
        odd = texts[wrong].str.strip().str.upper()
        factor = odd.str[-1:].map({"K": 1e3, "M": 1e6, "B": 1e9}).to_numpy(dtype=np.float64)
        found[wrong] = numbers(odd.str[:-1], decimal) * factor
    return np.where(np.isnan(found) & given, np.inf, found)


def moments(cells: "pd.DataFrame") -> "pd.Series[str]":
    """The date with the time that stands in a column of its own; ``093000`` is one, too."""
    if "clock" not in cells:
        return cells["day"]
    clock = cells["clock"].str.strip().str.replace(r"^(\d\d)(\d\d)(\d\d)$", r"\1:\2:\3", regex=True)
    return clock if "day" not in cells else (cells["day"].str.strip() + " " + clock).str.strip()


def times(texts: "pd.Series[str]", dates: "Dates | None" = None) -> "tuple[Times, Times]":
    """The times as they are written, and the same in UTC; to the second, NaT where there is none.

    Numbers are seconds, milliseconds or microseconds since 1970.
    """
    texts = texts.str.strip()
    if texts.str.fullmatch(_EPOCH).all():
        return (since := _since_1970(texts)), since
    if dates:
        year_first = r"\3-\2-\1" if dates == "dmy" else r"\3-\1-\2"
        texts = texts.str.replace(_DAY_OR_MONTH_FIRST, year_first, regex=True)
        texts = texts.str.replace(r"-(\d)(?=[-\s]|$)", r"-0\1", regex=True)
        texts = texts.str.replace(r"^(\d\d)-", r"20\1-", regex=True)
    else:
        texts = texts.str.replace(_YEAR_FIRST, r"\1-\2-\3", regex=True)
    instant = _parsed(texts)
    ends = texts.str[_SECONDS_END:].unique()
    if not any(ends):
        return instant, instant
    if all(_ZONE.fullmatch(end) for end in ends):
        return _parsed(texts.str[:_SECONDS_END]), instant
    return _parsed(texts.str.replace(_TIME_AND_ZONE, r"\1", regex=True)), instant


def _since_1970(texts: "pd.Series[str]") -> "Times":
    import numpy as np

    count = numbers(texts)
    for unit in (1e3, 1e3):
        count = np.where(np.abs(count) >= LATEST_S, count / unit, count)
    return count.astype("int64").astype("datetime64[s]")


def _parsed(texts: "pd.Series[str]") -> "Times":
    import pandas as pd

    parsed = pd.to_datetime(texts, errors="coerce", utc=True, format="ISO8601")
    for form in _WORDY if parsed.isna().all() else ():
        parsed = parsed.fillna(pd.to_datetime(texts, errors="coerce", utc=True, format=form))
    found: NDArray[np.datetime64] = parsed.dt.tz_localize(None).to_numpy().astype("datetime64[s]")
    return found
