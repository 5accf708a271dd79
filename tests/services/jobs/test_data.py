"""The data that ships with the stack is what its attribution says."""

import csv
import gzip
import hashlib
from collections import Counter

from services.jobs.market import source

ROWS = {"AAPL": 3270, "FB": 196, "GOOG": 2148, "IBM": 3270, "MSFT": 3270}


def test_every_row_is_there() -> None:
    with gzip.open(source.BUNDLED / source.SAMPLE, "rt", newline="") as stream:
        counted = Counter(row["Ticker"] for row in csv.DictReader(stream))
    assert counted == ROWS
    assert counted.total() == 12_154


def test_attribution_names_this_very_file() -> None:
    text = (source.BUNDLED / "ATTRIBUTION.md").read_text(encoding="utf-8")
    digest = hashlib.sha256((source.BUNDLED / source.SAMPLE).read_bytes()).hexdigest()
    assert digest in text
    assert all(f"{symbol} {rows}" in text for symbol, rows in ROWS.items())
    assert "public domain" in text
