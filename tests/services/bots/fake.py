"""A freqtrade on this host: its REST API as release 2026.9 answers it, which trades nothing and fails as it is told.

`tests/drill/test_freqtrade.py` holds it against a real one.
"""

import base64
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from pydantic import SecretStr

from services.bots.adapters.freqtrade import Freqtrade
from services.bots.contract import Login

USER, PASSWORD = "trader", "a-password-of-the-bot"
HOUR_S = 3600

Fault = Callable[["Answer"], None]


class RefusedError(Exception):
    """What its state does not allow, in its words."""


def order(number: int, side: str = "buy", *, filled: float = 0.0, amount: float = 0.5, is_open: bool = True) -> Any:
    return {
        "pair": "BTC/USDT",
        "order_id": f"order-{number}",
        "status": "open" if is_open else "closed",
        "remaining": amount - filled,
        "amount": amount,
        "safe_price": 60000.0,
        "cost": 60000.0 * amount,
        "filled": filled,
        "ft_order_side": side,
        "order_type": "limit",
        "is_open": is_open,
        "order_timestamp": 1_700_000_000_000,
        "order_filled_timestamp": None,
        "ft_fee_base": None,
        "ft_order_tag": None,
    }


def trade(number: int, *orders: Any, is_short: bool = False) -> Any:
    """An open trade of bitcoin, with these orders, of which those that are open do not count yet; else of a half."""
    closed = [each for each in orders if not each["is_open"]]
    amount = sum(_moved(each, is_short=is_short) for each in closed) if orders else 0.5
    return {
        "trade_id": number,
        "pair": "BTC/USDT",
        "base_currency": "BTC",
        "quote_currency": "USDT",
        "is_open": True,
        "is_short": is_short,
        "exchange": "binance",
        "amount": amount,
        "amount_requested": 0.5,
        "stake_amount": 30000.0,
        "strategy": "SampleStrategy",
        "timeframe": 60,
        "open_date": "2026-11-27 10:00:00",
        "open_timestamp": 1_700_000_000_000,
        "open_fill_date": None,
        "open_fill_timestamp": None,
        "open_rate": 60000.0,
        "open_trade_value": 30030.0,
        "realized_profit": 0.0,
        "has_open_orders": any(_cancellable(each) for each in orders),
        "orders": list(orders),
        "current_rate": 61000.0,
        "total_profit_abs": 470.0,
    }


def _moved(order: Any, *, is_short: bool) -> float:
    """What was filled of it: more of the position, or less."""
    opens = order["ft_order_side"] == ("sell" if is_short else "buy")
    return float(order["filled"] if opens else -order["filled"])


def _cancellable(order: Any) -> bool:
    return bool(order["is_open"] and order["ft_order_side"] != "stoploss")


def position(number: int = 1) -> Any:
    """A trade whose entry was filled, with a stop that protects it."""
    filled = order(10 * number, filled=0.5, is_open=False)
    return trade(number, filled, order(10 * number + 1, "stoploss"))


def waiting(number: int = 2) -> Any:
    """A trade whose entry rests in the book."""
    return trade(number, order(10 * number))


