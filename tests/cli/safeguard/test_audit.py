"""`tradebot audit` as it is typed."""

import json
from pathlib import Path

from tests.cli.conftest import Run


def test_a_change_is_shown_and_the_record_checked(run: Run, tmp_path: Path) -> None:
    assert run("stop").exit_code == 0
    shown = run("audit", "--by", "nobody-else", "--json")
    assert json.loads(shown.stdout)["data"]["changes"] == []
    found = json.loads(run("audit", "--command", "stop", "--since", "2026-11-22", "--json").stdout)["data"]["changes"]
    assert [each["outcome"] for each in found] == ["ok"]
    assert "stop" in run("audit").stdout
    assert run("audit", "--verify").exit_code == 0
    log = next((tmp_path / "state" / "demo").glob("audit.jsonl"))
    log.write_bytes(log.read_bytes().replace(b"stop", b"stay"))
    shown = run("audit", "--verify")
    assert shown.exit_code == 1
    assert "Entry 1 (line 1) was edited" in shown.stdout + shown.stderr


def test_a_noted_end_is_read_alone(run: Run) -> None:
    shown = run("audit", "--anchor", "7", "--json")
    assert shown.exit_code == 2
    assert json.loads(shown.stdout)["errors"][0]["code"] == "TB-0270"
