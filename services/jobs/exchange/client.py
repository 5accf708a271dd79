"""Bars of any exchange that ccxt knows; its import costs two seconds and 80 MB, so that only a job pays them."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from difflib import get_close_matches
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

from services.common.jobtypes import JobFailure
from services.jobs.exchange.clock import Clock
from services.jobs.exchange.patience import LimitedError, UnwellError
from services.jobs.market.intervals import Interval

T = TypeVar("T")
Row = Sequence[float | None]
"""Milliseconds since 1970 at which a bar begins; open, high, low, close, volume."""

#: An exchange that does not answer within this time is asked again.
TIMEOUT_MS = 10_000
#: Bars of a page; an exchange may give fewer.
PAGE = 1_000
#: Where an exchange refuses us and does not say for how long: its limits are those of a minute.
REFUSED_S = 60.0
#: The address may be another program's, too, and a request may be late: so much of an exchange's limit is used.
SHARE = 0.8
WITHOUT_CCXT = (
    "This worker has no ccxt, which downloads need.",
    "Install it: pip install 'tradebot-ops[exchange]'; on Docker, add ccxt to services/requirements.txt, then build.",
)


class Exchange:
    """One exchange, without an account. ``throttle`` is called with the cost of each request before it is sent."""

    def __init__(self, name: str, throttle: Callable[[float], None], clock: Clock) -> None:
        """Raises ``JobFailure`` for an exchange that nobody knows, or that gives no bars, and without ccxt."""
        self.name = name
        self._clock = clock
        self._headers: Mapping[str, str] = {}
        self._ccxt = _ccxt()
        if name not in self._ccxt.exchanges:
            hint = _near(name, self._ccxt.exchanges) or "Names are those of ccxt: binance, kraken, coinbase."
            raise JobFailure(f"There is no exchange {name}.", hint)
        self._api: Any = getattr(self._ccxt, name)({"timeout": TIMEOUT_MS, "enableRateLimit": True})
        # Each request of the library passes here with its cost by the exchange's own count.
        self._api.throttle = lambda cost=None: throttle(1.0 if cost is None else float(cost))
        # The library's own puts the bars in order, and leaves out some: nobody would see that they were wrong.
        self._api.parse_ohlcvs = self._rows
        self._api.on_rest_response = self._text
        if not self._api.has.get("fetchOHLCV"):
            raise JobFailure(f"{name} gives no candles.")

    @property
    def points_per_minute(self) -> float:
        """The part of the exchange's limit that is ours, in the unit of the costs."""
        return float(SHARE * 60_000 / self._api.rateLimit)

    def check(self, symbol: str, interval: Interval) -> None:
        """Raise ``JobFailure`` for what the exchange does not have; ``UnwellError`` or ``LimitedError``."""
        self._asked(self._api.load_markets)
        if symbol not in self._api.markets:
            hint = _near(symbol, self._api.symbols) or "A symbol is written BTC/USDT, a future BTC/USDT:USDT."
            raise JobFailure(f"{self.name} does not trade {symbol}.", hint)
        if interval not in (self._api.timeframes or {}):
            known = ", ".join(self._api.timeframes or {})
            raise JobFailure(f"{self.name} has no bars of {interval}.", f"It has {known}." if known else "")

    def page(self, symbol: str, interval: Interval, since_ms: int) -> list[Row]:
        """Bars from this time on, as the exchange gives them; ``UnwellError`` or ``LimitedError``."""
        rows: list[Row] = self._asked(lambda: self._api.fetch_ohlcv(symbol, interval, since_ms, PAGE))
        return rows

    def _text(self, status: int, reason: str, url: str, method: str, headers: Any, text: str, *_: Any) -> str:
        """The text of an answer. The library makes an empty page, or no market at all, of what it cannot read."""
        self._headers = headers
        text = text.strip()
        if status < 400 and self._api.parse_json(text) is None:
            raise self._ccxt.BadResponse(f"{self.name} answered with what is no JSON: {text[-40:]!r}")
        return text

    def _rows(self, bars: Any, market: Any = None, *_: Any) -> list[Row]:
        return [self._api.parse_ohlcv(bar, market) for bar in bars or ()]

    def _asked(self, ask: Callable[[], T]) -> T:
        ccxt = self._ccxt
        self._headers = {}
        final = (ccxt.AuthenticationError, ccxt.BadRequest, ccxt.NotSupported, ccxt.RestrictedLocation)
        try:
            return ask()
        except (ccxt.DDoSProtection, ccxt.RateLimitExceeded) as error:
            raise LimitedError(_text_of(error), self._retry_after_s() or REFUSED_S) from error
        except final as error:
            raise JobFailure(f"{self.name} refuses: {_text_of(error)}") from error
        except ccxt.BaseError as error:
            # An exchange under maintenance may say for how long: asked before that, it only fails again.
            if (wait_s := self._retry_after_s()) is not None:
                raise LimitedError(_text_of(error), wait_s) from error
            raise UnwellError(_text_of(error)) from error
        except (TypeError, ValueError, KeyError, IndexError, AttributeError) as error:
            raise UnwellError(f"{self.name} answered with what cannot be read: {_text_of(error)}") from error

    def _retry_after_s(self) -> float | None:
        """Seconds, or a date, of the last answer's ``Retry-After``; None where it has none that can be read."""
        header = str(self._headers.get("Retry-After") or "").strip()
        if header.isdecimal():
            return float(header)
        with suppress(ValueError, TypeError):
            return max((parsedate_to_datetime(header) - self._clock.now()).total_seconds(), 1.0)
        return None


def _ccxt() -> Any:
    try:
        import ccxt
    except ImportError as error:
        raise JobFailure(*WITHOUT_CCXT) from error
    return ccxt


def _near(typed: str, names: Sequence[str]) -> str:
    near = get_close_matches(typed, names, 3)
    return f"Did you mean {' or '.join(near)}?" if near else ""


def _text_of(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"[:300]
