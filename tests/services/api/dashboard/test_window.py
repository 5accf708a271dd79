"""The window and Grafana's variables."""

import re
from pathlib import Path

import pytest
import yaml

from services.api.dashboard.window import (
    LONGEST_S,
    POINTS,
    RANGES,
    SCRAPE_INTERVAL_S,
    SHORTEST_S,
    Window,
    length_s,
    substitute,
    window,
)
from tradebot_ops.operations.monitoring import panels

CONFIG = Path(__file__).parents[4] / "config"
HOUR = Window(end=1_000_000, step=15, points=241)


@pytest.mark.parametrize("seconds", [*map(length_s, RANGES), 60, 5400, 92 * 86_400])
def test_a_window_covers_its_range_and_ends_now(seconds: int) -> None:
    shown = window(seconds, 1_000_000.9)
    assert (shown.times[0], shown.times[-1]) == (shown.start, 1_000_000)
    assert len(shown.times) == shown.points <= POINTS + 1
    assert seconds - shown.step < shown.end - shown.start <= seconds


@pytest.mark.parametrize(
    ("expr", "asked"),
    [
        ("rate(x[$__rate_interval])", "rate(x[60s])"),
        ("rate(x[${__rate_interval}])", "rate(x[60s])"),
        ("rate(x[$__interval]) / $__range_s", "rate(x[15s]) / 3600"),
        (
            'label_replace(up{job=~"a$"}, "x", "$1", "y", "(.*)")',
            'label_replace(up{job=~"a$"}, "x", "$1", "y", "(.*)")',
        ),
    ],
)
def test_variables(expr: str, asked: str) -> None:
    assert substitute(expr, HOUR) == asked


@pytest.mark.parametrize(("seconds", "step"), [(900, 15), (3600, 15), (3601, 16), (86_400, 360), (7 * 86_400, 2520)])
def test_an_hour_shows_each_scrape_and_more_time_as_many_points(seconds: int, step: int) -> None:
    shown = window(seconds, 1e9)
    assert (shown.step, shown.points) == (step, seconds // step + 1)


def test_a_rate_interval_holds_four_scrapes_and_grows_with_the_step() -> None:
    assert substitute("$__rate_interval", Window(0, 360, 2)) == "375s"


@pytest.mark.parametrize("expr", ["up{job='$job'}", "up{job='${job:regex}'}"])
def test_an_unknown_variable_is_named(expr: str) -> None:
    with pytest.raises(ValueError, match=re.escape("$job is not known here")):
        substitute(expr, HOUR)


def test_the_scrape_interval_is_the_configured_one() -> None:
    scraped = yaml.safe_load((CONFIG / "prometheus/prometheus.yml").read_text())["global"]["scrape_interval"]
    (source,) = yaml.safe_load((CONFIG / "grafana/provisioning/datasources/prometheus.yml").read_text())["datasources"]
    assert {scraped, source["jsonData"]["timeInterval"]} == {f"{SCRAPE_INTERVAL_S}s"}


def test_the_command_offers_the_same_ranges() -> None:
    assert RANGES == panels.RANGES
    assert (SHORTEST_S, LONGEST_S) == (panels.SHORTEST_S, panels.LONGEST_S)
    for text in (*RANGES, "90m", "60s", "59s", "92d", "93d", "0h", "1h30m", "h", "1w", ""):
        assert panels.is_range(text) == _takes(text)


def _takes(text: str) -> bool:
    try:
        return length_s(text) > 0
    except ValueError:
        return False
