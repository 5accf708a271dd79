"""A kind of names, and how one of them is explained: a file in ``glossary/kinds`` that offers ``KIND``."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tradebot_ops.context import Ops
from tradebot_ops.model import Section


@dataclass(frozen=True)
class Kind:
    """``names`` are all that there are, as they are written; ``explain`` gets one of them.

    Both read declarations only, and ask no running service.
    """

    name: str
    names: Callable[[Ops], Iterable[str]]
    explain: Callable[[Ops, str], Section]
