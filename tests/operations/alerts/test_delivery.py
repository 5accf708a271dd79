"""When a channel has taken an alert, by Alertmanager's counters. The whole is proved in the integration tests."""

from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.facts.alerting.way import Way, laid
from tests.operations.seen import Made, made, refusal, whole
from tests.paths import ROOT
from tradebot_ops.clients.alertmanager import Deliveries
from tradebot_ops.context import Ops
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.errors import ExitCode, OpsError
from tradebot_ops.model import Level, Report
from tradebot_ops.operations.alerts.delivery import CHANNEL_SECONDS, outcome, run
from tradebot_ops.progress import ignore_progress
from tradebot_ops.records import ChannelTests
from tradebot_ops.settings import load_settings

BEFORE = Deliveries(started=7, sent=6, failed={"other": 1, "clientError": 0})


@pytest.mark.parametrize(
    ("now", "expected", "said"),
    [
        (BEFORE, 1, None),
        (Deliveries(8, 6, BEFORE.failed), 1, None),
        (Deliveries(8, 7, BEFORE.failed), 1, ""),
        (Deliveries(8, 7, BEFORE.failed), 2, None),
        # Somebody else's arrived; the one begun last is still on its way.
        (Deliveries(10, 8, BEFORE.failed), 2, None),
        (Deliveries(9, 7, {"other": 1, "clientError": 1}), 1, "the notification failed (clientError)."),
        (Deliveries(9, 7, {"": 1}), 1, "the notification failed."),
    ],
)
def test_outcome(now: Deliveries, expected: int, said: str | None) -> None:
    assert outcome(BEFORE, now, expected) == said


@pytest.fixture
def ops(tmp_path: Path) -> Ops:
    settings = load_settings({"project": "demo"}, {"TRADEBOT_STATE": str(tmp_path)}, ROOT)
    return Ops(settings, StubEngine("demo"))


@pytest.fixture
def way(ops: Ops, monkeypatch: pytest.MonkeyPatch) -> Way:
    return laid(ops, monkeypatch)


def sent(ops: Ops, *receivers: str, every: bool = False) -> Report:
    return run(ops, ignore_progress, receivers, every=every)


def through(report: Report) -> list[str]:
    """The hops through channels that were made."""
    assert isinstance(report.data, dict)
    return [hop["name"] for hop in report.data["hops"] if ":" in hop["name"]]


def channels(report: Report) -> dict[str, list[str]]:
    assert isinstance(report.data, dict)
    found: dict[str, list[str]] = report.data["channels"]
    return found


TOOK = ["critical: slack takes it", "critical: webhook takes it"]


def test_without_receivers_no_channel_is_tried(ops: Ops, way: Way) -> None:
    report = sent(ops)
    assert (through(report), channels(report), report.exit_code) == ([], {}, ExitCode.OK)
    assert report.sections[0].lines == (
        "An alert went Alertmanager -> webhook -> Postgres and back, and so did its end.",
    )
    assert [labels.get("receiver") for labels, _ in way.posted] == [None] * 3


def test_each_channel_of_the_named_receiver_is_a_hop_and_no_other_is_asked(ops: Ops, way: Way) -> None:
    report = sent(ops, "critical")
    assert (through(report), channels(report)) == (TOOK, {"critical": ["slack", "webhook"]})
    assert report.sections[0].lines[1:] == ("The channels of critical took one, too.",)
    theirs = [(labels, ended) for labels, ended in way.posted if "receiver" in labels]
    assert [(labels["receiver"], ended) for labels, ended in theirs] == [("critical", False), ("critical", True)]
    assert set(ops.state.load(ChannelTests).taken) == {"critical/slack", "critical/webhook"}


def test_every_receiver_that_has_channels_is_tried(ops: Ops, way: Way) -> None:
    report = sent(ops, every=True)
    assert through(report) == [*TOOK, "warning: email takes it"]
    assert list(channels(report)) == ["critical", "warning"]
    assert report.sections[0].lines[1:] == ("The channels of critical and warning took one, too.",)


@pytest.mark.parametrize(
    ("broken", "kind", "why"),
    [
        ("slack", "slack", "the notification failed (clientError)."),
        ("webhook", "webhook", "the notification failed (clientError)."),
        ("slow slack", "slack", f"it has not been taken within {CHANNEL_SECONDS:.0f} s."),
        ("slow webhook", "webhook", f"it has not been taken within {CHANNEL_SECONDS:.0f} s."),
        # Its failing request was counted, and the failure of it not yet.
        ("torn slack", "slack", f"it has not been taken within {CHANNEL_SECONDS:.0f} s."),
        # One of three is missing: the store's own does not stand for it.
        ("late webhook", "webhook", f"it has not been taken within {CHANNEL_SECONDS:.0f} s."),
    ],
)
def test_a_channel_that_does_not_take_it_is_a_failure_and_the_others_are_still_tried(
    ops: Ops, way: Way, broken: str, kind: str, why: str
) -> None:
    ops.state.store(ChannelTests({"older/email": "2026-01-01"}))
    way.broken = {broken}
    report = sent(ops, every=True)
    [finding] = report.findings
    assert finding.message == f"The alert's way broke at «critical: {kind} takes it»: {why}"
    assert (finding.level, finding.id, report.exit_code) == (Level.FAIL, "TB-0552", ExitCode.DEPENDENCY_UNREACHABLE)
    others = [hop for hop in (*TOOK, "warning: email takes it") if kind not in hop]
    assert through(report) == others
    assert len(report.sections[0].lines) == 1, "it claims that all took it"
    kept = {"older/email", "critical/slack", "critical/webhook", "warning/email"} - {f"critical/{kind}"}
    assert set(ops.state.load(ChannelTests).taken) == kept
    assert way.moments <= CHANNEL_SECONDS + 1


