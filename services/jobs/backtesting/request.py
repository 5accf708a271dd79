"""Payloads of the backtester: common keys, and the parameters of the chosen strategy beside them."""

from collections import Counter
from collections.abc import Iterable
from datetime import date
from functools import reduce
from operator import or_
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Field,
    PlainSerializer,
    RootModel,
    StringConstraints,
    ValidationInfo,
    create_model,
    field_validator,
)

from services.common.jobtypes import Payload
from services.jobs.backtesting.strategy import Strategy
from services.jobs.market.intervals import Interval

# Models made at run time, out of the strategies found, are beyond a static type checker.
ANNOTATED: Any = Annotated
LITERAL: Any = Literal
ROOT: Any = RootModel

#: Any printable text, as exchanges spell them and files are loaded: ``^GSPC``, ``EURUSD=X``, ``BTC/USDT:USDT``.
Symbol = Annotated[
    str,
    StringConstraints(strip_whitespace=True, to_upper=True, min_length=1, max_length=100, pattern=r"^\P{C}*$"),
]


def _listed(value: Any) -> Any:
    """``AAPL,MSFT`` as a list, one symbol as a list of one; one that has a comma itself comes in a list."""
    if isinstance(value, str):
        return [each.strip() for each in value.split(",")]
    return value if isinstance(value, list | tuple) else [value]


def _no_twins(symbols: tuple[str, ...]) -> tuple[str, ...]:
    if twins := [symbol for symbol, times in Counter(symbols).items() if times > 1]:
        raise ValueError(f"{twins[0]} is there twice")
    return symbols


def _written(symbols: tuple[str, ...]) -> str | list[str]:
    """As it was before there could be several."""
    return symbols[0] if len(symbols) == 1 and "," not in symbols[0] else list(symbols)


Symbols = Annotated[tuple[Symbol, ...], BeforeValidator(_listed), AfterValidator(_no_twins), PlainSerializer(_written)]
"""One symbol or several."""


class Market(Payload):
    """Which candles to trade on, with how much money, and what a trade costs."""

    symbol: Symbol = Field(description="whose candles, as they were loaded: AAPL, BTC/USDT:USDT")
    interval: Interval = Field("1d", description="how long a bar lasts, as it was loaded")
    start: date | None = Field(None, description="first day, included; default: the first candle")
    end: date | None = Field(None, description="last day, included; default: the last candle")
    cash: float = Field(10_000.0, gt=0, le=1e15, allow_inf_nan=False, description="money at the start")
    fee_bps: float = Field(0.0, ge=0, le=1000, description="cost of each side in basis points of the amount traded")

    @field_validator("end")
    @classmethod
    def _after_start(cls, end: date | None, info: ValidationInfo) -> date | None:
        start = info.data.get("start")
        if end and start and end < start:
            raise ValueError(f"must not be before start ({start})")
        return end


class SingleRun(Market):
    """One run; its equity curve is thinned to at most ``curve_points`` points, 0 leaves it out."""

    curve_points: int = Field(250, ge=0, le=100_000, description="points of the equity curve in the result")


def by_strategy(name: str, models: Iterable[type[BaseModel]]) -> type[RootModel[Any]]:
    """One payload out of several models that differ in their key ``strategy``; ``ValueError`` without any."""
    if not (models := list(models)):
        raise ValueError("no strategy can be loaded")
    # A key can only distinguish two or more.
    choice = ANNOTATED[reduce(or_, models), Field(discriminator="strategy")] if len(models) > 1 else models[0]
    model: type[RootModel[Any]] = create_model(name, __base__=ROOT[choice])
    return model


def single_run(strategy: Strategy) -> type[BaseModel]:
    """The payload of one run of one strategy: every key at the top level."""
    return create_model(
        f"Backtest_{strategy.name}",
        __base__=(strategy.Parameters, SingleRun),
        strategy=(LITERAL[strategy.name], ...),
    )


def parameters(strategy: Strategy, payload: BaseModel) -> BaseModel:
    """The strategy's own keys of a payload."""
    return strategy.Parameters.model_validate({key: getattr(payload, key) for key in strategy.Parameters.model_fields})
