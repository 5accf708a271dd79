"""Shapes of JSON values: what fits comes back, what does not is named with its place."""

from typing import Any

import pytest

from tradebot_ops.shapes import Shape, ShapeError, fields, flag, listed, named, seconds, text, whole


@pytest.mark.parametrize(
    ("shape", "value", "message"),
    [
        pytest.param(text, 1, "1 where text belongs", id="text"),
        pytest.param(whole, True, "True where a whole number belongs", id="boolean is no number"),
        pytest.param(whole, 1.0, "1.0 where a whole number belongs", id="fraction"),
        pytest.param(seconds, True, "True where a number of seconds belongs", id="seconds"),
        pytest.param(flag, 0, "0 where true or false belongs", id="flag"),
        pytest.param(listed(text), "ab", "'ab' where a list belongs", id="text is no list"),
        pytest.param(listed(whole), [1, "2"], "item 1: '2' where a whole number belongs", id="item"),
        pytest.param(named(named(whole)), {"a": {"b": None}}, "a: b: None where a whole number belongs", id="deep"),
        pytest.param(named(text), [], "[] where an object belongs", id="object"),
        pytest.param(text, ["x" * 100], f"['{'x' * 58} where text belongs", id="long"),
    ],
)
def test_what_does_not_fit_is_named_with_its_place(shape: Shape[Any], value: object, message: str) -> None:
    with pytest.raises(ShapeError) as raised:
        shape(value)
    assert str(raised.value) == message


def test_what_fits_comes_back() -> None:
    assert (text("a"), whole(1), seconds(1), seconds(1.5), flag(False)) == ("a", 1, 1.0, 1.5, False)
    assert listed(named(whole))([{"a": 1}]) == ({"a": 1},)
    assert fields({"a": 1, "later": 2}, {"a": whole, "b": text}) == {"a": 1}
