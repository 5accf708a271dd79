"""Of a real schedule and real candles the API shows what is there and what should be."""

import re
from datetime import UTC, datetime, timedelta

import httpx
import psycopg
import pytest

from services.common.data.freshness import Fresh, Freshness
from services.common.database import Database
from services.common.ledger import Schedules
from services.common.settings import Settings
from services.jobs.download_candles import JOB
from tests.integration.services.conftest import Serve

pytestmark = pytest.mark.integration

NEWEST = datetime(2026, 11, 26, 10, tzinfo=UTC)
FRESHNESS = re.compile(
    r'^candles_(\w+)_timestamp_seconds\{interval="1h",symbol="BINANCE:BTC/USDT"\} (\S+)$', re.MULTILINE
)


def put(schedules: Schedules, name: str = "hourly", **more: str) -> None:
    payload = JOB.normalise({"exchange": "binance", "symbol": "btc/usdt", "interval": "1h", **more})
    schedules.put(name, JOB.name, payload, cron="0 * * * *", zone="UTC", by="a test")


def load(settings: Settings, symbol: str = "BINANCE:BTC/USDT") -> None:
    with psycopg.connect(settings.postgres_dsn("test").get_secret_value()) as connection:
        for interval, newest in (("1h", NEWEST), ("1d", NEWEST + timedelta(days=9))):
            series = "INSERT INTO series (symbol, interval) VALUES (%s, %s) RETURNING id"
            (number,) = connection.execute(series, (symbol, interval)).fetchone() or (0,)
            for ago in range(3):
                candle = "INSERT INTO candle (series_id, ts, o, h, l, c, v) VALUES (%s, %s, 1, 1, 1, 1, 1)"
                connection.execute(candle, (number, newest - timedelta(hours=ago)))


def shown(api: httpx.Client) -> dict[str, float]:
    return {name: float(value) for name, value in FRESHNESS.findall(api.get("/metrics").text)}


def test_the_newest_bar_of_the_series_that_is_downloaded_is_compared(settings: Settings, database: Database) -> None:
    schedules = Schedules(database)
    now = datetime.now(UTC)
    later = Freshness(database, lambda: now + timedelta(hours=5))
    put(schedules)
    assert Freshness(database, lambda: now).all() == [], "its first time is to come"
    (never,) = later.all()
    assert (never.symbol, never.interval, never.newest) == ("BINANCE:BTC/USDT", "1h", 0.0)
    load(settings)
    (found,) = later.all()
    hour = (now + timedelta(hours=5)).replace(minute=0, second=0, microsecond=0)
    expected = (hour - timedelta(hours=1)).timestamp()
    assert found == Fresh("BINANCE:BTC/USDT", "1h", (NEWEST + timedelta(hours=1)).timestamp(), expected)
    put(schedules, "other", series="mine")
    assert [each.symbol for each in later.all()] == ["BINANCE:BTC/USDT", "MINE"]
    for name in ("hourly", "other"):
        schedules.pause(name, paused=True, by="a test")
    assert later.all() == []


def test_the_api_shows_it_to_prometheus(serve: Serve, settings: Settings, database: Database) -> None:
    put(Schedules(database))
    load(settings)
    assert shown(serve(settings)) == {}, "nothing is expected yet"
    with psycopg.connect(settings.postgres_dsn("test").get_secret_value()) as connection:
        connection.execute("UPDATE schedule SET last_at = %s", (NEWEST,))
    assert shown(serve(settings)) == {
        "newest": (NEWEST + timedelta(hours=1)).timestamp(),
        "expected": (NEWEST - timedelta(hours=1)).timestamp(),
    }
