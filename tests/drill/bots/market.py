"""A spot market on this host, with those of Binance's public questions that a bot asks."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.drill.bots.account import Account

PRICES = {"BTCUSDT": 60000.0, "ETHUSDT": 3000.0, "SOLUSDT": 150.0, "XRPUSDT": 2.0}
MINUTE_MS = 60_000
DAY_MS = 86_400_000
FILTERS = [
    {"filterType": "PRICE_FILTER", "minPrice": "0.01", "maxPrice": "1000000", "tickSize": "0.01"},
    {"filterType": "LOT_SIZE", "minQty": "0.00001", "maxQty": "9000", "stepSize": "0.00001"},
    {"filterType": "NOTIONAL", "minNotional": "5", "maxNotional": "9000000"},
]


@dataclass
class Market:
    """Prices stand still. ``wait_s`` passes before each order book, without which a bot places no order."""

    wait_s: float = 0.0
    url: str = ""
    account: Account = field(default_factory=Account)
    #: What it was asked and does not know.
    unknown: list[str] = field(default_factory=list)

    def answer(self, method: str, path: str, asked: dict[str, str]) -> Any:
        answers: dict[str, Callable[[dict[str, str]], Any]] = {
            "exchangeInfo": lambda _: {"timezone": "UTC", "symbols": [_symbol(each) for each in PRICES]},
            "klines": _bars,
            "time": lambda _: {"serverTime": _now_ms()},
            "ping": lambda _: {},
            "24hr": _tickers,
            "bookTicker": _tickers,
            "depth": self._book,
        }
        known = answers.get(path.rpartition("/")[2])
        found = known(asked) if known else self.account.answer(method, path, asked, PRICES.__getitem__)
        if found is None:
            self.unknown.append(f"{method} {path}")
        return found

    def _book(self, asked: dict[str, str]) -> Any:
        time.sleep(self.wait_s)
        price = PRICES[asked["symbol"]]
        bids, asks = ([[f"{price * (1 + sign * step / 1e4):.2f}", "500"] for step in range(1, 20)] for sign in (-1, 1))
        return {"lastUpdateId": 1, "bids": bids, "asks": asks}


def _symbol(name: str) -> Any:
    return {
        "symbol": name,
        "status": "TRADING",
        "baseAsset": name.removesuffix("USDT"),
        "quoteAsset": "USDT",
        "baseAssetPrecision": 8,
        "quoteAssetPrecision": 8,
        "isSpotTradingAllowed": True,
        "permissions": ["SPOT"],
        "orderTypes": ["LIMIT", "MARKET", "STOP_LOSS_LIMIT"],
        "filters": FILTERS,
    }


def _bars(asked: dict[str, str]) -> Any:
    """Of one minute; the last one is not complete."""
    now, count, price = _now_ms(), int(asked.get("limit", 500)), PRICES[asked["symbol"]]
    last = now // MINUTE_MS * MINUTE_MS
    first = max(int(asked.get("startTime", 0)) // MINUTE_MS * MINUTE_MS, last - (count - 1) * MINUTE_MS)
    texts = [str(each) for each in (price, price, price, price, 12.5)]
    return [
        [begin, *texts, begin + MINUTE_MS - 1, "0", 1, "0", "0", "0"] for begin in range(first, last + 1, MINUTE_MS)
    ]


def _tickers(asked: dict[str, str]) -> Any:
    found = [_ticker(name) for name in PRICES if asked.get("symbol", name) == name]
    return found[0] if "symbol" in asked else found


def _ticker(name: str) -> Any:
    price, now = str(PRICES[name]), _now_ms()
    prices = dict.fromkeys(("lastPrice", "bidPrice", "askPrice", "openPrice", "highPrice", "lowPrice"), price)
    volumes = {"volume": "1000", "quoteVolume": "1000000", "bidQty": "100", "askQty": "100"}
    return {"symbol": name, "openTime": now - DAY_MS, "closeTime": now} | prices | volumes


def _now_ms() -> int:
    return int(time.time() * 1000)


class Answer(BaseHTTPRequestHandler):
    """One request. ``market`` is set by ``open_market``."""

    market: Market
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_DELETE(self) -> None:
        self._answer()

    def _answer(self) -> None:
        url = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        found = self.market.answer(self.command, url.path, dict(parse_qsl(url.query) + parse_qsl(body)))
        text = json.dumps({"code": -1, "msg": "Not known."} if found is None else found).encode()
        self.send_response(404 if found is None else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def open_market() -> Iterator[Market]:
    market = Market()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Answer,), {"market": market}))
    server.daemon_threads = True
    market.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield market
    finally:
        server.shutdown()
        server.server_close()
        thread.join(20)
