"""Each hop of an alert's way, broken in turn: which one it was is said, and the alert is ended all the same."""

from pathlib import Path

import pytest

from tests.facts.alerting.way import Way, laid
from tests.paths import ROOT
from tradebot_ops.context import Ops
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.errors import ExitCode, OpsError, Unreachable
from tradebot_ops.facts.alerting.alert_delivery import (
    ARRIVES_SECONDS,
    NAME,
    RESOLVES_SECONDS,
    Hop,
    timed,
    to_the_store_and_back,
    trip,
)
from tradebot_ops.facts.asking import Facts
from tradebot_ops.progress import Phase, ProgressEvent, ignore_progress
from tradebot_ops.settings import load_settings

HOPS = [
    "API answers",
    "Prometheus knows Alertmanager",
    "Alertmanager takes it",
    "API stores it",
    "Alertmanager ends it",
    "API stores the end",
]
#: What breaks each hop; those before it were made.
BREAKS = dict(zip(["api", "discovery", "take", "store", "end", "store-end"], HOPS, strict=True))


@pytest.fixture
def ops(tmp_path: Path) -> Ops:
    return Ops(load_settings({"project": "demo"}, {"TRADEBOT_STATE": str(tmp_path)}, ROOT), StubEngine("demo"))


@pytest.fixture
def way(ops: Ops, monkeypatch: pytest.MonkeyPatch) -> Way:
    return laid(ops, monkeypatch)


def names(hops: list[Hop]) -> list[str]:
    return [hop.name for hop in hops]


def test_an_alert_and_its_end_arrive(ops: Ops, way: Way) -> None:
    events: list[ProgressEvent] = []
    assert names(to_the_store_and_back(ops, "n1", events.append)) == HOPS
    labels = {"alertname": NAME, "severity": "info", "nonce": "n1"}
    # Ended once on the way, and once more however that went.
    assert way.posted == [(labels, False), (labels, True), (labels, True)]
    assert [(each.phase, each.detail) for each in events] == [(Phase.STARTING, name) for name in HOPS]


@pytest.mark.parametrize("broken", BREAKS)
def test_the_hop_that_breaks_is_named_and_those_before_it_are_known(ops: Ops, way: Way, broken: str) -> None:
    way.broken = {broken}
    hops: list[Hop] = []
    events: list[ProgressEvent] = []
    with pytest.raises(OpsError, match=f"^The alert's way broke at «{BREAKS[broken]}»: ") as caught:
        to_the_store_and_back(ops, "n1", events.append, hops=hops)
    assert names(hops) == HOPS[: HOPS.index(BREAKS[broken])]
    assert caught.value.code == ("TB-0551" if broken == "discovery" else "TB-0550")
    assert caught.value.exit_code is ExitCode.DEPENDENCY_UNREACHABLE
    assert caught.value.hint
    assert [each.detail for each in events if each.phase is Phase.FAILED] == [BREAKS[broken]]


@pytest.mark.parametrize("broken", BREAKS)
def test_the_fact_is_which_hops_were_made_and_what_broke_the_next(ops: Ops, way: Way, broken: str) -> None:
    way.broken = {broken}
    found = Facts(ops).required(trip)
    assert names(list(found.hops)) == HOPS[: HOPS.index(BREAKS[broken])]
    assert BREAKS[broken] in found.broken
    assert found.hint
    way.broken = set()
    found = Facts(ops).required(trip)
    assert (names(list(found.hops)), found.broken, found.hint) == (HOPS, "", "")


@pytest.mark.parametrize("broken", ["store", "store-end"])
def test_whatever_is_not_stored_in_time_is_given_up(ops: Ops, way: Way, broken: str) -> None:
    way.broken = {broken}
    within = {"store": ARRIVES_SECONDS, "store-end": RESOLVES_SECONDS}[broken]
    with pytest.raises(OpsError, match=f"not stored it within {within:.0f} s"):
        to_the_store_and_back(ops, "n1", ignore_progress)
    assert within < way.moments <= within + 1
    assert way.posted[-1][1], "it was left firing"


def test_an_alert_that_somebody_else_raised_is_no_proof(ops: Ops, way: Way) -> None:
    way.others = [{"labels": {"nonce": "another"}, "status": status} for status in ("firing", "resolved")]
    way.broken = {"store"}
    with pytest.raises(OpsError, match="API stores it"):
        to_the_store_and_back(ops, "n1", ignore_progress)


def test_the_start_is_no_proof_of_the_end(ops: Ops, way: Way) -> None:
    way.others = [{"labels": {"nonce": "n1"}, "status": "firing"}]
    way.broken = {"store-end"}
    with pytest.raises(OpsError, match="API stores the end"):
        to_the_store_and_back(ops, "n1", ignore_progress)


def test_nothing_is_raised_before_everything_answers(ops: Ops, way: Way) -> None:
    def refuse() -> None:
        raise OpsError("There is no such receiver.", code="TB-0221")

    with pytest.raises(OpsError, match="no such receiver"):
        to_the_store_and_back(ops, "n1", ignore_progress, refuse)
    assert way.posted == []


def test_that_the_end_cannot_be_sent_hides_no_other_failure(ops: Ops, way: Way) -> None:
    way.broken = {"store", "end"}
    with pytest.raises(OpsError, match="API stores it"):
        to_the_store_and_back(ops, "n1", ignore_progress)


def test_a_dependency_that_cannot_be_reached_keeps_its_code() -> None:
    def fail() -> None:
        raise Unreachable("It does not answer.", code="TB-0520", hint="start it", detail=("a line",))

    with pytest.raises(OpsError, match="«here»: It does not answer") as caught:
        timed("here", fail, ignore_progress)
    assert (caught.value.code, caught.value.hint, caught.value.detail) == ("TB-0520", "start it", ("a line",))
