"""Market data and trading: the newest candle of each series. No adapter of an exchange means nothing else to see."""

from collections.abc import Sequence
from datetime import datetime

from tradebot_ops.diagnostics.topic import Topic, View, look, wrong
from tradebot_ops.facts import moment
from tradebot_ops.facts.stores import candles
from tradebot_ops.model import Table
from tradebot_ops.text.lists import few
from tradebot_ops.text.quantities import age

TOPIC = Topic("data", "Market data", order=95)


@look(asks=(candles.series, moment.now))
def newest(series: Sequence[candles.Series], now: datetime) -> View:
    """Sample data is old by nature; a candle of the future is a fault whoever sent it."""
    rows = tuple(
        (each.symbol, each.interval, "none" if each.last is None else age(now - each.last), str(each.rejected))
        for each in series
    )
    future = [f"{each.symbol} {each.interval}" for each in series if each.last is not None and each.last > now]
    problems = (wrong(f"Candles lie in the future: {few(future)}.", "tradebot diag clock"),) if future else ()
    return View(table=Table(("symbol", "interval", "newest candle", "rejected"), rows), problems=problems)
