"""Acknowledging alerts, and how good each one is: the questions to the API, and what is shown of its answers."""

from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.operations.jobs.test_dead_letters import ops_with, said
from tests.operations.seen import Made, made, refusal, whole
from tests.render.screens import Terminal, same_facts, shown
from tradebot_ops.context import Ops
from tradebot_ops.errors import OpsError
from tradebot_ops.operations.alerts import quality
from tradebot_ops.progress import OnProgress

DAY = 86_400.0


def figures(name: str, fired: int, acknowledged: int, wrong: int, **others: Any) -> dict[str, Any]:
    return {
        "name": name,
        "severity": "warning",
        "fired": fired,
        "lasting": 0,
        "acknowledged": acknowledged,
        "false_positives": wrong,
        "received_median_s": 12.5,
        "ended_median_s": 930.0,
        "last_at": "2026-11-26T11:00:00Z",
    } | others


FIGURES = [
    figures("HighAPILatency", 9, 8, 2),
    figures("RedisDown", 1, 1, 0, severity="critical", ended_median_s=None, lasting=1),
    figures("NobodyKnowsItsRule", 1, 0, 0, received_median_s=None),
    figures("Watchdog", 1, 0, 0, severity="none"),
]
FIRING = {
    "name": "WorkerInstanceDown",
    "severity": "warning",
    "fingerprint": "f",
    "labels": {"alertname": "WorkerInstanceDown", "severity": "warning", "instance": "worker-2:9102"},
    "starts_at": "2026-11-26T11:00:00.25Z",
    "ended_at": None,
    "at": "2026-11-26T11:02:00Z",
    "by": "maria@host",
    "reason": "",
    "false_positive": False,
}


class Api:
    """Answers with these figures and firings, and remembers what was asked."""

    def __init__(self, *found: dict[str, Any]) -> None:
        self.found, self.asked = list(found), list[Any]()

    def alert_stats(self, since_s: float, name: str | None) -> list[dict[str, Any]]:
        self.asked.append((since_s, name))
        return [each for each in self.found if name in {None, each["name"]}]

    def acknowledge(
        self, name: str, labels: dict[str, str], reason: str, since_s: float | None, *, false_positive: bool
    ) -> list[dict[str, Any]]:
        self.asked.append((name, labels, reason, since_s, false_positive))
        return self.found


def ops_of(api: Api, folder: Path) -> Ops:
    return ops_with(api, folder)  # type: ignore[arg-type]


def test_what_is_said_of_an_alert_reaches_the_api(tmp_path: Path) -> None:
    api = Api(FIRING, FIRING | {"ended_at": "2026-11-26T11:05:00Z"})
    report = quality.acknowledge(
        ops_of(api, tmp_path), "WorkerInstanceDown", ["instance=worker-2:9102"], "drill", "1d", false_positive=True
    )
    assert api.asked == [("WorkerInstanceDown", {"instance": "worker-2:9102"}, "drill", DAY, True)]
    assert said(report) == "2 firings acknowledged as false by maria@host."
    assert report.sections[0].tables[0].rows == (
        ("WorkerInstanceDown", "2026-11-26 11:00:00", "not yet", "instance=worker-2:9102"),
        ("WorkerInstanceDown", "2026-11-26 11:00:00", "2026-11-26 11:05:00", "instance=worker-2:9102"),
    )


@pytest.mark.parametrize(
    ("words", "since", "code"),
    [(["worker-2"], None, "TB-0227"), (["=x"], None, "TB-0227"), ([], "soon", "TB-0204"), ([], None, "TB-0228")],
)
def test_what_cannot_be_acknowledged_is_refused(words: list[str], since: str | None, code: str, tmp_path: Path) -> None:
    api = Api()
    with pytest.raises(OpsError) as caught:
        quality.acknowledge(ops_of(api, tmp_path), "RedisDown", words, "", since, false_positive=False)
    assert caught.value.code == code
    assert len(api.asked) == (code == "TB-0228")


def test_figures_count_from_the_first_symptom(tmp_path: Path) -> None:
    """A rule waits before it fires, and the API hears of it only then."""
    report = quality.stats(ops_of(Api(*FIGURES), tmp_path), None, "30d")
    assert isinstance(report.data, dict)
    by_name = {each["name"]: each for each in report.data["alerts"]}
    assert list(by_name) == ["HighAPILatency", "RedisDown", "NobodyKnowsItsRule"]
    assert (by_name["HighAPILatency"]["accuracy"], by_name["NobodyKnowsItsRule"]["accuracy"]) == (0.75, None)
    assert by_name["NobodyKnowsItsRule"]["pending_s"] is None
    told = {row[0]: row[5] for row in report.sections[0].tables[0].rows}
    assert told["HighAPILatency"] != "12.5 s"
    assert by_name["HighAPILatency"]["pending_s"] > 0


def test_what_fires_by_design_is_shown_by_name_only(tmp_path: Path) -> None:
    api = Api(*FIGURES)
    report = quality.stats(ops_of(api, tmp_path), "Watchdog", "2d")
    assert api.asked == [(2 * DAY, "Watchdog")]
    assert report.sections[0].tables[0].rows[0][0] == "Watchdog"
    assert said(quality.stats(ops_of(Api(), tmp_path), "RedisDown", "2d")) == "No alert RedisDown fired since 2d."


@pytest.mark.parametrize("columns", [80, 200])
def test_screens(columns: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, snapshot: SnapshotAssertion) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setattr(quality, "waits", lambda ops: {"HighAPILatency": 60.0, "RedisDown": 30.0})
    found = (
        quality.stats(ops_of(Api(*FIGURES), tmp_path), None, "30d"),
        quality.acknowledge(ops_of(Api(FIRING), tmp_path), "x", [], "", None, false_positive=False),
    )
    assert "\n".join(shown(report, Terminal()) for report in found) == snapshot
    for report in found:
        same_facts(report, monkeypatch)


def test_the_audit_log_has_its_words_and_hooks_are_heard_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ops = ops_of(Api(FIRING), tmp_path)

    def act(heard: OnProgress) -> None:
        quality.acknowledge(ops, "RedisDown", ["job=a=b"], "", None, false_positive=False, on_progress=heard)

    with ops.state.lock("up"):
        assert made(monkeypatch, act) == [Made(("alerts ack", "RedisDown", "job=a=b"), leased=False)]


def test_all_that_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, snapshot: SnapshotAssertion) -> None:
    monkeypatch.setattr(quality, "waits", lambda ops: {"RedisDown": 30.0})
    ops = ops_of(Api(FIRING), tmp_path)
    assert whole(quality.acknowledge(ops, "x", ["job=a=b"], "", None, false_positive=True)) == snapshot
    # All of them acknowledged: there is nothing to ask.
    assert whole(quality.stats(ops_of(Api(FIGURES[1]), tmp_path), None, "30d")) == snapshot
    assert whole(quality.stats(ops_of(Api(), tmp_path), None, "30d")) == snapshot
    refused = []
    for words in (["worker-2"], ["job=a=b", "x=y"]):
        with pytest.raises(OpsError) as caught:
            quality.acknowledge(ops_of(Api(), tmp_path), "RedisDown", words, "", None, false_positive=False)
        refused.append(refusal(caught.value))
    assert refused == snapshot
