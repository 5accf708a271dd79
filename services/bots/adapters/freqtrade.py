"""freqtrade, by its REST API (freqtrade.io, "REST API"); basic auth, one answer at a time, each within its time."""

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Literal, TypeVar

import httpx
from pydantic import BaseModel, TypeAdapter, ValidationError

from services.bots.contract import (
    Account,
    Adapter,
    Balance,
    Book,
    Bot,
    BotFailed,
    BotLimited,
    BotRefused,
    BotUnreachable,
    BotUnreadable,
    Candle,
    Login,
    Mode,
    Order,
    Position,
    Status,
)

T = TypeVar("T")

#: Between two pieces of an answer, and for all of it: one that drips is as good as none.
PIECE_S, ANSWER_S = 5.0, 10.0
#: For an order: it waits until the loop lets it through, and for the exchange.
ORDER_S = 15.0
LONGEST = 8 * 1024**2
#: Of its own reasons for an error.
LONGEST_REASON = 200
#: The state of a bot that has ended its loop; it answers some questions in no other.
STOPPED = "stopped"
RUNNING, PAUSED = "running", "paused"
FUTURES = "futures"
#: Its server renews the header ``Date``, which has whole seconds, once a second: so old it may be in an answer.
DATE_S = 2.0


class _Config(BaseModel):
    bot_name: str
    dry_run: bool
    state: str
    exchange: str
    runmode: str
    timeframe: str | None = None
    timeframe_ms: int = 0
    max_open_trades: float
    trading_mode: str = ""


class _Health(BaseModel):
    last_process_ts: int | None = None
    bot_startup_ts: int | None = None


class _Order(BaseModel):
    pair: str
    order_id: str
    ft_order_side: str
    order_type: str | None = None
    is_open: bool
    remaining: float | None = None
    filled: float | None = None
    safe_price: float | None = None


class _Trade(BaseModel):
    trade_id: int
    pair: str
    is_open: bool
    is_short: bool = False
    amount: float
    open_rate: float | None = None
    open_timestamp: int | None = None
    orders: list[_Order]


class _Count(BaseModel):
    current: int


class _Profit(BaseModel):
    trade_count: int
    closed_trade_count: int


class _Currency(BaseModel):
    """Of money, or of a position, whose ``currency`` is its market."""

    currency: str
    balance: float
    free: float
    is_position: bool = False
    is_bot_managed: bool | None = None


class _Error(BaseModel):
    """``detail`` of its web framework, ``error`` of its own."""

    error: str = ""
    detail: str = ""


class _Balances(BaseModel):
    currencies: list[_Currency]


class _Whitelist(BaseModel):
    whitelist: list[str]


class _Candles(BaseModel):
    length: int
    data_stop_ts: int
    timeframe_ms: int


