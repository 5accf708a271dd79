"""The schema of a payload as what one types."""

import pytest

from services.common.jobtypes import registry
from tradebot_ops.operations.jobs.parameters import Parameter, parameters

TYPES = registry().types


@pytest.mark.parametrize("name", sorted(TYPES))
def test_every_parameter_that_ships_has_a_type_and_a_meaning(name: str) -> None:
    for _, rows in parameters(TYPES[name].schema()):
        assert all(each.type not in {"", "any"} and each.meaning for each in rows), rows


def test_what_a_choice_adds_stands_under_it() -> None:
    always, *choices = parameters(TYPES["backtest"].schema())
    assert {"symbol", "cash", "strategy"} <= {each.name for each in always[1]}
    own = {title: [each.name for each in rows] for title, rows in choices}
    assert own["strategy=sma_cross"] == ["fast", "slow"]
    assert own["strategy=breakout"] == ["lookback", "exit_lookback"]


@pytest.mark.parametrize(
    ("schema", "type_", "default"),
    [
        ({"type": "integer", "minimum": 1, "maximum": 9, "default": 3}, "whole number, 1 to 9", "3"),
        ({"type": "number", "exclusiveMinimum": 0, "maximum": 10}, "number, above 0 up to 10", "required"),
        ({"type": "integer", "minimum": 2}, "whole number, from 2", "required"),
        ({"type": "boolean", "default": False}, "true or false", "false"),
        ({"type": "string", "default": ""}, "text", ""),
        ({"enum": ["a", "b", "c"], "default": "b"}, "a, b or c", "b"),
        ({"anyOf": [{"type": "string", "format": "date"}, {"type": "null"}], "default": None}, "day", ""),
        ({"type": "array", "items": {"type": "string"}, "default": []}, "list of text", ""),
        ({"$ref": "#/$defs/Side", "default": "buy"}, "buy or sell", "buy"),
        ({"default": 1}, "any", "1"),
    ],
)
def test_types_and_defaults(schema: dict[str, object], type_: str, default: str) -> None:
    required = [] if "default" in schema else ["x"]
    whole = {"properties": {"x": schema}, "required": required, "$defs": {"Side": {"enum": ["buy", "sell"]}}}
    assert parameters(whole) == [("", [Parameter("x", type_, default, "")])]
