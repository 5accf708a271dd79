"""Whom an alert reaches, as Alertmanager itself would say."""

import pytest
import yaml

from tests.paths import ROOT
from tradebot_ops.monitoring.routes import receivers

OWN = (ROOT / "config/alertmanager/alertmanager.yml").read_text()


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ({"alertname": "Watchdog", "severity": "none"}, ["store"]),
        ({"alertname": "RecentOutage", "severity": "none"}, ["nobody"]),
        ({"alertname": "RedisDown", "severity": "critical"}, ["store", "critical"]),
        ({"alertname": "HighAPILatency", "severity": "performance"}, ["store", "warning"]),
        ({"alertname": "X", "severity": "info"}, ["store", "info"]),
        ({"alertname": "X", "severity": "other"}, ["store"]),
        ({"alertname": "SyntheticAlert", "severity": "info"}, ["store"]),
        ({"alertname": "SyntheticAlert", "receiver": "critical"}, ["store", "critical"]),
    ],
)
def test_our_own_routes(labels: dict[str, str], expected: list[str]) -> None:
    assert list(receivers(OWN, labels)) == expected


def test_kinds_of_channel_and_those_who_have_none() -> None:
    assert receivers(OWN, {"severity": "critical"}) == {"store": ("webhook",), "critical": ()}


@pytest.mark.parametrize(
    ("matcher", "fits"),
    [
        ('a="x"', True), ('a="y"', False), ('a!="y"', True), ('a=~"x|z"', True), ('a=~"xx"', False),
        ('a!~"x.*"', False), ("a=x", True), ('b=""', True), ('a = "x"', True), ("nonsense", False),
    ],
)  # fmt: skip
def test_matchers(matcher: str, fits: bool) -> None:
    config = {"route": {"receiver": "root", "routes": [{"matchers": [matcher], "receiver": "child"}]}, "receivers": []}
    assert list(receivers(yaml.safe_dump(config), {"a": "x"})) == ["child" if fits else "root"]


def test_the_older_form_of_matchers_and_inherited_receivers() -> None:
    config = {
        "route": {
            "receiver": "root",
            "routes": [{"match": {"a": "x"}, "match_re": {"b": "y|z"}, "routes": [{"matchers": ['c="1"']}]}],
        },
        "receivers": [{"name": "root", "slack_configs": [{}]}],
    }
    assert receivers(yaml.safe_dump(config), {"a": "x", "b": "z", "c": "1"}) == {"root": ("slack",)}
