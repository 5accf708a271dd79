"""Grids of strategy parameters: how they are written, how many runs they make."""

import itertools
import math
from collections.abc import Iterator
from types import GenericAlias
from typing import Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    Field,
    ValidationError,
    ValidationInfo,
    create_model,
    field_validator,
)
from pydantic.fields import FieldInfo

from services.common.jobtypes import JobFailure
from services.jobs.backtesting.request import ANNOTATED, LITERAL, Market, Symbols
from services.jobs.backtesting.strategy import Strategy

MOST_RUNS = 10_000
MOST_LISTED = 2_000
MOST_VALUES = 500
#: The ``top`` of each is listed by default.
MOST_SYMBOLS = 100
#: Below it no figure of a run is more than noise.
LEAST_TRAINED = 20


class Ranked(Market):
    """Every combination of the given parameter values, the best of which count."""

    rank: Literal["sharpe", "sortino", "total_return", "cagr", "max_drawdown"] = Field(
        "sharpe", description="what the best runs have most of"
    )


class Sweep(Ranked):
    """Ranked without the last bars, and judged by these. The ``top`` best are in the result."""

    symbol: Symbols = Field(  # type: ignore[assignment]
        min_length=1, max_length=MOST_SYMBOLS, description="whose candles; one, or AAPL,MSFT: each run on each of them"
    )
    top: int = Field(20, ge=1, le=MOST_LISTED, description="runs listed in the result, best first")
    holdout: float = Field(
        0.3, ge=0, le=0.9, description="share of the bars, the last ones, that no run is ranked by; 0 for none"
    )

    @field_validator("top")
    @classmethod
    def _listed_for_each(cls, top: int, info: ValidationInfo) -> int:
        symbols = len(info.data.get("symbol", ()))
        if top * symbols > MOST_LISTED:
            raise ValueError(f"{top} runs on {symbols} symbols are more than {MOST_LISTED} lines; ask for fewer")
        return top


class WalkForward(Ranked):
    """Again and again the best of the last ``train_bars`` is traded on the next ``test_bars``."""

    train_bars: int = Field(1000, ge=LEAST_TRAINED, le=10_000_000, description="bars by which a run is chosen")
    test_bars: int = Field(250, ge=2, le=10_000_000, description="bars after them on which it is traded")
    anchored: bool = Field(False, description="choose by all bars from the first one on, not only by the last ones")
    curve_points: int = Field(250, ge=0, le=100_000, description="points of the equity curve in the result")


def grid(strategy: Strategy, base: type[Ranked]) -> type[BaseModel]:
    """A payload in which every parameter takes one value, a list, ``1,2,3`` or ``10:50:5``.

    A strategy without parameters makes a grid of one run.
    """
    fields = {name: _many(info) for name, info in strategy.Parameters.model_fields.items()}
    names = list(fields)

    def bounded(values: tuple[Any, ...], info: ValidationInfo) -> tuple[Any, ...]:
        counts = [len(info.data.get(name, ())) for name in names[:-1]]
        symbol = info.data.get("symbol", "")
        symbols = len(symbol) if isinstance(symbol, tuple) else 1
        runs = math.prod([*counts, len(values), symbols])
        if runs > MOST_RUNS:
            factors = [*names, f"{symbols} symbols"] if symbols > 1 else names
            raise ValueError(f"{' × '.join(factors)} makes {runs} runs; at most {MOST_RUNS} in one job")
        return values

    return create_model(
        f"{base.__name__}_{strategy.name}",
        __base__=base,
        __validators__={"bounded": field_validator(names[-1])(bounded)} if names else None,
        strategy=(LITERAL[strategy.name], ...),
        **fields,
    )


def combinations(strategy: Strategy, payload: BaseModel) -> Iterator[BaseModel]:
    """Parameters of every run; combinations that the strategy refuses (fast not below slow) are left out."""
    names = list(strategy.Parameters.model_fields)
    for values in itertools.product(*(getattr(payload, name) for name in names)):
        try:
            yield strategy.Parameters.model_validate(dict(zip(names, values, strict=True)))
        except ValidationError:
            continue


def every_run(strategy: Strategy, payload: BaseModel) -> list[BaseModel]:
    """The same as a list. Raises ``JobFailure`` where the strategy refuses them all."""
    runs = list(combinations(strategy, payload))
    if not runs:
        raise JobFailure(f"No combination of these values is a valid {strategy.name}.")
    return runs


def spread(value: Any) -> Any:
    """``"1,2,3"`` and ``"10:50:5"`` (both ends included) as lists; one value as a list of one."""
    if isinstance(value, int | float):
        return [value]
    if not isinstance(value, str):
        return value
    return [number for part in value.split(",") for number in _range(part.strip())]


def _range(part: str) -> list[Any]:
    if ":" not in part:
        return [part]
    try:
        first, last, step = (float(number) for number in [*part.split(":"), "1"][:3])
    except ValueError as error:
        raise ValueError(f"{part!r} is not first:last:step") from error
    if not all(map(math.isfinite, (first, last, step))) or step <= 0 or last < first:
        raise ValueError(f"{part!r}: first:last:step needs first ≤ last and a step above 0")
    count = math.floor((last - first) / step + 1e-9) + 1
    if count > MOST_VALUES:
        raise ValueError(f"{part!r} makes {count} values; at most {MOST_VALUES}")
    return [round(first + at * step, 10) for at in range(count)]


def _many(info: FieldInfo) -> Any:
    single = ANNOTATED[(info.annotation, *info.metadata)]
    several = ANNOTATED[GenericAlias(tuple, (single, ...)), BeforeValidator(spread)]
    default = (info.get_default(),)
    description = f"{info.description}; one, 10,20,30 or 10:50:5"
    return several, Field(default, min_length=1, max_length=MOST_VALUES, description=description)
