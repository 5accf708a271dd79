"""The strategy interface, and the built-in strategies."""

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from services.common.discovery import module_names

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from services.jobs.market.candles import Bars

STRATEGY_PACKAGE = "services.jobs.strategies"


@dataclass(frozen=True)
class Strategy:
    """A long-or-flat rule.

    ``target(bars, parameters)`` says for every bar, knowing only that bar and those before it, whether to
    hold the symbol after that bar's close: a boolean array as long as the bars. ``warmup(parameters)`` is the number of
    bars that must have passed before the first bar at whose close it can give a signal.
    """

    name: str
    Parameters: type[BaseModel]
    target: "Callable[[Bars, Any], NDArray[np.bool_]]"
    warmup: Callable[[Any], int]


@lru_cache(maxsize=1)
def strategies() -> Mapping[str, Strategy]:
    """Every strategy by its name."""
    found = [importlib.import_module(name).STRATEGY for name in module_names(STRATEGY_PACKAGE)]
    return MappingProxyType({strategy.name: strategy for strategy in found})
