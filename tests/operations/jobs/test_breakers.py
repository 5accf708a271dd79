"""What is shown of circuit breakers, and which can be reset."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.operations.seen import Made, made, refusal, whole
from tradebot_ops.context import Ops
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.errors import OpsError
from tradebot_ops.facts.work import breakers as facts
from tradebot_ops.operations.jobs import breakers
from tradebot_ops.settings import load_settings

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
AWAY = {
    "name": "market-data",
    "open": True,
    "failures": 0,
    "trips": 2,
    "opened_at": "2026-11-26T11:58:00Z",
    "open_until": "2026-11-26T12:00:30Z",
    "error": "ConnectTimeout: no answer",
}
BACK = AWAY | {"name": "mail", "open": False, "open_until": None}


class Api:
    def __init__(self, *known: dict[str, Any]) -> None:
        self.known, self.resets = known, list[str]()

    def breakers(self) -> list[dict[str, Any]]:
        return list(self.known)

    def reset_breaker(self, name: str) -> dict[str, Any]:
        self.resets.append(name)
        return BACK | {"name": name}


def ops_with(api: Api, tmp_path: Path) -> Ops:
    settings = load_settings({"project": "demo"}, {"TRADEBOT_STATE": str(tmp_path), "HOME": str(tmp_path)}, tmp_path)
    ops = Ops(settings, StubEngine("demo"), lambda: NOW)
    ops.__dict__["api"] = api
    return ops


def test_open_ones_say_when_they_let_a_call_through(tmp_path: Path) -> None:
    report = breakers.list_(ops_with(Api(BACK, AWAY), tmp_path))
    assert report.sections[0].tables[0].rows == (
        ("mail", "closed", "", "2", "2 min", "ConnectTimeout: no answer"),
        ("market-data", "open", "30 s", "2", "2 min", "ConnectTimeout: no answer"),
    )
    assert report.sections[1].lines == ("Once the service is back: tradebot breakers reset NAME",)
    assert len(breakers.list_(ops_with(Api(BACK), tmp_path)).sections) == 1


def test_one_that_is_due_and_that_nobody_asks_for_waits_no_longer(tmp_path: Path) -> None:
    due = AWAY | {"open_until": "2026-11-26T11:59:00Z"}
    assert breakers.list_(ops_with(Api(due), tmp_path)).sections[0].tables[0].rows[0][2] == "0 s"


def test_without_any_that_is_said(tmp_path: Path) -> None:
    assert breakers.list_(ops_with(Api(), tmp_path)).sections[0].lines == (breakers.NONE,)


def test_a_known_one_is_reset_and_another_is_not(tmp_path: Path) -> None:
    api = Api(AWAY)
    report = breakers.reset(ops_with(api, tmp_path), "market-data")
    assert api.resets == ["market-data"]
    assert "market-data is closed" in report.sections[0].lines[0]
    with pytest.raises(OpsError, match="Did you mean `market-data`") as raised:
        breakers.reset(ops_with(api, tmp_path), "market-dat")
    assert raised.value.code == "TB-0225"
    assert api.resets == ["market-data"]


def test_the_fact_has_what_a_check_judges(tmp_path: Path) -> None:
    found = facts.breakers(ops_with(Api(AWAY), tmp_path))
    assert found == (facts.Breaker("market-data", True, 2, "ConnectTimeout: no answer"),)


def test_all_that_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, snapshot: SnapshotAssertion) -> None:
    ops = ops_with(Api(BACK, AWAY), tmp_path)
    said = [breakers.list_(ops), breakers.list_(ops_with(Api(), tmp_path)), breakers.reset(ops, "market-data")]
    assert "\n\n".join(map(whole, said)) == snapshot
    with pytest.raises(OpsError) as caught:
        breakers.reset(ops, "mai")
    why = "There is no circuit breaker 'mai'. Did you mean `mail`?"
    assert refusal(caught.value) == ("TB-0225", why, "tradebot breakers list")
    assert made(monkeypatch, lambda heard: breakers.reset(ops, "mail", heard)) == [
        Made(("breakers reset", "mail"), leased=False)
    ]
