"""Whether a configuration in force is the one that is written. Pure.

Prometheus and Alertmanager report theirs with every default filled in, secrets hidden and paths made absolute. So the
question is whether all that is written is in force, not whether both are equal.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePath
from typing import Any

from tradebot_ops.errors import OpsError
from tradebot_ops.monitoring.promql import parse
from tradebot_ops.monitoring.rules import rules_of
from tradebot_ops.units import PROMETHEUS, seconds

#: What both write in place of a secret, and of an address that may hold one.
_HIDDEN = "<secret>"


def differences(written: Any, loaded: Any, place: str = "") -> list[str]:
    """Places, such as ``route.routes[1].receiver``, where what is written is not in force."""
    if written in ({}, [], None):  # nothing asked for: whatever the default is
        return []
    if isinstance(written, Mapping):
        return _of_mapping(written, loaded, place)
    if isinstance(written, Sequence) and not isinstance(written, str):
        if not isinstance(loaded, list) or len(loaded) != len(written):
            return [place]
        pairs = enumerate(zip(written, loaded, strict=True))
        return [found for index, (one, other) in pairs for found in differences(one, other, f"{place}[{index}]")]
    return [] if _same(written, loaded, place) else [place]


def _of_mapping(written: Mapping[str, Any], loaded: Any, place: str) -> list[str]:
    if not isinstance(loaded, Mapping):
        return [place]
    return [
        found
        for key, value in written.items()
        for found in differences(value, loaded.get(key), f"{place}.{key}" if place else key)
    ]


def _same(written: Any, loaded: Any, place: str) -> bool:
    if written == loaded or loaded == _HIDDEN:
        return True
    if not isinstance(written, str) or not isinstance(loaded, str):
        return False
    if place.endswith("_file"):  # the same secret lies elsewhere on each engine
        return PurePath(written).name == PurePath(loaded).name
    return loaded.endswith(f"/{written}") or _duration(written) == _duration(loaded) != None  # noqa: E711


def _duration(text: str) -> float | None:
    try:
        return seconds(text, PROMETHEUS)
    except ValueError:
        return None


#: Name, expression, seconds of ``for`` and severity of a rule.
RuleShape = tuple[str, str, float, str]


def shape(name: str, expression: str, for_seconds: float, severity: str) -> RuleShape:
    """A rule in a form that two ways to write the same expression share."""
    try:
        expression = parse(expression).prettify()
    except OpsError:
        expression = " ".join(expression.split())
    return name, expression, for_seconds, severity


def written_rules(documents: Iterable[Mapping[str, Any]]) -> list[RuleShape]:
    """Every rule of parsed rule files."""
    return [
        shape(
            rule.get("alert") or rule.get("record", ""),
            rule["expr"],
            seconds(str(rule["for"]), PROMETHEUS) if rule.get("for") else 0.0,
            str(rule["labels"].get("severity", "")),
        )
        for rule in rules_of(documents)
    ]
