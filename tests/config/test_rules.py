"""Every alert is proved: it fires, it stays silent, it explains itself, and a runbook says what to do."""

import re
import subprocess
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from services.common.jobtypes import registry
from tests.paths import ROOT
from tests.programs import program

RULES = sorted((ROOT / "config/prometheus/rules").glob("*.yml"))
TESTS = sorted((ROOT / "config/prometheus/tests").glob("*_test.yml"))
RUNBOOKS = ROOT / "docs/runbooks"

BRIEF = {
    "critical": "ServiceDown PostgresDown RedisDown NoWorkersAvailable DatabaseConnectionFailures",
    "warning": "HighErrorRate WorkerQueueBacklog HighJobFailureRate DeadLetterQueueGrowing HighDatabaseConnections "
    "SlowQueries RedisMemoryHigh HighCPUUsage HighMemoryUsage DiskSpaceLow",
    "performance": "HighAPILatency BacktestTakingTooLong HighBacktestFailureRate",
    "info": "HighAPIRequestRate WorkerUtilisationOutOfRange",
}


def rules() -> list[dict[str, Any]]:
    groups = [group for file in RULES for group in yaml.safe_load(file.read_text())["groups"]]
    return [rule for group in groups for rule in group["rules"]]


ALERTS = [rule for rule in rules() if "alert" in rule]
NAMES = sorted({rule["alert"] for rule in ALERTS})
WITH_FOR = sorted({rule["alert"] for rule in ALERTS if "for" in rule})


@cache
def questions() -> tuple[tuple[dict[str, Any], ...], ...]:
    """The questions to alerts, for each promtool test."""
    tests = [test for file in TESTS for test in yaml.load(file.read_text(), yaml.CSafeLoader)["tests"]]
    return tuple(tuple(test["alert_rule_test"]) for test in tests)


def seconds(text: str) -> int:
    factors = {"h": 3600, "m": 60, "s": 1}
    return sum(int(number) * factors[unit] for number, unit in re.findall(r"(\d+)([hms])", text))


@pytest.mark.integration
@pytest.mark.parametrize("file", TESTS, ids=lambda file: file.stem)
def test_promtool_agrees(file: Path) -> None:
    result = subprocess.run([program("promtool"), "test", "rules", str(file)], capture_output=True, text=True)
    assert result.returncode == 0, result.stdout[-4000:] + result.stderr[-4000:]


def test_every_area_has_tests() -> None:
    assert {file.stem for file in RULES} == {file.stem.split("_")[0] for file in TESTS}


def test_at_least_twenty_alerts() -> None:
    assert len(NAMES) >= 20


@pytest.mark.parametrize("severity", BRIEF)
def test_the_brief_has_its_alerts_with_their_severity(severity: str) -> None:
    ours = {rule["alert"] for rule in ALERTS if rule["labels"]["severity"] == severity}
    assert set(BRIEF[severity].split()) <= ours


@pytest.mark.parametrize("name", NAMES)
def test_alert_has_a_firing_and_a_silent_case(name: str) -> None:
    asked = [case for test in questions() for case in test if case["alertname"] == name]
    assert any(case["exp_alerts"] for case in asked), "never seen to fire"
    # Watchdog fires always; that is what it is for.
    assert name == "Watchdog" or any(not case["exp_alerts"] for case in asked), "never seen to stay silent"


