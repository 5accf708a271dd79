"""What is written is in force, however it is printed; and any other word is found."""

from typing import Any

import pytest

from tradebot_ops.monitoring.loaded import differences, shape, written_rules


@pytest.mark.parametrize(
    ("written", "loaded", "places"),
    [
        ({"a": 1}, {"a": 1, "default": True}, []),
        ({"a": 1}, {"a": 2}, ["a"]),
        ({"a": {"b": "x"}}, {"a": {}}, ["a.b"]),
        ({"a": {"b": "x"}}, {"a": "x"}, ["a"]),
        ({"a": [{"b": 1}, {"b": 2}]}, {"a": [{"b": 1, "c": 0}, {"b": 3}]}, ["a[1].b"]),
        ({"a": [1, 2]}, {"a": [1]}, ["a"]),
        # Printed otherwise: durations, hidden secrets, absolute paths, secrets that lie elsewhere.
        ({"a": "24h"}, {"a": "1d"}, []),
        ({"a": "24h"}, {"a": "23h"}, ["a"]),
        ({"a": "x"}, {"a": "y"}, ["a"]),
        ({"url": "http://x"}, {"url": "<secret>"}, []),
        ({"rule_files": ["rules/*.yml"]}, {"rule_files": ["/etc/prometheus/rules/*.yml"]}, []),
        ({"password_file": "/run/secrets/p"}, {"password_file": "/home/x/secrets/p"}, []),
        ({"password_file": "/run/secrets/p"}, {"password_file": "/run/secrets/q"}, ["password_file"]),
        # Nothing asked for.
        ({"matchers": []}, {}, []),
    ],
)
def test_differences(written: Any, loaded: Any, places: list[str]) -> None:
    assert differences(written, loaded) == places


def test_rules_are_compared_by_what_they_mean() -> None:
    document = {
        "groups": [
            {
                "rules": [
                    {"alert": "A", "expr": "sum  by(x)(up)>0", "for": "1m", "labels": {"severity": "info"}},
                    {"record": "r", "expr": "up"},
                ]
            }
        ]
    }
    assert written_rules([document]) == [shape("A", "sum by (x) (up) > 0", 60.0, "info"), shape("r", "up", 0.0, "")]
    assert shape("A", "up > 0", 0, "") != shape("A", "up > 1", 0, "")
