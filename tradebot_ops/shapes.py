"""Checks the shape of values that come from a JSON file: each function returns the value or raises ``ShapeError``.

Not pydantic: importing it takes longer than `tradebot status` spends on all of these files together.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar

T = TypeVar("T")
Shape = Callable[[Any], T]


class ShapeError(ValueError):
    """A value is not what belongs in its place; the message names both."""


def text(value: Any) -> str:
    return _instance(value, str, "text")


def moment(value: Any) -> str:
    """A time in ISO 8601 with its zone, as text."""
    try:
        known = datetime.fromisoformat(text(value)).tzinfo is not None
    except ValueError:
        known = False
    if not known:
        raise ShapeError(f"{value!r:.60} where a time with its zone belongs")
    return text(value)


def whole(value: Any) -> int:
    return _instance(value, int, "a whole number")


def seconds(value: Any) -> float:
    return _instance(float(value) if type(value) is int else value, float, "a number of seconds")


def flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ShapeError(f"{value!r} where true or false belongs")
    return value


def listed(shape: Shape[T]) -> Shape[tuple[T, ...]]:
    """A list whose items all have one shape."""

    def check(value: Any) -> tuple[T, ...]:
        items = enumerate(_instance(value, list, "a list"))
        return tuple(_at(f"item {number}", shape, item) for number, item in items)

    return check


def named(shape: Shape[T]) -> Shape[dict[str, T]]:
    """An object whose keys are names and whose values all have one shape."""

    def check(value: Any) -> dict[str, T]:
        return {name: _at(name, shape, item) for name, item in _instance(value, dict, "an object").items()}

    return check


def fields(value: Any, shapes: Mapping[str, Shape[Any]]) -> dict[str, Any]:
    """Those keys of an object that ``shapes`` knows, checked; keys of another version are left out."""
    known = _instance(value, dict, "an object")
    return {name: _at(name, shape, known[name]) for name, shape in shapes.items() if name in known}


def _instance(value: Any, kind: type[T], called: str) -> T:
    if not isinstance(value, kind) or isinstance(value, bool):
        raise ShapeError(f"{value!r:.60} where {called} belongs")
    return value


def _at(place: str, shape: Shape[T], value: Any) -> T:
    try:
        return shape(value)
    except ShapeError as wrong:
        raise ShapeError(f"{place}: {wrong}") from None
