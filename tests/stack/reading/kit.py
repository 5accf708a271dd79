"""Text of a description read by one reader: what it makes of it, and each problem in full."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from tradebot_ops.stack.problems import Problems
from tradebot_ops.stack.reading.document import Item, parse
from tradebot_ops.stack.reading.read import Reader

T = TypeVar("T")
#: A problem: its code, where it is in the file, what is wrong, what to write.
Told = tuple[str, str, str, str]


def read(text: str, act: Callable[[Reader, Item], T]) -> tuple[T, list[Told]]:
    """Of the value below the text's only key, which is ``it``; its problems lie below that."""
    problems = Problems()
    root = parse(text, Path("compose.yaml")).value
    assert isinstance(root, dict)
    found = act(Reader(problems), root["it"])
    return found, told(problems)


def told(problems: Problems) -> list[Told]:
    return [
        (str(each.code), f"{each.place.line}: {each.place.path}", each.message, each.hint) for each in problems.found
    ]


def fields(item: Item) -> Mapping[str, Item]:
    assert isinstance(item.value, dict)
    return item.value
