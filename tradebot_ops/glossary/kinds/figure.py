"""Figures of a backtest: sharpe."""

import re
from functools import cache

from tradebot_ops.context import Ops
from tradebot_ops.glossary.kind import Kind
from tradebot_ops.model import Section
from tradebot_ops.stack.source import default_folder


@cache
def _figures() -> dict[str, str]:
    """Meaning of each figure, from the page that is the one place where they are defined."""
    text = (default_folder() / "docs" / "figures.md").read_text(encoding="utf-8")
    return dict(re.findall(r"^\| `(\w+)` \| (.+) \|$", text, re.MULTILINE))


def _names(ops: Ops) -> list[str]:
    del ops
    return list(_figures())


def _explained(ops: Ops, name: str) -> Section:
    del ops
    return Section(lines=(f"Figure {name}: {_figures()[name]}.", "How a backtest trades: docs/figures.md."))


KIND = Kind("figure", _names, _explained)
