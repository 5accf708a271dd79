"""An exchange on this host, with Binance's protocol of klines: it counts what it is asked, and fails as it is told."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from services.jobs.exchange.clock import Clock

START = datetime(2024, 1, 1, tzinfo=UTC)
HOUR_MS = 3_600_000
#: Of a page of bars, in the points of which Binance allows 1200 a minute.
COST = 0.4

Bar = list[Any]
Fault = Callable[["Answer", list[Bar]], None]


def bar(number: int) -> Bar:
    """The bar of this hour since ``START``, as Binance writes it."""
    begin = int(START.timestamp() * 1000) + number * HOUR_MS
    price = 100 + number % 20
    texts = [f"{price}.0", f"{price + 2}.0", f"{price - 1}.0", f"{price + 1}.0", "12.5"]
    return [begin, *texts, begin + HOUR_MS - 1, "0", 1, "0", "0", "0"]


class Answer(BaseHTTPRequestHandler):
    """One request. ``exchange`` is set by ``served``."""

    exchange: "FakeExchange"
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        if url.path.endswith("/exchangeInfo"):
            self.reply(200, {"timezone": "UTC", "symbols": [_market("BTC"), _market("ETH")]})
            return
        asked = dict(parse_qsl(url.query))
        fault = self.exchange.next(asked)
        bars = self.exchange.bars(int(asked.get("startTime", 0)), int(asked.get("limit", 500)))
        if fault is None:
            self.reply(200, bars)
        else:
            fault(self, bars)

    def reply(self, status: int, document: Any, headers: dict[str, str] | None = None) -> None:
        self.reply_text(status, json.dumps(document), headers)

    def reply_text(self, status: int, text: str, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: Any) -> None:
        pass


@dataclass
class FakeExchange:
    """``faults`` are the next answers, one each, then all is well; ``asked`` are the requests for bars."""

    count: int = 100
    page: int = 1000
    faults: list[Fault] = field(default_factory=list)
    asked: list[dict[str, str]] = field(default_factory=list)
    came_at: list[float] = field(default_factory=list)
    url: str = ""
    #: Ends answers that are slow for ever.
    over: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def next(self, asked: dict[str, str]) -> Fault | None:
        with self._lock:
            self.came_at.append(time.monotonic())
            self.asked.append(asked)
            return self.faults.pop(0) if self.faults else None

    def bars(self, since_ms: int, limit: int) -> list[Bar]:
        first = max(0, -(-(since_ms - int(START.timestamp() * 1000)) // HOUR_MS))
        return [bar(number) for number in range(first, min(self.count, first + min(limit, self.page)))]


def _market(base: str) -> dict[str, Any]:
    return {
        "symbol": f"{base}USDT",
        "status": "TRADING",
        "baseAsset": base,
        "quoteAsset": "USDT",
        "baseAssetPrecision": 8,
        "quoteAssetPrecision": 8,
        "isSpotTradingAllowed": True,
        "permissions": ["SPOT"],
        "orderTypes": ["LIMIT"],
        "filters": [],
    }


def point_at(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have ccxt's Binance ask there, for as long as ``monkeypatch`` lasts."""
    import ccxt

    describe = ccxt.binance.describe

    def pointed(self: Any) -> Any:
        found = describe(self)
        found["urls"]["api"] = dict.fromkeys(found["urls"]["api"], url)
        found["options"]["fetchMarkets"] = {"types": ["spot"]}
        return found

    monkeypatch.setattr(ccxt.binance, "describe", pointed)


@contextmanager
def served(monkeypatch: pytest.MonkeyPatch, **options: Any) -> Iterator[FakeExchange]:
    """A running exchange, at which ccxt's Binance is pointed."""
    exchange = FakeExchange(**options)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Answer,), {"exchange": exchange}))
    server.daemon_threads = True
    exchange.url = f"http://127.0.0.1:{server.server_address[1]}/api/v3"
    point_at(exchange.url, monkeypatch)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield exchange
    finally:
        exchange.over.set()
        server.shutdown()
        server.server_close()
        thread.join(20)


@dataclass
class Hands:
    """A clock of which nobody waits: ``sleep`` moves its hands. At ``hour`` hours after ``START`` it begins."""

    hour: float = 100.5
    slept: list[float] = field(default_factory=list)

    def clock(self) -> Clock:
        return Clock(
            lambda: START + timedelta(hours=self.hour, seconds=sum(self.slept)),
            lambda: sum(self.slept),
            self.slept.append,
        )


def status(code: int, headers: dict[str, str] | None = None) -> Fault:
    """An error with the body that Binance sends."""
    number = -1003 if code in {418, 429} else -1001
    return lambda answer, bars: answer.reply(code, {"code": number, "msg": "Not now."}, headers)


def html(code: int) -> Fault:
    """As a proxy before the exchange answers."""
    return lambda answer, bars: answer.reply_text(code, "<html><body>Bad Gateway</body></html>")


def truncated(answer: Answer, bars: list[Bar]) -> None:
    """JSON that ends in the middle, and says that it is complete."""
    answer.reply_text(200, json.dumps(bars)[:-40])


def cut(answer: Answer, bars: list[Bar]) -> None:
    """The connection ends in the middle of the body."""
    text = json.dumps(bars)
    answer.send_response(200)
    answer.send_header("Content-Length", str(len(text)))
    answer.end_headers()
    answer.wfile.write(text[: len(text) // 2].encode())
    answer.wfile.flush()
    answer.close_connection = True


def dropped(answer: Answer, bars: list[Bar]) -> None:
    """The connection ends before the answer."""
    answer.close_connection = True


def empty(answer: Answer, bars: list[Bar]) -> None:
    answer.reply(200, [])


def slow(answer: Answer, bars: list[Bar]) -> None:
    """Nothing comes as long as the test runs."""
    answer.exchange.over.wait(60)
    answer.close_connection = True


def changed(change: Callable[[list[Bar]], list[Bar]]) -> Fault:
    """The bars as ``change`` makes them."""
    return lambda answer, bars: answer.reply(200, change(bars))


def dated(seconds: float, now: datetime) -> dict[str, str]:
    """Retry-After as a date."""
    return {"Retry-After": format_datetime(now + timedelta(seconds=seconds), usegmt=True)}
