"""Grafana's JSON, read."""

import json
from pathlib import Path
from typing import Any

import pytest

from services.api.dashboard.definition import DefinitionError, parse_definition, read_definition
from services.common.settings import DASHBOARD_FILE


def panel(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "id": number,
        "type": "timeseries",
        "title": f"panel {number}",
        "gridPos": {"x": 0, "y": number, "w": 12, "h": 8},
        "targets": [{"refId": "A", "expr": "up"}],
        **changes,
    }


def test_the_dashboard_of_this_project() -> None:
    found = read_definition(DASHBOARD_FILE)
    assert (found.title, found.refresh_s) == ("Trading Bot", 15)
    assert [shown.kind for shown in found.panels] == (["stat"] * 4 + ["timeseries"] * 8) + (
        ["stat"] * 4 + ["timeseries"] * 2
    )
    assert [shown.id for shown in found.panels] == [*range(1, 13), *range(14, 20)]
    assert [shown.row for shown in found.panels] == [""] * 12 + ["Watched bot"] * 6
    cpu = found.panels[8]
    assert (cpu.unit, cpu.minimum, cpu.maximum, cpu.threshold_lines) == ("percentunit", 0, 1, True)
    assert [(step.value, step.color) for step in cpu.thresholds] == [(None, "green"), (0.85, "red")]


def test_panels_come_in_the_order_of_the_grid_rows_unfolded_hidden_queries_left_out() -> None:
    hidden = panel(9, targets=[{"refId": "A", "expr": "up", "hide": True}])
    row = {"type": "row", "gridPos": {}, "panels": [panel(2)]}
    found = parse_definition({"title": "t", "panels": [panel(3), row, hidden, panel(1)]})
    assert [shown.id for shown in found.panels] == [1, 2, 3]


def test_panels_know_the_row_that_keeps_them_folded() -> None:
    rows = [
        {"type": "row", "title": name, "collapsed": folded, "panels": [panel(number)]}
        for number, (name, folded) in enumerate([("Open", False), ("Folded", True)], 1)
    ]
    found = parse_definition({"title": "t", "panels": rows})
    assert [shown.row for shown in found.panels] == ["", "Folded"]


@pytest.mark.parametrize(
    ("refresh", "seconds"),
    [("15s", 15), ("1m", 60), ("2h", 7200), ("1s", 5), ("", 60), (None, 60), (False, 60), ("often", 60)],
)
def test_refresh(refresh: object, seconds: int) -> None:
    assert parse_definition({"title": "t", "refresh": refresh, "panels": []}).refresh_s == seconds


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (None, "cannot be read: No such file or directory"),
        ("{", "is not valid JSON"),
        ("[]", "is not one of Grafana"),
        (json.dumps({"title": "t"}), "is not one of Grafana: KeyError('panels')"),
        (json.dumps({"title": "t", "panels": [{"type": "stat"}]}), "is not one of Grafana: KeyError('gridPos')"),
    ],
)
def test_a_broken_file_is_named_with_the_reason(tmp_path: Path, text: str | None, reason: str) -> None:
    file = tmp_path / "board.json"
    if text is not None:
        file.write_text(text)
    with pytest.raises(DefinitionError) as raised:
        read_definition(file)
    assert str(file) in str(raised.value)
    assert reason in str(raised.value)