class Freqtrade:
    """Safe from several threads: each answer has a connection of its own, so that none is stale after a restart."""

    def __init__(self, login: Login) -> None:
        self._login = login
        self._url = login.url.rstrip("/")

    def status(self) -> Status:
        config = self._config()
        health, offset = self._timed("/health", _Health)
        return Status(
            name=config.bot_name,
            mode=Mode.PAPER if config.dry_run else Mode.LIVE,
            state=config.state,
            opening=_opens(config),
            stopped=config.state == STOPPED,
            exchange=config.exchange,
            started_at=_moment(health.bot_startup_ts),
            last_loop_at=_moment(health.last_process_ts),
            clock_offset_s=offset,
        )

    def book(self) -> Book:
        """An empty list may hide an error of the bot, so that it counts its trades as well before none is believed."""
        trades = self._trades()
        if not trades and (count := self._open_trades()):
            # It may have opened one in between.
            trades = self._trades()
            if not trades:
                raise BotUnreadable(f"freqtrade lists no open trade, and counts {count}.")
        orders = tuple(_order(trade, each) for trade in trades for each in trade.orders if each.is_open)
        return Book(tuple(_position(each) for each in trades if _held(each)), orders)

    def account(self) -> Account:
        """It shows positions of the account where it trades futures alone, and older releases not whose they are."""
        found = self._get("/balance", _Balances).currencies
        balances = tuple(Balance(each.currency, each.balance, each.free) for each in found if not each.is_position)
        positions = [each for each in found if each.is_position]
        if self._config().trading_mode != FUTURES or any(each.is_bot_managed is None for each in positions):
            return Account(balances, None)
        return Account(balances, tuple(each.currency for each in positions if not each.is_bot_managed))

    def candle(self) -> Candle | None:
        """Of the first pair that it may trade; others come from the same exchange in the same loop."""
        config = self._config()
        pairs = self._get("/whitelist", _Whitelist).whitelist
        if not pairs or not config.timeframe:
            return None
        asked = {"pair": pairs[0], "timeframe": config.timeframe, "limit": "1"}
        found = self._get("/pair_candles", _Candles, params=asked)
        if not found.length or not found.data_stop_ts:
            return None
        ended = _moment((found.data_stop_ts + found.timeframe_ms) / 1000)
        return None if ended is None else Candle(pairs[0], ended, found.timeframe_ms / 1000)

    def halt(self) -> None:
        """``stopentry`` starts a bot that was stopped, so that one is left as it is: it opens nothing.

        While it reads its configuration again it takes that order, and forgets it.
        """
        state = self._config().state
        if state not in {RUNNING, PAUSED, STOPPED}:
            raise BotFailed(f"freqtrade takes no order in its state {state or 'without a name'}.")
        if state != STOPPED:
            self._call("POST", "/stopentry")

    def cancel(self, order: Order) -> None:
        """It removes a trade of which nothing was filled, and then answers with an error that it cannot show it."""
        try:
            self._call("DELETE", f"/trades/{int(order.owner)}/open-order")
        except BotFailed:
            if self._has(order.owner):
                raise

    def close(self, position: Position) -> None:
        self._call("POST", "/forceexit", body={"tradeid": position.id, "ordertype": "market"})

    def _trades(self) -> list[_Trade]:
        return [each for each in self._get("/status", list[_Trade]) if each.is_open]

    def _has(self, trade: str) -> bool:
        book = self.book()
        return trade in {*(each.id for each in book.positions), *(each.owner for each in book.orders)}

    def _open_trades(self) -> int:
        """A bot that was stopped does not count; it still knows how many trades there were, and how many ended."""
        if self._config().state != STOPPED:
            return self._get("/count", _Count).current
        profit = self._get("/profit", _Profit)
        return profit.trade_count - profit.closed_trade_count

    def _config(self) -> _Config:
        return self._get("/show_config", _Config)

    def _get(self, path: str, shape: type[T], params: Mapping[str, str] | None = None) -> T:
        return self._timed(path, shape, params)[0]

    def _timed(self, path: str, shape: type[T], params: Mapping[str, str] | None = None) -> tuple[T, float | None]:
        began = time.time()
        response, body = self._call("GET", path, params=params)
        try:
            return TypeAdapter(shape).validate_json(body), _offset(response, began, time.time())
        except ValidationError as error:
            raise BotUnreadable(f"freqtrade answers {path} with something else: {_first(error)}.") from None

    def _call(
        self,
        method: Literal["GET", "POST", "DELETE"],
        path: str,
        params: Mapping[str, str] | None = None,
        body: Any = None,
    ) -> tuple[httpx.Response, bytes]:
        try:
            password = self._login.password()
        except (OSError, ValueError) as error:
            raise BotRefused(f"The password for freqtrade cannot be read: {error}.") from None
        auth = (self._login.user, password.get_secret_value() if password else "")
        piece, within = (PIECE_S, ANSWER_S) if method == "GET" else (ORDER_S, ORDER_S)
        timeout = httpx.Timeout(piece, connect=PIECE_S)
        began = time.monotonic()
        try:
            with (
                httpx.Client(timeout=timeout, trust_env=False, follow_redirects=False) as client,
                client.stream(method, f"{self._url}/api/v1{path}", params=params, json=body, auth=auth) as response,
            ):
                text = _whole(response, path, began, within)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            reason = str(error).rstrip(".") or type(error).__name__
            raise BotUnreachable(f"freqtrade does not answer {path}: {reason}.") from None
        _check(response, path, text)
        return response, text


