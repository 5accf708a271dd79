"""What `dashboards lint` finds without Prometheus, on edited copies of the stack's own dashboard."""

import json
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.operations.seen import whole
from tests.paths import ROOT
from tradebot_ops.context import Ops
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.errors import OpsError, Refused
from tradebot_ops.operations.monitoring import dashboards
from tradebot_ops.settings import load_settings

FILE = "config/grafana/dashboards/trading-bot-dashboard.json"


@pytest.fixture
def ops(tmp_path: Path) -> Ops:
    folder = tmp_path / "stack"
    shutil.copytree(ROOT / "config", folder / "config")
    shutil.copytree(ROOT / "services", folder / "services", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "compose.yaml", folder)
    environ = {"TRADEBOT_STATE": str(tmp_path / "state"), "HOME": str(tmp_path)}
    return Ops(load_settings({"project": "demo"}, environ, folder), StubEngine("demo"))


def edit(ops: Ops, change: Any) -> None:
    path = ops.source.folder / FILE
    document = json.loads(path.read_text())
    change(document["panels"])
    path.write_text(json.dumps(document))


def found(ops: Ops) -> list[tuple[str, str]]:
    return [(finding.id, finding.message) for finding in dashboards.lint(ops).findings]


def test_the_own_dashboard_is_sound_and_it_is_said_that_nobody_was_asked(ops: Ops) -> None:
    report = dashboards.lint(ops)
    assert report.findings == ()
    assert isinstance(report.data, dict)
    assert (report.data["panels"], report.data["asked"]) == (18, False)
    (line,) = report.sections[0].lines
    assert "18 panels looked at: nothing is wrong. They were not asked for data: " in line


def test_panels_inside_rows_are_looked_at(ops: Ops) -> None:
    def into_a_row(panels: list[dict[str, Any]]) -> None:
        del panels[-1]  # which is a row
        panels[-1]["targets"][0]["expr"] = "nothing_emits_this"
        folded = {"type": "row", "id": 99, "title": "More", "gridPos": {"x": 0, "y": 90, "w": 24, "h": 1}}
        panels[-2:] = [folded | {"panels": panels[-2:]}]

    edit(ops, into_a_row)
    assert [id_ for id_, _ in found(ops)] == ["dashboard.contract"]
    assert isinstance(data := dashboards.lint(ops).data, dict)
    assert data["panels"] == 12
    assert isinstance(listed := dashboards.list_(ops).data, list)
    assert len(listed) == 12


def test_one_problem_hides_no_other(ops: Ops) -> None:
    def spoil(panels: list[dict[str, Any]]) -> None:
        panels[1]["id"] = panels[0]["id"]
        panels[2]["targets"][0]["expr"] = "sum(("
        panels[3]["targets"][0]["expr"] = "nothing_emits_this"
        panels[4]["gridPos"] = panels[5]["gridPos"]
        del panels[6]["targets"][0]["expr"]

    edit(ops, spoil)
    ids = [id_ for id_, _ in found(ops)]
    assert ids == ["dashboard.layout"] * 3 + ["dashboard.query", "dashboard.contract"]


def test_what_may_be_absent_is_no_empty_panel(ops: Ops) -> None:
    ops.__dict__["prometheus"] = SimpleNamespace(query=lambda _expression: ())
    wanting = [finding.message for finding in dashboards.lint(ops).findings if finding.id == "dashboard.empty"]
    assert len(wanting) > 12
    assert not [message for message in wanting if "bot_" in message]


def grid(x: int = 0, y: int = 0, w: int = 12, h: int = 4, **more: Any) -> dict[str, Any]:
    return {"title": "a", "id": 1, "gridPos": {"x": x, "y": y, "w": w, "h": h}, **more}


@pytest.mark.parametrize(
    ("panels", "wrong"),
    [
        ([grid(), grid(x=12, id=2)], []),
        ([grid(), grid(y=4, id=2)], []),
        ([grid(x=12), grid(id=2)], []),
        ([grid(y=4), grid(id=2)], []),
        ([grid(), grid(x=11, id=2, title="b")], ["panels 'a' and 'b' lie on one another"]),
        ([grid(), grid(y=3, id=2, title="b")], ["panels 'a' and 'b' lie on one another"]),
        ([grid(), grid(id=1, y=4)], ["the id 1 is used twice"]),
        ([grid(id=None)], ["panel 'a' has no id"]),
        ([grid(targets=[{"expr": "up"}, {}])], ["panel 'a' has a target without a query"]),
        ([grid(x=12)], []),
        ([grid(x=13)], ["panel 'a' does not lie on the grid of 24 columns"]),
        ([{"title": "a", "id": 1}], ["panel 'a' does not lie on the grid of 24 columns"]),
        (
            [{"title": "a", "id": 1}, grid(id=2), grid(id=3, title="c")],
            ["panel 'a' does not lie on the grid of 24 columns", "panels 'a' and 'c' lie on one another"],
        ),
        ([grid(), {"title": "b", "id": 2}], ["panel 'b' does not lie on the grid of 24 columns"]),
        ([grid(type="row", w=24, h=1, panels=[grid(id=2, y=1)]), grid(id=3, y=1, title="b")], []),
        (
            [grid(type="row", w=24, h=1, panels=[grid(id=2, y=1), grid(id=3, y=2, title="b")])],
            ["panels 'a' and 'b' lie on one another"],
        ),
    ],
)
def test_ids_and_places(panels: list[dict[str, Any]], wrong: list[str]) -> None:
    assert dashboards.layout({"panels": panels}) == wrong


def test_a_dashboard_without_panels_has_no_fault() -> None:
    assert dashboards.layout({}) == []


def test_screens(ops: Ops, snapshot: SnapshotAssertion) -> None:
    """A dashboard with one of each fault, asked of a Prometheus that refuses one query and has no data of another."""
    (ops.source.folder / FILE).unlink()
    queries = ["up", "sum((", "nothing_emits_this", "vector(1)"]
    kinds = ("stat", "timeseries", "stat", "table")
    panels = [
        {"id": number, "title": f"p{number}", "type": kinds[number], "targets": [{"expr": query}],
         "gridPos": {"x": 0, "y": 4 * number, "w": 24, "h": 4}}
        for number, query in enumerate(queries)
    ]  # fmt: skip
    panels.append({"id": 0, "title": "text", "type": "text", "gridPos": {"x": 0, "y": 99, "w": 25, "h": 4}})
    (ops.source.folder / FILE).write_text(json.dumps({"title": "Board", "panels": panels}))

    def query(expression: str) -> tuple[object, ...]:
        if "vector" in expression:
            raise Refused("it takes too long", code="TB-0103")
        return ()

    def gone(_: str) -> tuple[object, ...]:
        raise OpsError("Prometheus does not answer.", code="TB-0501")

    seen = [dashboards.list_(ops)]
    for answer in (query, lambda _: (1,), gone):
        ops.__dict__["prometheus"] = SimpleNamespace(query=answer)
        seen.append(dashboards.lint(ops))
    assert "\n\n".join(map(whole, seen)).replace(str(ops.source.folder), "STACK") == snapshot
