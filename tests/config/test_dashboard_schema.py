"""The dashboard against Grafana's own schema, from the SDK that Grafana generates from it.

Reading a dashboard, the SDK takes any value and drops what it does not know, as Grafana does: so it is read, looked
through for values outside the schema, and written again, when nothing may be missing.
"""

import copy
import json
from collections.abc import Callable, Iterator
from enum import Enum
from typing import Any, get_type_hints

import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models import units
from grafana_foundation_sdk.models.dashboard import Dashboard
from pydantic import ConfigDict, TypeAdapter, ValidationError

from tests.config.test_dashboard import DASHBOARD

UNITS = {value for name, value in vars(units).items() if isinstance(value, str) and not name.startswith("_")}

register_default_plugins()


def faults(dashboard: dict[str, Any]) -> list[str]:
    """Keys that Grafana does not know, and values that are not of their type."""
    read = Dashboard.from_json(dashboard)
    written = json.loads(JSONEncoder().encode(read))
    return [*unknown(dashboard, written, "dashboard"), *mistyped(read, "dashboard"), *unknown_units(dashboard)]


def unknown(ours: Any, theirs: Any, path: str) -> Iterator[str]:
    if isinstance(ours, dict):
        for key, value in ours.items():
            if isinstance(theirs, dict) and key in theirs:
                yield from unknown(value, theirs[key], f"{path}.{key}")
            else:
                yield f"{path}.{key}: not known"
    elif isinstance(ours, list):
        for number, value in enumerate(ours):
            yield from unknown(value, theirs[number], f"{path}[{number}]")
    elif ours != theirs:
        yield f"{path}: {ours!r} became {theirs!r}"


def mistyped(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, list):
        for number, each in enumerate(value):
            yield from mistyped(each, f"{path}[{number}]")
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from mistyped(each, f"{path}.{key}")
    elif type(value).__module__.startswith("grafana_foundation_sdk.") and not isinstance(value, Enum):
        for name, wanted in get_type_hints(type(value)).items():
            found = getattr(value, name)
            try:
                TypeAdapter(wanted, config=ConfigDict(arbitrary_types_allowed=True)).validate_python(found)
            except ValidationError as error:
                yield f"{path}.{name}: {error.errors()[0]['msg']}"
            yield from mistyped(found, f"{path}.{name}")


def unknown_units(dashboard: dict[str, Any]) -> Iterator[str]:
    for panel in (each for one in dashboard["panels"] for each in one.get("panels", [one])):
        unit = panel["fieldConfig"]["defaults"]["unit"]
        if unit not in UNITS:
            yield f"{panel['title']}: no unit {unit!r}"


def test_grafana_knows_every_key_and_value() -> None:
    assert faults(DASHBOARD) == []


def _put(path: tuple[str | int, ...], value: Any) -> Callable[[Any], None]:
    def put(dashboard: Any) -> None:
        for step in path[:-1]:
            dashboard = dashboard[step]
        dashboard[path[-1]] = value

    return put


DRAWN = ("panels", 4, "fieldConfig", "defaults")


@pytest.mark.parametrize(
    "spoil",
    [
        _put(("refreshh",), "5s"),
        _put(("refresh",), 5),
        _put(("graphTooltip",), 7),
        _put((*DRAWN, "unit"), "perfect"),
        _put((*DRAWN, "custom", "drawStyle"), "lines"),
        _put((*DRAWN, "custom", "fillOpacity"), "much"),
        _put((*DRAWN, "custom", "fillOpacityy"), 1),
        _put(("panels", 0, "options", "colorMode"), "purple"),
        _put(("panels", 4, "targets", 0, "legendFormt"), "{{job}}"),
        _put(("panels", 4, "options", "legend", "placement"), "left"),
    ],
    ids=["key", "type", "number", "unit", "style", "text", "drawing", "colour", "query", "legend"],
)
def test_a_fault_is_found(spoil: Callable[[Any], None]) -> None:
    dashboard = copy.deepcopy(DASHBOARD)
    spoil(dashboard)
    assert len(faults(dashboard)) == 1