def test_that_it_was_taken_is_said_twice_in_a_row_or_not_believed(
    ops: Ops, way: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Answers of a torn reading come again and again, each followed by one that takes it back."""
    took, open_ = Deliveries(8, 7, {}), Deliveries(8, 6, {})
    told = iter([Deliveries(7, 6, {}), *([took, open_] * 3), took, took, Deliveries()])
    monkeypatch.setattr(way, "deliveries", lambda: {"email": next(told)})
    assert through(sent(ops, "warning")) == ["warning: email takes it"]
    assert list(told) == [Deliveries()], "it believed an answer too soon, or too late"


def test_earlier_deliveries_are_no_proof(ops: Ops, way: Way) -> None:
    way.counts = {"slack": Deliveries(5, 5, {}), "webhook": Deliveries(5, 5, {})}
    way.broken = {"slow slack"}
    assert [finding.id for finding in sent(ops, "critical").findings] == ["TB-0552"]


def test_earlier_failures_are_no_failure(ops: Ops, way: Way) -> None:
    way.counts = {"slack": Deliveries(5, 4, {"clientError": 1})}
    assert through(sent(ops, "critical")) == TOOK


@pytest.mark.parametrize(("name", "code"), [("nobody", "TB-0221"), ("store", "TB-0221"), ("quiet", "TB-0854")])
def test_a_receiver_that_cannot_be_tried_is_refused_before_anything_is_raised(
    ops: Ops, way: Way, name: str, code: str
) -> None:
    with pytest.raises(OpsError, match=name) as caught:
        sent(ops, "critical", name)
    assert (caught.value.code, way.posted) == (code, [])


def test_that_nobody_would_be_notified_is_a_warning(ops: Ops, way: Way) -> None:
    way.receivers = "receivers: [{name: store}, {name: quiet}]"
    [finding] = sent(ops, every=True).findings
    assert (finding.level, finding.id) == (Level.WARN, "alerts.channels")


def test_a_broken_way_is_told_before_channels_are_tried(ops: Ops, way: Way) -> None:
    way.broken = {"store-end"}
    with pytest.raises(OpsError, match="API stores the end"):
        sent(ops, "critical")
    assert not [labels for labels, _ in way.posted if "receiver" in labels]


def test_an_up_that_takes_its_time_hinders_no_test_and_the_audit_log_has_its_words(
    ops: Ops, way: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ops.state.lock("up"):
        assert made(monkeypatch, lambda heard: run(ops, heard, ["critical", "warning"])) == [
            Made(("alerts test", "critical", "warning"), leased=False)
        ]


def test_no_two_alerts_of_a_test_are_one_for_alertmanager(ops: Ops, way: Way) -> None:
    """Nor is one that of an earlier test: it would be found in the store at once."""
    nonces = []
    for _ in range(2):
        way.posted.clear()
        report = sent(ops, every=True)
        assert isinstance(report.data, dict)
        theirs = {labels.get("receiver", ""): labels["nonce"] for labels, _ in way.posted}
        assert theirs[""] == report.data["nonce"]
        assert len(set(theirs.values())) == len(theirs) == 3
        assert all(each.startswith(theirs[""]) for each in theirs.values())
        nonces.append(theirs[""])
    assert nonces[0] != nonces[1]
    assert len(nonces[0]) == 16


def test_a_channel_has_its_time_and_no_more(ops: Ops, way: Way) -> None:
    way.broken = {"slow slack"}
    before = way.moments
    sent(ops, "critical")
    assert CHANNEL_SECONDS <= way.moments - before <= CHANNEL_SECONDS + 1


def test_screens(ops: Ops, way: Way, monkeypatch: pytest.MonkeyPatch, snapshot: SnapshotAssertion) -> None:
    monkeypatch.setattr("secrets.token_hex", lambda _: "0123")
    way.broken = {"slow slack"}
    assert whole(sent(ops, every=True)) == snapshot
    way.receivers = "receivers: [{name: store}, {name: quiet}]"
    assert whole(sent(ops, every=True)) == snapshot
    refused = []
    for receivers in ("nobody", "quiet"):
        with pytest.raises(OpsError) as caught:
            sent(ops, receivers)
        refused.append(refusal(caught.value))
    assert refused == snapshot
