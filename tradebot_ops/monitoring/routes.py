"""Receivers of an alert by Alertmanager's configuration. Pure: the text in force and labels in, receivers out."""

import re
from collections.abc import Mapping
from typing import Any

from tradebot_ops.text import yaml_

#: It records every alert in the API and notifies nobody.
STORE = "store"
_MATCHER = re.compile(r"\s*([a-zA-Z_]\w*)\s*(=~|!~|!=|=)\s*(.*?)\s*", re.DOTALL)


def receivers(text: str, labels: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """Receivers of an alert with these labels, each with its kinds of channel; one without any notifies nobody."""
    config = yaml_.load(text) or {}
    kinds = {
        receiver.get("name", ""): tuple(
            key.removesuffix("_configs") for key, value in receiver.items() if key.endswith("_configs") and value
        )
        for receiver in config.get("receivers") or ()
    }
    route = config.get("route") or {}
    return {name: kinds.get(name, ()) for name in _walk(route, labels, route.get("receiver", ""))}


def _walk(route: Mapping[str, Any], labels: Mapping[str, str], inherited: str) -> list[str]:
    """As Alertmanager does: the first child that fits, more after one that says ``continue``, else the route itself."""
    receiver = route.get("receiver") or inherited
    found: list[str] = []
    for child in route.get("routes") or ():
        if _fits(child, labels):
            found += _walk(child, labels, receiver)
            if not child.get("continue"):
                break
    return found or [receiver]


def _fits(route: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    wanted = [*(route.get("matchers") or ())]
    wanted += [f"{name}={value}" for name, value in (route.get("match") or {}).items()]
    wanted += [f"{name}=~{value}" for name, value in (route.get("match_re") or {}).items()]
    return all(_matches(matcher, labels) for matcher in wanted)


def _matches(matcher: str, labels: Mapping[str, str]) -> bool:
    found = _MATCHER.fullmatch(matcher)
    if found is None:
        return False
    name, sign, value = found[1], found[2], found[3].strip('"')
    has = labels.get(name, "")
    same = re.fullmatch(value, has) is not None if "~" in sign else value == has
    return same is not sign.startswith("!")
