"""Rings of services that wait for one another, wherever in the stack they are."""

import re
from collections.abc import Callable

import pytest

from tradebot_ops.errors import OpsError
from tradebot_ops.stack.model import Stack

SERVICES = "abcde"


def text(depends: dict[str, str]) -> str:
    lines = [f"  {name}: {{image: i, depends_on: [{', '.join(depends.get(name, ''))}]}}" for name in SERVICES]
    return "\n".join(["services:", *lines]) + "\n"


@pytest.mark.parametrize(
    ("depends", "ring"),
    [
        ({"a": "b", "b": "a"}, "a → b → a"),
        ({"a": "a"}, "a → a"),
        ({"d": "e", "e": "d"}, "d → e → d"),  # nobody before them waits for them
        ({"a": "c", "c": "de", "e": "c"}, "c → e → c"),  # reached through one that is not in the ring
        ({"a": "b", "b": "c", "c": "d", "d": "e", "e": "b"}, "b → c → d → e → b"),
    ],
)
def test_a_ring_is_found(refused: Callable[..., OpsError], depends: dict[str, str], ring: str) -> None:
    error = refused(text(depends))
    assert error.code == "TB-0818"
    assert re.search(rf"in a circle: {re.escape(ring)}", f"{error.message} {error.detail}")


@pytest.mark.parametrize(
    "depends", [{"a": "bc", "b": "d", "c": "d"}, {"e": "abcd", "d": "abc", "c": "ab", "b": "a"}, {}]
)
def test_what_meets_again_is_no_ring(load_text: Callable[..., Stack], depends: dict[str, str]) -> None:
    assert set(load_text(text(depends)).services) == set(SERVICES)
