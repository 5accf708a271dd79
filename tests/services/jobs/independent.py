"""The backtester again, the slow way: plain loops over the CSV file, sharing no code with the services."""

import csv
import gzip
import itertools
import math
from dataclasses import dataclass
from datetime import date
from pathlib import Path

DATA = Path(__file__).resolve().parents[3] / "services" / "data" / "stocks.csv.gz"


@dataclass
class Figures:
    total_return: float
    cagr: float
    sharpe: float
    sortino: float
    max_drawdown: float
    trades: int


def rows_of(symbol: str) -> list[dict[str, float]]:
    """Adjusted open, high, low and close of every day, in the file's order, and the number of the day."""
    rows = []
    with gzip.open(DATA, "rt", newline="") as stream:
        for row in csv.DictReader(stream):
            if row["Ticker"] != symbol:
                continue
            factor = float(row["Adj Close"]) / float(row["Close"])
            prices = {name.lower(): float(row[name]) * factor for name in ("Open", "High", "Low", "Close")}
            rows.append({**prices, "day": date.fromisoformat(row["Date"]).toordinal()})
    return rows


def want_sma_cross(rows: list[dict[str, float]], fast: int, slow: int) -> list[bool]:
    wants = []
    for at in range(len(rows)):
        if at + 1 < slow:
            wants.append(False)
            continue
        recent = [row["close"] for row in rows[at + 1 - fast : at + 1]]
        longer = [row["close"] for row in rows[at + 1 - slow : at + 1]]
        wants.append(math.fsum(recent) / fast > math.fsum(longer) / slow)
    return wants


def want_breakout(rows: list[dict[str, float]], lookback: int, exit_lookback: int) -> list[bool]:
    wants, holding = [], False
    for at, row in enumerate(rows):
        before, recent = rows[max(at - lookback, 0) : at], rows[max(at - exit_lookback, 0) : at]
        if len(recent) == exit_lookback and row["close"] < min(r["low"] for r in recent):
            holding = False
        elif len(before) == lookback and row["close"] > max(r["high"] for r in before):
            holding = True
        wants.append(holding)
    return wants


def want_mean_reversion(rows: list[dict[str, float]], window: int, z: float, exit_z: float) -> list[bool]:
    wants, holding = [], False
    for at, row in enumerate(rows):
        if at + 1 >= window:
            closes = [r["close"] for r in rows[at + 1 - window : at + 1]]
            mean = math.fsum(closes) / window
            deviation = math.sqrt(math.fsum((close - mean) ** 2 for close in closes) / (window - 1))
            distance = (row["close"] - mean) / deviation
            if distance >= exit_z:
                holding = False
            elif distance <= -z:
                holding = True
        wants.append(holding)
    return wants


def trade(rows: list[dict[str, float]], wants: list[bool], cash: float, fee_bps: float, first: int = 0) -> Figures:
    """Shares and money, day by day: what was wanted at yesterday's close is done at today's open.

    Money is there from the close of row ``first`` on, which also is when a position wanted before it is bought.
    """
    fee, shares, trades, equity = fee_bps / 10_000, 0.0, 0, [cash]
    if first and wants[first - 1]:
        shares, cash, trades = cash / (rows[first]["close"] * (1 + fee)), 0.0, 1
    for at, row in enumerate(rows[first + 1 :], first + 1):
        wanted = wants[at - 1]
        if wanted and shares == 0.0:
            # The fee is paid on what is bought, out of the same money.
            shares = cash / (row["open"] * (1 + fee))
            cash = 0.0
            trades += 1
        elif not wanted and shares > 0.0:
            cash = shares * row["open"] * (1 - fee)
            shares = 0.0
        equity.append(cash + shares * row["close"])
    return figures(equity, trades, rows[-1]["day"] - rows[first]["day"])


@dataclass
class Account:
    """Money and shares, traded one bar after the other. ``taken_over`` is bought at the first close."""

    opens: list[float]
    closes: list[float]
    fee: float
    money: float
    shares: float = 0.0

    def worth(self, price: float) -> float:
        return self.money + self.shares * price

    def aim(self, share: float, price: float) -> bool:
        """Hold this share of the equity that is left after the fee; whether there is any."""
        before = self.worth(price)
        after = before
        # The fee depends on how much is traded, and that on what the fee leaves: it settles quickly, fees being small.
        for _ in range(60):
            after = before - self.fee * abs(share * after - self.shares * price)
        if before <= 0 or after <= 0:
            return False
        self.shares = share * after / price
        self.money = after - self.shares * price
        return True

    def run(self, targets: list[float], taken_over: float = 0.0) -> list[float]:
        """Equity at each close, 0 once there was nothing left at a close or at the open of a trade."""
        equity, wanted = [self.money], taken_over
        ruined = bool(taken_over) and not self.aim(taken_over, self.closes[0])
        for at in range(1, len(self.opens)):
            if not ruined and targets[at - 1] != wanted:
                wanted = targets[at - 1]
                ruined = not self.aim(wanted, self.opens[at])
            ruined = ruined or self.worth(self.closes[at]) <= 0
            equity.append(0.0 if ruined else self.worth(self.closes[at]))
        return equity


def figures(equity: list[float], trades: int, days: float) -> Figures:
    daily = [after / before - 1 for before, after in itertools.pairwise(equity)]
    mean = math.fsum(daily) / len(daily)
    deviation = math.sqrt(math.fsum((r - mean) ** 2 for r in daily) / (len(daily) - 1))
    downside = math.sqrt(math.fsum(min(r, 0.0) ** 2 for r in daily) / len(daily))
    top, worst = equity[0], 0.0
    for value in equity:
        top = max(top, value)
        worst = min(worst, value / top - 1)
    growth = equity[-1] / equity[0]
    return Figures(
        total_return=growth - 1,
        cagr=growth ** (365.25 / days) - 1,
        sharpe=mean / deviation * math.sqrt(252),
        sortino=mean / downside * math.sqrt(252),
        max_drawdown=worst,
        trades=trades,
    )