def _whole(response: httpx.Response, path: str, began: float, within: float) -> bytes:
    pieces: list[bytes] = []
    length = 0
    for piece in response.iter_bytes():
        pieces.append(piece)
        length += len(piece)
        if time.monotonic() > began + within:
            raise BotUnreachable(f"freqtrade does not answer {path} within {within:.0f} s.")
        if length > LONGEST:
            raise BotUnreadable(f"freqtrade answers {path} with more than {LONGEST // 1024**2} MB.")
    return b"".join(pieces)


def _check(response: httpx.Response, path: str, text: bytes) -> None:
    status = response.status_code
    if status in {401, 403}:
        raise BotRefused("freqtrade does not take our login: BOT_USER and the secret bot_password.")
    if status == 429:
        raise BotLimited(f"freqtrade takes no more questions for {path} within this minute.")
    if not response.is_success:
        raise BotFailed(f"freqtrade answers {path} with HTTP {status}{_reason(text)}.")


def _reason(text: bytes) -> str:
    """Why it did not do it, as it says it, after a colon; empty where it says nothing that is one short line."""
    try:
        found = TypeAdapter(_Error).validate_json(text)
    except ValidationError:
        return ""
    # Its own begin with what was asked, and a colon.
    words = (found.error or found.detail).rpartition(": ")[2].strip().rstrip(".")
    return f": {words}" if words.isprintable() and 0 < len(words) <= LONGEST_REASON else ""


def _opens(config: _Config) -> bool:
    """Older releases that open nothing go on running, and are allowed no trade.

    In any other state, as while it reads its configuration again, it opens what that allows as soon as it is through.
    """
    if config.state in {PAUSED, STOPPED}:
        return False
    return config.state != RUNNING or config.max_open_trades != 0


def _held(trade: _Trade) -> bool:
    """An order that was never filled is no position yet; whatever is not sure is one."""
    filled: Sequence[float] = [each.filled or 0.0 for each in trade.orders]
    return not trade.orders or any(filled) or not any(each.is_open for each in trade.orders)


def _position(trade: _Trade) -> Position:
    opened = None if trade.open_timestamp is None else _moment(trade.open_timestamp / 1000)
    side = "short" if trade.is_short else "long"
    return Position(str(trade.trade_id), trade.pair, side, _amount(trade), trade.open_rate, opened)


def _amount(trade: _Trade) -> float:
    """Its own amount leaves out what was filled of orders that are open."""
    resting = [(_opens_it(trade, each), each.filled or 0.0) for each in trade.orders if each.is_open]
    return max(0.0, trade.amount + sum(filled if opens else -filled for opens, filled in resting))


def _opens_it(trade: _Trade, order: _Order) -> bool:
    return order.ft_order_side == ("sell" if trade.is_short else "buy")


def _order(trade: _Trade, order: _Order) -> Order:
    return Order(
        id=order.order_id,
        owner=str(trade.trade_id),
        opens=_opens_it(trade, order),
        symbol=order.pair,
        side=order.ft_order_side,
        type=order.order_type or "",
        remaining=order.remaining,
        price=order.safe_price,
    )


def _moment(seconds: float | None) -> datetime | None:
    if seconds is None:
        return None
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        raise BotUnreadable(f"freqtrade names a time that cannot be: {seconds}.") from None


def _offset(response: httpx.Response, began: float, ended: float) -> float | None:
    """How far its clock is ahead of ours at least, from the header ``Date``: 0 within what that leaves open."""
    try:
        theirs = parsedate_to_datetime(response.headers["Date"]).timestamp()
    except (KeyError, ValueError, TypeError):
        return None
    if theirs > ended:
        return theirs - ended
    return min(0.0, theirs + DATE_S - began)


def _first(error: ValidationError) -> str:
    found = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(map(str, found["loc"]))
    return f"{place}: {found['msg']}" if place else str(found["msg"])


def _watch(login: Login) -> Bot:
    return Freqtrade(login)


ADAPTER = Adapter("freqtrade", _watch)
