"""A sweep over two parameters as a table of one figure."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic import BaseModel

    from services.jobs.backtesting.strategy import Strategy


def heat(
    strategy: "Strategy", payload: "BaseModel", runs: "Sequence[BaseModel]", values: Sequence[float]
) -> dict[str, Any] | None:
    """The ``values`` of the runs as rows of the one parameter and columns of the other, where exactly two were varied.

    None stands where there was no run, or it has no such figure; no cell needs more than four digits.
    """
    varied = [name for name in strategy.Parameters.model_fields if len(set(getattr(payload, name))) > 1]
    if len(varied) != 2:
        return None
    down, along = ({value: at for at, value in enumerate(dict.fromkeys(getattr(payload, name)))} for name in varied)
    table: list[list[float | None]] = [[None] * len(along) for _ in down]
    for run, value in zip(runs, values, strict=True):
        table[down[getattr(run, varied[0])]][along[getattr(run, varied[1])]] = (
            None if math.isnan(value) else float(f"{value:.4g}")
        )
    rows, columns = ({"name": name, "values": list(own)} for name, own in zip(varied, (down, along), strict=True))
    return {"rows": rows, "columns": columns, "cells": table}
