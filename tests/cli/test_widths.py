"""A narrow terminal shows every fact that a wide one shows."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.operations.alerts.test_overview import Alertmanager, ops  # noqa: F401 - a fixture
from tests.operations.jobs.test_report import DEAD, JOB
from tests.render.screens import Terminal, letters, same_facts
from tests.render.test_logs import written
from tradebot_ops.context import Ops
from tradebot_ops.model import Report
from tradebot_ops.operations.alerts.overview import list_
from tradebot_ops.operations.jobs.report import followed, in_full, listed

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
LONG = "There are no candles of NOSUCH between 2020-01-01 and 2024-12-31. Load some: tradebot jobs submit load_candles"
METRICS = {"total_return": 0.51234, "sharpe": 1.2345, "max_drawdown": -0.519, "trades": 12, "win_rate": 0.5833}
SWEEP = JOB | {
    "type": "sweep",
    "payload": {"symbol": "AAPL", "strategy": "sma_cross", "fast": [5, 10, 15, 20, 25], "slow": [30, 60, 90, 120]},
    "result": {
        "symbol": "AAPL",
        "best": [{"parameters": {"fast": fast, "slow": 90}, "metrics": METRICS} for fast in range(5, 30, 5)],
    },
}
FAILED = DEAD | {
    "error": DEAD["error"] | {"message": LONG},
    "events": [*JOB["events"], {"at": JOB["finished_at"], "state": "dead", "by": "worker-1", "note": LONG}],
}


@pytest.mark.parametrize(
    "report",
    [
        listed({"jobs": [SWEEP, FAILED], "next": "x"}, None, None, 20, NOON),
        in_full(FAILED),
        followed(SWEEP),
    ],
    ids=["jobs list", "jobs show", "sweep"],
)
def test_jobs(report: Report, monkeypatch: pytest.MonkeyPatch) -> None:
    same_facts(report, monkeypatch)


def test_alerts(ops: Ops, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    vars(ops)["alertmanager"] = Alertmanager(silenced=True)
    same_facts(list_(ops, every=True), monkeypatch)


@pytest.mark.parametrize("text", [json.dumps({"event": LONG, "level": "error", "job_id": JOB["id"], "n": 1}), LONG])
def test_log_lines(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for columns in ("80", "200"):
        monkeypatch.setenv("COLUMNS", columns)
        found.append(letters(written(text, Terminal())))
    assert found[0] == found[1]


@pytest.mark.parametrize("words", [("status",), ("up",), ("plan",), ("drift",)])
def test_commands_of_a_stack(run: Run, words: tuple[str, ...], tmp_path: Path) -> None:
    run("up", "--no-canary")
    described = tmp_path / "compose.yaml"
    described.write_text(described.read_text().replace("[work]", "[work, hard]"))
    shown = [run(*words, columns=columns).stdout for columns in (80, 200)]
    if words == ("up",):  # the second time it has nothing to do any more
        shown[0] = run(*words, columns=80).stdout
    assert letters(shown[0]) == letters(shown[1])
    assert all(len(line) <= 80 for line in shown[0].splitlines() if "tradebot" not in line)
