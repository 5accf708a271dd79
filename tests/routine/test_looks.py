"""Judgements on the reports of other commands, on both sides of each limit."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.backups.test_shelf import put
from tests.operations.test_change import world
from tradebot_ops.backups.shelf import Proof, Refutation, Shelf
from tradebot_ops.context import Ops
from tradebot_ops.model import Level, Report
from tradebot_ops.routine import looks

PASS, WARN, FAIL, SKIP = Level.PASS, Level.WARN, Level.FAIL, Level.SKIP


def alert(severity: str = "critical", state: str = "firing") -> dict[str, Any]:
    return {"name": "RedisDown", "severity": severity, "state": state, "summary": "Redis is down.", "what": "job=redis"}


@pytest.mark.parametrize(
    ("alerts", "levels"),
    [
        ([], [PASS]),
        ([alert()], [FAIL]),
        ([alert("warning"), alert("info")], [WARN, WARN]),
        ([alert(state="silenced"), alert(state="pending"), alert(state="inhibited")], [PASS]),
    ],
)
def test_alerts_that_fire(alerts: list[dict[str, Any]], levels: list[Level]) -> None:
    found = looks.judge_firing(Report(data={"alerts": alerts}))
    assert [each.level for each in found] == levels


def test_an_alert_names_its_runbook() -> None:
    (found,) = looks.judge_firing(Report(data={"alerts": [alert()]}))
    assert found.message == "RedisDown fires (critical): Redis is down."
    assert found.hint == "tradebot runbook show RedisDown"


def figure(met: bool | None) -> dict[str, Any]:
    return {"name": "uptime", "shown": "99.1 %", "target": "> 99.9 %", "met": met}


@pytest.mark.parametrize(
    ("met", "levels"),
    [([True, None], [PASS]), ([None, None], [SKIP]), ([], [SKIP]), ([True, False, False], [WARN, WARN])],
)
def test_key_figures(met: list[bool | None], levels: list[Level]) -> None:
    found = looks.judge_figures(Report(data={"figures": [figure(each) for each in met]}))
    assert [each.level for each in found] == levels


def group(*, quarantined: bool = False) -> dict[str, Any]:
    known = {"fingerprint": "f1", "jobs": 1, "type": "backtest", "error_type": "E", "message": "m"}
    return {**known, "quarantined": quarantined}


def test_dead_jobs() -> None:
    assert [each.level for each in looks.judge_dead(Report(data=[]))] == [PASS]
    assert [each.level for each in looks.judge_dead(Report(data=[group(quarantined=True)]))] == [PASS]
    (found,) = looks.judge_dead(Report(data=[group(), group(quarantined=True)]))
    assert (found.level, found.message) == (WARN, "1 dead job of backtest: E: m.")


@pytest.mark.parametrize(
    ("counts", "away", "level"),
    [([], {}, PASS), ([3, 4], {}, WARN), ([], {"logs": "nothing runs"}, SKIP), ([1], {"logs": "x"}, WARN)],
)
def test_errors_of_logs(counts: list[int], away: dict[str, str], level: Level) -> None:
    data = {"faults": [{"count": count} for count in counts], "not_examined": away}
    (found,) = looks.judge_faults(Report(data=data), "tradebot diag errors --since 7d")
    assert found.level is level


@pytest.mark.parametrize(
    ("fired", "acknowledged", "accuracy", "levels"),
    [(4, 4, 1.0, [PASS]), (4, 4, 0.95, [PASS]), (4, 4, 0.94, [WARN]), (4, 3, 1.0, [WARN]), (4, 0, None, [WARN])],
)
def test_alerts_that_were_wrong_or_never_judged(
    fired: int, acknowledged: int, accuracy: float | None, levels: list[Level]
) -> None:
    alerts = [{"name": "A", "fired": fired, "acknowledged": acknowledged, "accuracy": accuracy}]
    found = looks.judge_effective(Report(data={"alerts": alerts}))
    assert [each.level for each in found] == levels


def test_settings_that_do_not_fit() -> None:
    change = {"setting": "WORKER_REPLICAS", "from": "8", "to": "4", "why": "They idle."}
    assert looks.judge_fitting(Report(data={"lacking": "An hour is missing.", "changes": []}))[0].level is SKIP
    assert looks.judge_fitting(Report(data={"lacking": "", "changes": []}))[0].level is PASS
    (found,) = looks.judge_fitting(Report(data={"lacking": "", "changes": [change]}))
    assert (found.level, found.message) == (WARN, "WORKER_REPLICAS is 8, and 4 would fit: They idle.")


@pytest.mark.parametrize(
    ("days", "levels"), [([], [SKIP]), ([90], [PASS]), ([90.1, 3], [WARN]), ([100, 200], [WARN, WARN])]
)
def test_old_secrets(days: list[float], levels: list[Level]) -> None:
    ages = {f"secret-{number}": timedelta(days=each) for number, each in enumerate(days)}
    assert [each.level for each in looks.judge_ages(ages)] == levels


@pytest.fixture
def ops(tmp_path: Path) -> Ops:
    return world(tmp_path, TRADEBOT_BACKUPS=str(tmp_path / "backups"))


def test_the_newest_backup_is_read_whole(ops: Ops, tmp_path: Path) -> None:
    ask = looks.read_back().ask
    assert [each.level for each in ask(ops).findings] == [SKIP]
    put(Shelf(tmp_path / "backups" / "demo"))
    newest = put(Shelf(tmp_path / "backups" / "demo"))
    assert [each.level for each in ask(ops).findings] == [PASS]
    newest.refute(Refutation("2026-11-27T14:00:00+00:00", "It does not restore."))
    (found,) = ask(ops).findings
    assert found.message == f"The last verification of the backup {newest.id} failed: It does not restore."
    newest.remember(Proof("2026-11-27T15:00:00+00:00", 1.0))
    newest.dump.write_bytes(b"rotten")
    (found,) = ask(ops).findings
    assert (found.level, found.message) == (FAIL, f"Backup {newest.id}: postgres.dump is not as it was written.")


def test_nothing_is_restored_that_nobody_agreed_to(ops: Ops) -> None:
    with pytest.raises(looks.NotAsked) as caught:
        looks.rehearsal().ask(ops)
    assert caught.value.hint == "tradebot routine monthly --yes"