@dataclass
class FakeBot:
    """``faults`` are by path, ``*`` for every one, as long as they are there. ``obeys``: it does what it is told."""

    trades: list[Any] = field(default_factory=list)
    state: str = "running"
    dry_run: bool = False
    trading_mode: str = "spot"
    money: float = 1000.5
    #: Of an account of futures, each with whether the bot knows it as its own; older releases do not say it.
    account_positions: dict[str, bool | None] = field(default_factory=dict)
    max_open_trades: int = 3
    password: str = PASSWORD
    obeys: bool = True
    closed_trades: int = 4
    #: As old as that, in seconds: its last loop, its newest candle; its clock is ahead by so much.
    loop_age: float = 1.0
    candle_age: float = 60.0
    ahead: float = 0.0
    #: Of the header Date, which its server renews once a second.
    date_age: float = 0.0
    #: What the loop that runs goes on to open, one at each look at its health; until then it has not ended.
    in_flight: list[Any] = field(default_factory=list)
    started_at: float = field(default_factory=lambda: time.time() - 600)
    faults: dict[str, Fault] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    url: str = ""
    #: Ends answers that are slow for ever.
    over: threading.Event = field(default_factory=threading.Event)

    def login(self, password: str = PASSWORD) -> Login:
        return Login(self.url, USER, lambda: SecretStr(password))

    def adapter(self) -> Freqtrade:
        return Freqtrade(self.login())

    def now(self) -> float:
        return time.time() + self.ahead

    def get(self, path: str, asked: dict[str, list[str]]) -> Any:
        answers: dict[str, Callable[[], Any]] = {
            "/ping": lambda: {"status": "pong"},
            "/show_config": self._config,
            "/health": self._health,
            "/status": lambda: self.trades,
            "/profit": lambda: {
                "trade_count": self.closed_trades + len(self.trades),
                "closed_trade_count": self.closed_trades,
            },
            "/balance": self._balance,
            "/whitelist": lambda: {"whitelist": ["BTC/USDT"], "length": 1, "method": ["StaticPairList"]},
            "/pair_candles": lambda: self._candles(asked),
        }
        if path == "/count":
            self._running()
            return {"current": len(self.trades), "max": self.max_open_trades, "total_stake": 0.0}
        return answers[path]() if path in answers else None

    def _running(self) -> None:
        if self.state == "stopped":
            raise RefusedError("trader is not running")

    def _health(self) -> Any:
        looped_at = self.now() - self.loop_age
        if self.in_flight:
            self.trades.append(self.in_flight.pop(0))
            looped_at = self.started_at
        started = int(self.started_at)
        return {"last_process_ts": int(looped_at), "bot_start_ts": started, "bot_startup_ts": started}

    def post(self, path: str, body: Any) -> Any:
        if path == "/stopentry":
            # One that reads its configuration again forgets it, and one that is stopped is started by it.
            if self.obeys and self.state in {"running", "stopped"}:
                self.state = "paused"
            return {"status": "paused, no more entries will occur from now. Run /start to enable entries."}
        if path == "/forceexit":
            self._running()
            number = str(body["tradeid"])
            if number not in {str(each["trade_id"]) for each in self.trades}:
                raise RefusedError("invalid argument")
            if self.obeys:
                self.trades = [each for each in self.trades if str(each["trade_id"]) != number]
            return {"result": f"Created exit order for trade {number}."}
        return None

    def cancel(self, number: int) -> Any:
        """All of a trade's orders but its stop. A trade of which nothing was filled is gone before it can be shown."""
        self._running()
        found = next((each for each in self.trades if each["trade_id"] == number), None)
        if found is None:
            raise RefusedError("Invalid trade_id.")
        orders = [each for each in found["orders"] if _cancellable(each)]
        if not orders:
            raise RefusedError("No open order for trade_id.")
        if not self.obeys:
            return found
        for each in orders:
            each |= {"is_open": False, "status": "canceled"}
            found["amount"] += each["filled"] * (
                1 if each["ft_order_side"] == ("sell" if found["is_short"] else "buy") else -1
            )
        found["has_open_orders"] = False
        if not any(each["filled"] for each in found["orders"]):
            self.trades.remove(found)
            raise RefusedError("no active trade")
        return found

    def _config(self) -> Any:
        return {
            "version": "2026.9",
            "api_version": 2.5,
            "dry_run": self.dry_run,
            "trading_mode": self.trading_mode,
            "stake_currency": "USDT",
            "max_open_trades": self.max_open_trades,
            "timeframe": "1h",
            "timeframe_ms": HOUR_S * 1000,
            "timeframe_min": 60,
            "exchange": "binance",
            "strategy": "SampleStrategy",
            "bot_name": "freqtrade",
            "state": self.state,
            "runmode": "dry_run" if self.dry_run else "live",
        }

    def _balance(self) -> Any:
        money = {"currency": "USDT", "free": self.money - 100, "balance": self.money, "used": 100.0, "est_stake": 1.0}
        rows = [money | {"is_position": False, "is_bot_managed": True}]
        for market, own in self.account_positions.items():
            row = {"currency": market, "free": 0, "balance": 0, "used": 0, "position": 0.5, "is_position": True}
            rows.append(row | ({} if own is None else {"is_bot_managed": own}))
        return {"currencies": rows, "total": self.money}

    def _candles(self, asked: dict[str, list[str]]) -> Any:
        begins = time.time() - self.candle_age - HOUR_S
        return {
            "strategy": "SampleStrategy",
            "pair": asked["pair"][0],
            "timeframe": asked["timeframe"][0],
            "timeframe_ms": HOUR_S * 1000,
            "columns": ["date", "close"],
            "data": [["2026-11-28 03:00:00+00:00", 60000.0]],
            "length": 1,
            "last_analyzed_ts": int(time.time()),
            "data_stop_ts": int(begins * 1000),
        }


