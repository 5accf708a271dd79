"""The API's panels for one look: what is wrong is a finding, what nobody could see is none of the quiet."""

import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.documents import document, panel, series
from tests.operations.seen import refusal, whole
from tradebot_ops.errors import OpsError, Unreachable
from tradebot_ops.operations.monitoring import panels

AWAY = Unreachable("The API does not answer.", code="TB-0501", hint="tradebot status")


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def shown(made: dict[str, Any]) -> str:
    """Without the document, which is the data as it came."""
    return "\n".join(line for line in whole(panels.report(made)).splitlines() if not line.startswith("data "))


def test_screens(snapshot: SnapshotAssertion) -> None:
    many = [{"at": 1_790_000_000 + number, "kind": "UP", "text": f"event {number}"} for number in range(9)]
    lines = [series(f"s{number}", number, None, number + 1) for number in range(9)]
    wide = panel(1, "timeseries", "Wide", series=lines)
    zeros = panel(2, "timeseries", "Zeros", series=[series("a", 1, 2), series("b", 0, 0), series("c", 0, None)])
    seen = [
        document(),
        document(status="ok", panels=[], firing=[], events=many),
        document(panels=[wide | {"hidden_series": 3}, zeros], events=many[:8]),
        document(panels=[], firing=None, firing_note="it is away", events=[], events_note="it is slow."),
        document(panels=[], direct=True, note="The API is away. Prometheus was asked instead."),
    ]
    assert "\n\n".join(map(shown, seen)) == snapshot


def test_the_data_is_the_document_as_it_came() -> None:
    assert panels.report(document()).data == document()


def test_a_chart_is_drawn_while_any_of_its_series_has_a_value() -> None:
    alive, gap = series("a", 1, 0), series("c", None, 0) | {"values": [None, None]}
    assert panels._drawn({"series": [gap, alive]})
    assert not panels._drawn({"series": [gap]})
    assert not panels._drawn({"series": []})


def test_what_is_nothing_but_zeros_is_folded_from_two_on() -> None:
    alive, dead, gap = series("a", 1, 0), series("b", 0, 0), series("c", None, 0)
    assert panels.living({"series": [alive, dead]}) == [alive, dead]
    assert panels.living({"series": [alive, dead, gap]}) == [alive]
    assert panels.living({"series": [dead, gap]}) == []


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        *[(each, True) for each in (*panels.RANGES, "1m", "60s", "92d", "90m", "132480m", "2208h")],
        *[(each, False) for each in ("", "0m", "59s", "93d", "132481m", "2209h", "7948801s", "1w", "m", "1.5h")],
        *[(each, False) for each in ("15m ", "-1h", "123456789s")],
    ],
)
def test_a_range_is_from_a_minute_to_a_quarter(text: str, is_one: bool) -> None:
    assert panels.is_range(text) is is_one


def world(api: Any, prometheus: Any = None, *, file: bool = True, monkeypatch: pytest.MonkeyPatch) -> Any:
    files = [Path("other.json"), *([Path("x/trading-bot-dashboard.json")] if file else [])]
    monkeypatch.setattr("tradebot_ops.facts.metrics.config_files.dashboards", lambda _: files)

    def answer(given: Any) -> Any:
        def look(*words: object) -> Any:
            if isinstance(given, OpsError):
                raise given
            return given | {"asked": words}

        return look

    return SimpleNamespace(api=SimpleNamespace(panels=answer(api)), panels=SimpleNamespace(look=answer(prometheus)))


def test_the_api_is_asked_and_where_it_is_away_prometheus(monkeypatch: pytest.MonkeyPatch) -> None:
    good = {"status": "ok", "title": "x"}
    assert panels.look(world(good, monkeypatch=monkeypatch), "1h") == good | {"asked": ("1h",)}
    assert panels.look(world(AWAY, good, monkeypatch=monkeypatch), "1h") == good | {
        "asked": (Path("x/trading-bot-dashboard.json"), "1h"),
        "direct": True,
        "note": "The API does not answer. Prometheus was asked instead.",
    }


def test_refusals(monkeypatch: pytest.MonkeyPatch) -> None:
    gone = {"status": "unavailable", "note": "Prometheus does not answer."}
    instead = "The API does not answer. Prometheus cannot be asked instead:"
    seen = []
    for ops in (
        world(AWAY, OpsError("It is down.", code="TB-0540"), monkeypatch=monkeypatch),
        world(AWAY, gone, monkeypatch=monkeypatch),
    ):
        with pytest.raises(OpsError) as raised:
            panels.look(ops, "1h")
        seen.append(refusal(raised.value))
    with pytest.raises(OpsError) as raised:
        panels.look(world(AWAY, gone, file=False, monkeypatch=monkeypatch), "1h")
    seen.append(refusal(raised.value))
    for act in (panels.look, panels.once):
        with pytest.raises(OpsError) as raised:
            act(world(gone, monkeypatch=monkeypatch), "soon" if act is panels.look else "1h")
        seen.append(refusal(raised.value))
    assert seen == [
        ("TB-0501", f"{instead} It is down.", "tradebot status"),
        ("TB-0501", f"{instead} Prometheus does not answer.", "tradebot status"),
        ("TB-0501", f"{instead} This stack has no trading-bot-dashboard.json.", "tradebot status"),
        ("TB-0205", "'soon' is not a range.", "Use 15m, 1h, 6h, 24h, 7d, or any from 1m to 92d, such as 90m."),
        (
            "TB-0540",
            "Prometheus does not answer.",
            "tradebot monitoring status; if it does not run: tradebot monitoring start",
        ),
    ]
    for ops, hint in (
        (world(AWAY, gone, file=False, monkeypatch=monkeypatch), "tradebot dashboards list"),
        (world(AWAY, gone, monkeypatch=monkeypatch), "tradebot monitoring status"),
    ):
        monkeypatch.setattr(
            "tradebot_ops.facts.metrics.config_files.dashboards",
            lambda _, hint=hint: [] if "list" in hint else [Path("trading-bot-dashboard.json")],
        )
        with pytest.raises(OpsError) as raised:
            panels._directly(ops, "1h")
        assert (raised.value.code, raised.value.hint) == ("TB-0540", hint)


def test_once_is_one_look(monkeypatch: pytest.MonkeyPatch) -> None:
    report = panels.once(world(document(), monkeypatch=monkeypatch), "1h")
    assert report.sections[0].lines[0].startswith(document()["title"])