@pytest.mark.parametrize("name", WITH_FOR)
def test_alert_is_asked_on_both_sides_of_its_for(name: str) -> None:
    """Silent at one moment and firing within a minute after it, in the same test."""
    for test in questions():
        asked = [case for case in test if case["alertname"] == name]
        silent = {seconds(case["eval_time"]) for case in asked if not case["exp_alerts"]}
        firing = {seconds(case["eval_time"]) for case in asked if case["exp_alerts"]}
        if any(0 < late - early <= 60 for late in firing for early in silent):
            return
    pytest.fail("no pair of a silent and a firing moment stands around its `for:`")


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_alert_says_what_it_is(rule: dict[str, Any]) -> None:
    severities = {"none"} if rule["alert"] in {"Watchdog", "RecentOutage"} else set(BRIEF)
    assert rule["labels"]["severity"] in severities
    assert rule["labels"]["category"]
    assert {"summary", "description", "runbook_url"} <= set(rule["annotations"])


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_a_summary_repeats_no_threshold(rule: dict[str, Any]) -> None:
    """It would be wrong as soon as somebody edits the expression; the value is in the description."""
    assert not re.search(r"\d", rule["annotations"]["summary"])


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_a_description_names_no_time_but_those_of_its_rule(rule: dict[str, Any]) -> None:
    """How long it has lasted is its ``for:``; the times looked at are those of its expression, or of a recording."""
    recorded = [each["expr"] for each in rules() if each.get("record", "-") in rule["expr"]]
    text = " ".join([rule.get("for", ""), rule["expr"], *recorded])
    known = {seconds(found) for found in re.findall(r"\d+[smh]\b", text)}
    named = re.findall(r"\b(\d+) (second|minute|hour)s?\b", rule["annotations"]["description"])
    assert {seconds(f"{number}{unit[0]}") for number, unit in named} <= known


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_runbook_url_leads_to_a_file_of_the_documentation(rule: dict[str, Any]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    base = project["urls"]["Documentation"]
    assert rule["annotations"]["runbook_url"] == f"{base}/runbooks/{rule['alert']}.md"
    assert (RUNBOOKS / f"{rule['alert']}.md").is_file()


@pytest.mark.parametrize("name", NAMES)
def test_runbook_confirms_mends_and_prevents_in_commands(name: str) -> None:
    text = (RUNBOOKS / f"{name}.md").read_text()
    assert text.startswith(f"# {name}\n")
    for heading in ("Meaning", "Confirm", "Mend", "Prevent"):
        assert f"\n## {heading}\n" in text, heading
    for heading in ("Confirm", "Mend"):
        section = text.split(f"\n## {heading}\n")[1].split("\n## ")[0]
        assert "```" in section, f"{heading} has no command"
    lines = [line for block in re.findall(r"```\w*\n(.*?)```", text, re.S) for line in block.strip().splitlines()]
    assert all(line.startswith("tradebot ") for line in lines), lines


def test_no_runbook_without_an_alert() -> None:
    assert {file.stem for file in RUNBOOKS.glob("*.md")} - {"README"} == set(NAMES)


def test_index_lists_every_runbook() -> None:
    index = (RUNBOOKS / "README.md").read_text()
    assert [name for name in NAMES if f"({name}.md)" not in index] == []


def test_slo_alerts_count_on_the_evaluation_interval() -> None:
    config = yaml.safe_load((ROOT / "config/prometheus/prometheus.yml").read_text())
    assert config["global"]["evaluation_interval"] == "15s"
    assert config["global"]["scrape_interval"] == "15s"


def test_a_job_that_takes_too_long_is_told_before_it_is_stopped() -> None:
    """At worst: a scrape just missed, an evaluation just missed, `for:`, the store's grouping."""
    rule = next(rule for rule in ALERTS if rule["alert"] == "BacktestTakingTooLong")
    shortest, share = map(float, re.findall(r"> ?=? ?(\d+(?:\.\d+)?)", rule["expr"])[1:])
    long = {name: job.timeout_s for name, job in registry().types.items() if job.timeout_s >= shortest}
    assert long.keys() >= {"backtest", "sweep", "load_candles"}
    scrape, evaluation, grouping = 15, 15, 5
    for name, timeout in long.items():
        assert share * timeout + scrape + evaluation + seconds(rule["for"]) + grouping < timeout, name


OUTAGES = [
    rule
    for rule in ALERTS
    if rule["labels"]["severity"] == "critical" and rule["labels"]["category"] not in {"slo", "monitoring"}
]


@pytest.mark.parametrize("rule", OUTAGES, ids=lambda rule: rule["alert"])
def test_outage_is_stored_within_two_minutes(rule: dict[str, Any]) -> None:
    """At worst: a scrape just missed, one that times out, an evaluation just missed twice, `for:`, grouping.

    Burning budgets and the monitoring of the monitoring are left out on purpose: they look at longer windows.
    """
    scrape, timeout, evaluation, grouping = 15, 10, 15, 5
    assert scrape + timeout + evaluation + seconds(rule["for"]) + evaluation + grouping <= 120