class Answer(BaseHTTPRequestHandler):
    """One request. ``bot`` is set by ``served``."""

    bot: FakeBot
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer(self.bot.get)

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"null")
        self._answer(lambda path, _: self.bot.post(path, body))

    def do_DELETE(self) -> None:
        self._answer(lambda path, _: self.bot.cancel(int(path.split("/")[2])))

    def _answer(self, found: Callable[[str, dict[str, list[str]]], Any]) -> None:
        url = urlsplit(self.path)
        path = url.path.removeprefix("/api/v1")
        self.bot.asked.append(f"{self.command} {path}")
        expected = base64.b64encode(f"{USER}:{self.bot.password}".encode()).decode()
        if path != "/ping" and self.headers.get("Authorization") != f"Basic {expected}":
            self.reply(401, {"detail": "Unauthorized"})
            return
        fault = self.bot.faults.get(path) or self.bot.faults.get("*")
        if fault is not None:
            fault(self)
            return
        try:
            document = found(path, parse_qs(url.query))
        except RefusedError as reason:
            self.reply(502, {"error": f"Error querying {url.path}: {reason}"})
            return
        if document is None:
            self.reply(404, {"detail": "Not Found"})
        else:
            self.reply(200, document)

    def reply(self, status: int, document: Any) -> None:
        self.reply_text(status, json.dumps(document))

    def reply_text(self, status: int, text: str, length: int | None = None) -> None:
        self.send_response_only(status)
        self.send_header("Date", formatdate(self.bot.now() - self.bot.date_age, usegmt=True))
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text) if length is None else length))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def served(bot: FakeBot | None = None, **options: Any) -> Iterator[FakeBot]:
    bot = bot or FakeBot(**options)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Answer,), {"bot": bot}))
    server.daemon_threads = True
    bot.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield bot
    finally:
        bot.over.set()
        server.shutdown()
        server.server_close()
        thread.join(20)


def status(code: int) -> Fault:
    return lambda answer: answer.reply(code, {"detail": "Not now."})


def html(answer: Answer) -> None:
    """As a proxy before it answers, and says that all is well."""
    answer.reply_text(200, "<html><body>Welcome</body></html>")


def truncated(answer: Answer) -> None:
    """JSON that ends in the middle, and says that it is complete."""
    answer.reply_text(200, '[{"trade_id": 1, "pair": "BTC/US')


def cut(answer: Answer) -> None:
    """The connection ends in the middle of the body."""
    answer.reply_text(200, "[", length=500)
    answer.close_connection = True


def dropped(answer: Answer) -> None:
    """The connection ends before the answer."""
    answer.close_connection = True


def dies(answer: Answer) -> None:
    """It ends before the answer, and for good."""
    answer.bot.faults["*"] = dropped
    dropped(answer)


def slow(answer: Answer) -> None:
    """Nothing comes as long as the test runs."""
    answer.bot.over.wait(60)
    answer.close_connection = True


def drip(answer: Answer) -> None:
    """A space every now and then, so that no single wait is long."""
    answer.send_response_only(200)
    answer.send_header("Content-Length", "100000")
    answer.end_headers()
    while not answer.bot.over.wait(0.05):
        try:
            answer.wfile.write(b" ")
            answer.wfile.flush()
        except OSError:
            break
    answer.close_connection = True
