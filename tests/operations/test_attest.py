"""What people vouch for is remembered, one word on each thing."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.operations.seen import made, refusal, whole
from tradebot_ops.context import Ops
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.errors import OpsError
from tradebot_ops.facts.project import attestations
from tradebot_ops.operations.attest import attest, list_
from tradebot_ops.records import Attestation, Attestations
from tradebot_ops.settings import load_settings


@pytest.fixture
def ops(tmp_path: Path) -> Ops:
    settings = load_settings({}, {"TRADEBOT_STATE": str(tmp_path)}, tmp_path)
    return Ops(settings, StubEngine("demo"), clock=lambda: datetime(2026, 11, 26, 12, tzinfo=UTC))


def test_the_latest_word_counts(ops: Ops) -> None:
    attest(ops, "team-trained", "jo")
    attest(ops, "docs-reviewed", "jo")
    attest(ops, "team-trained", " maria ", "with a drill")
    found = attestations.made(ops)
    assert found["team-trained"] == Attestation("team-trained", "maria", "2026-11-26T12:00:00+00:00", "with a drill")
    assert found["docs-reviewed"].by == "jo"
    assert len(ops.state.load(Attestations).attestations) == 2, "what counts no more is not kept"


@pytest.mark.parametrize(("name", "by", "code"), [("team", "maria", "TB-0231"), ("team-trained", " ", "TB-0232")])
def test_refused(ops: Ops, name: str, by: str, code: str) -> None:
    with pytest.raises(OpsError) as caught:
        attest(ops, name, by)
    assert caught.value.code == code
    assert attestations.made(ops) == {}


@pytest.mark.parametrize("at", ["yesterday", "2026-11-26T12:00:00", 7])
def test_a_record_whose_time_is_none_is_damaged(ops: Ops, at: object) -> None:
    ops.state.write_json("attestations.json", {"attestations": [{"name": "team-trained", "by": "jo", "at": at}]})
    with pytest.raises(OpsError) as caught:
        attestations.made(ops)
    assert caught.value.code == "TB-0801"


def test_screens(ops: Ops, snapshot: SnapshotAssertion) -> None:
    seen = [whole(attest(ops, "team-trained", " maria ", " with a drill "))]
    later = Ops(ops.settings, ops.engine, clock=lambda: datetime(2026, 11, 29, 12, tzinfo=UTC))
    seen.append(whole(list_(later)))
    assert "\n\n".join(seen) == snapshot


def test_refusals_and_the_words_in_the_audit_log(ops: Ops, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(OpsError) as caught:
        attest(ops, "team", "maria")
    names = ", ".join(attestations.KNOWN)
    assert refusal(caught.value) == ("TB-0231", "There is nothing called 'team' to attest.", f"Use one of: {names}.")
    with pytest.raises(OpsError) as caught:
        attest(ops, "team-trained", " ")
    assert refusal(caught.value) == ("TB-0232", "Nobody attests this.", "tradebot attest team-trained --by maria")
    (change,) = made(monkeypatch, lambda _: attest(ops, "team-trained", "jo"))
    assert (change.words, change.leased) == (("attest", "team-trained"), True)
