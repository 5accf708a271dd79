"""When a lease is renewed, and what becomes of the ledger's answer. tests/integration/worker/test_hangs.py has the
thread and a database that hangs."""

from types import SimpleNamespace
from typing import Any, cast

import psycopg
import pytest
from structlog.testing import capture_logs

from services.common.database import DatabaseUnavailable
from services.common.ledger import Renewal
from services.worker import lease_renewer
from services.worker.lease_renewer import RENEW_S, TICK_S, Held, LeaseRenewer
from services.worker.outcome import Stop

ONE, TWO = cast("Any", SimpleNamespace(id="one")), cast("Any", SimpleNamespace(id="two"))


class Parts:
    """A ledger that answers as it was told, and a clock that goes on by ``TICK_S`` with each round."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, lease_s: float = 15.0) -> None:
        self.now = 100.0
        self.calls: list[tuple[Any, ...]] = []
        self.answer: Renewal | Exception = Renewal.HELD
        self.progress_answer = Renewal.HELD
        self.renewer = LeaseRenewer(cast("Any", self), lease_s)
        monkeypatch.setattr(lease_renewer, "time", SimpleNamespace(monotonic=lambda: self.now))

    def held(self, claim: Any = ONE) -> Held:
        held = Held(claim, renewed_at=self.now)
        vars(self.renewer)["_held"][id(held)] = held
        return held

    def rounds(self, count: int) -> list[tuple[Any, ...]]:
        """The calls of so many rounds of the thread."""
        self.calls.clear()
        waits: list[float] = []

        def wait(seconds: float) -> bool:
            waits.append(seconds)
            self.now += seconds
            return len(waits) > count

        vars(self.renewer)["_closing"] = SimpleNamespace(wait=wait)
        self.renewer._loop()
        assert set(waits) == {TICK_S}
        return list(self.calls)

    def renew(self, claim: Any, lease_s: float) -> Renewal:
        self.calls.append(("renew", claim.id, lease_s, self.now))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def progress(self, claim: Any, fraction: float, note: str) -> Renewal:
        self.calls.append(("progress", claim.id, fraction, note))
        return self.progress_answer


@pytest.fixture
def parts(monkeypatch: pytest.MonkeyPatch) -> Parts:
    return Parts(monkeypatch)


def test_a_lease_is_renewed_every_two_seconds(parts: Parts) -> None:
    parts.held()
    assert RENEW_S == 2.0
    assert parts.rounds(8) == [("renew", "one", 15.0, 102.0), ("renew", "one", 15.0, 104.0)]


def test_a_short_lease_is_renewed_four_times_in_its_life(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = Parts(monkeypatch, lease_s=4.0)
    parts.held()
    assert [at for _, _, _, at in parts.rounds(4)] == [101.0, 102.0]


def test_progress_is_passed_on_once(parts: Parts) -> None:
    parts.held().report(0.5, "half")
    assert parts.rounds(3) == [("progress", "one", 0.5, "half")]


@pytest.mark.parametrize("by", ["answer", "progress_answer"])
@pytest.mark.parametrize(
    ("answer", "stop"), [(Renewal.HELD, None), (Renewal.CANCEL, Stop.CANCEL), (Renewal.LOST, Stop.LOST)]
)
def test_what_the_ledger_answers_reaches_the_attempt(parts: Parts, by: str, answer: Renewal, stop: Stop | None) -> None:
    held = parts.held()
    if by == "progress_answer":
        held.report(0.5, "half")
    setattr(parts, by, answer)
    parts.rounds(1 if by == "progress_answer" else 4)
    assert held.stop_request.stop is stop


@pytest.mark.parametrize(("answer", "stop"), [(Renewal.CANCEL, Stop.SHUTDOWN), (Renewal.LOST, Stop.LOST)])
def test_a_lost_lease_outranks_an_earlier_order_and_a_cancellation_does_not(
    parts: Parts, answer: Renewal, stop: Stop
) -> None:
    held = parts.held()
    parts.renewer.stop_all(Stop.SHUTDOWN)
    parts.answer = answer
    parts.rounds(4)
    assert held.stop_request.stop is stop


def test_an_order_to_all_leaves_what_was_ordered_before(parts: Parts) -> None:
    one, two = parts.held(), parts.held(TWO)
    one.stop_request.stop = Stop.CANCEL
    parts.renewer.stop_all(Stop.SHUTDOWN)
    assert [each.stop_request.stop for each in (one, two)] == [Stop.CANCEL, Stop.SHUTDOWN]


@pytest.mark.parametrize("error", [DatabaseUnavailable("away"), psycopg.Error("broken")])
def test_what_fails_for_one_is_tried_again_and_holds_up_no_other(parts: Parts, error: Exception) -> None:
    parts.held(), parts.held(TWO)
    parts.answer = error
    with capture_logs() as logs:
        # From the second second on, each round tries again.
        assert [job for _, job, *_ in parts.rounds(6)] == ["one", "two"] * 3
    said = {"event": "lease not renewed", "log_level": "warning", "reason": str(error)}
    assert logs[:2] == [said | {"job_id": "one"}, said | {"job_id": "two"}]


def test_a_claim_is_held_until_its_block_is_left(parts: Parts) -> None:
    def attempt() -> None:
        with parts.renewer.keep(ONE) as held:
            assert parts.renewer.holds
            assert held.claim is ONE
            raise ValueError("its job")

    with pytest.raises(ValueError, match="its job"):
        attempt()
    assert not parts.renewer.holds


def test_its_thread_goes_on_until_it_is_closed_and_keeps_no_worker_alive(parts: Parts) -> None:
    thread = vars(parts.renewer)["_thread"]
    assert (thread.name, thread.daemon, parts.renewer.alive) == ("lease-renewer", True, False)
    parts.renewer.start()
    assert parts.renewer.alive
    parts.renewer.close()
    thread.join(30)
    assert not parts.renewer.alive
