"""The strategies of this installation: each that works, with its payloads, and each that does not, with the reason."""

import importlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from importlib.metadata import entry_points
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel

from services.common.discovery import module_names
from services.common.jobtypes import Quarantined
from services.jobs.backtesting.grid import Sweep, WalkForward, grid
from services.jobs.backtesting.request import SingleRun, single_run
from services.jobs.backtesting.strategy import Strategy

STRATEGY_PACKAGE = "services.jobs.strategies"
ENTRY_POINT_GROUP = "tradebot.strategies"
#: Keys of every payload, beside which the parameters of the strategy stand.
TAKEN = {"strategy", *SingleRun.model_fields, *Sweep.model_fields, *WalkForward.model_fields}

Candidates = Iterable[tuple[str, Callable[[], Any]]]


@dataclass(frozen=True)
class Usable:
    """A strategy that can be asked for, and what the payloads of its job types look like."""

    strategy: Strategy
    Run: type[BaseModel]
    Sweep: type[BaseModel]
    WalkForward: type[BaseModel]


@dataclass(frozen=True)
class Found:
    """Strategies by their name, and those that are left out."""

    usable: Mapping[str, Usable]
    quarantined: tuple[Quarantined, ...]


def strategies() -> Mapping[str, Strategy]:
    """Every strategy by its name."""
    return MappingProxyType({name: each.strategy for name, each in found().usable.items()})


@lru_cache(maxsize=1)
def found() -> Found:
    """The strategies of this installation; looked for once per process."""
    return load(_candidates())


def load(candidates: Candidates) -> Found:
    """Load each candidate (its name, and how to get it); one that is broken keeps none of the others from working."""
    usable: dict[str, Usable] = {}
    quarantined = []
    for name, fetch in candidates:
        try:
            strategy = _sound(name, fetch())
            if strategy.name in usable:
                raise ValueError(f"the name {strategy.name!r} is already taken")  # noqa: TRY301
            usable[strategy.name] = Usable(
                strategy, single_run(strategy), grid(strategy, Sweep), grid(strategy, WalkForward)
            )
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a strategy does, the others work on
            quarantined.append(Quarantined(f"strategy {name}", f"{type(error).__name__}: {error}"))
    return Found(MappingProxyType(usable), tuple(quarantined))


def _sound(name: str, strategy: Any) -> Strategy:
    if not isinstance(strategy, Strategy):
        raise TypeError(f"{name} is {type(strategy).__name__}, not a Strategy")
    if clash := sorted(TAKEN & strategy.Parameters.model_fields.keys()):
        raise ValueError(f"its parameter {clash[0]!r} is a key of every backtest; give it another name")
    return strategy


def _candidates() -> Iterator[tuple[str, Callable[[], Any]]]:
    for module in module_names(STRATEGY_PACKAGE):
        yield module.rpartition(".")[2], partial(_of_module, module)
    for point in sorted(entry_points(group=ENTRY_POINT_GROUP), key=lambda point: point.name):
        yield point.name, point.load


def _of_module(module: str) -> Any:
    return importlib.import_module(module).STRATEGY
