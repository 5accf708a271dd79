"""What becomes of a delivered id, decided from what the ledger answers and how the job's process ended.

Ledger, transport, job process and time stand in here; tests/integration/worker has them all for real.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID, uuid4

import psycopg
import pytest
from structlog.testing import capture_logs

from services.common.backoff import Backoff
from services.common.database import DatabaseUnavailable
from services.common.jobtypes import FAILS_ON_PURPOSE
from services.common.ledger import Abandoned, Claim, Failure, Fault, State, UnstorableValue
from services.common.transport import TransportUnavailable
from services.worker import attempt
from services.worker.attempt import CLOSING_PATIENCE_S, MOST_RETRY_S, RETRY_S, UNKNOWN_TYPE_TIMEOUT_S, Attempts
from services.worker.lease_renewer import Held
from services.worker.outcome import Failed, Outcome, Parted, Stop, Stopped, Succeeded
from services.worker.process import ChildDied

MEMORY = 1000
CLAIM = Claim(uuid4(), "known", 1, {}, 2, 3, 4, 0, 7, "worker-1", "trace", datetime.now(UTC))
DONE = Succeeded({"x": 1}, 50)
AWAY = DatabaseUnavailable("Postgres does not answer")
BROKEN = Failure("ValueError", "no", fingerprint="f")


class Parts:
    """Everything around the attempts: what is called is written down in order, answers are set beforehand.

    Its time passes only where somebody waits.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls: list[tuple[Any, ...]] = []
        self.claims: list[Any] = [CLAIM]
        self.answers: dict[str, Any] = {"finish": True, "cancelled": True, "release": True}
        self.outcome: Outcome | Exception = DONE
        self.struck, self.alive, self.rss = False, True, 0
        self.held: list[Held] = []
        self.waits: list[float] = []
        self.now = 1000.0
        self.ends_after = 10**9
        self.sends = True
        self.watched: list[tuple[Any, ...]] = []
        me = cast("Any", self)
        self.parted = SimpleNamespace(split=self._ledger("split"), settle=self._ledger("settle"))
        for name in ("finish", "fail", "defer", "release", "cancelled"):
            setattr(self, name, self._ledger(name))
        for name in ("job_started", "job_ended", "job_abandoned", "job_recorded", "error"):
            setattr(self, name, self._noted(name))
        self.attempts = Attempts(
            "queue", me, me, me, me, me, worker="worker-1", memory_limit=MEMORY,
            alive=lambda: self.calls.append(("alive",)), make_room=lambda: self.calls.append(("make_room",)),
        )  # fmt: skip
        self.closed = False
        vars(self.attempts)["_closing"] = SimpleNamespace(is_set=lambda: self.closed, wait=self._wait, set=self._set)
        time = SimpleNamespace(monotonic=lambda: self.now, time=lambda: self.now, sleep=self._wait)
        monkeypatch.setattr(attempt, "time", time)
        monkeypatch.setattr(attempt, "Watch", self._watch)
        known = SimpleNamespace(timeout_s=9.0, backoff=Backoff(5.0, 100.0, jitter=False))
        monkeypatch.setattr(attempt, "registry", lambda: SimpleNamespace(get={"known": known}.get))
        monkeypatch.setattr(attempt, "STACK_BACKOFF", replace(attempt.STACK_BACKOFF, jitter=False))

    def run(self) -> list[tuple[Any, ...]]:
        """The calls of one delivery."""
        self.attempts.run(CLAIM.id, lambda: self.calls.append(("free",)))
        return [call for call in self.calls if call != ("alive",)]

    def called(self, *names: str) -> list[tuple[Any, ...]]:
        return [call for call in self.run() if call[0] in names]

    def _set(self) -> None:
        self.closed = True

    def _wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds
        self.closed = self.closed or len(self.waits) >= self.ends_after

    def _noted(self, name: str) -> Any:
        return lambda *words: self.calls.append((name, *words))

    def _ledger(self, name: str) -> Any:
        def called(*words: Any, **more: Any) -> Any:
            self.calls.append((name, *words, *more.values()))
            answer = self.answers.get(name)
            if isinstance(answer, list):
                answer = answer.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer

        return called

    # The lease renewer, the warm process, the ledger's claim and the transport.
    lease_s = 15.0
    pid = 1

    @contextmanager
    def keep(self, claim: Claim) -> Iterator[Held]:
        self.held.append(Held(claim))
        self.calls.append(("kept",))
        yield self.held[-1]
        self.calls.append(("let go",))

    def wait_ready(self) -> None:
        self.calls.append(("ready",))

    def claim(self, job_id: UUID, worker: str, lease_s: float) -> Any:
        assert (job_id, worker, lease_s) == (CLAIM.id, "worker-1", self.lease_s)
        self.calls.append(("claim",))
        answer = self.claims.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def get(self) -> Any:
        if isinstance(self.outcome, Exception):
            raise self.outcome
        self.process = SimpleNamespace(alive=self.alive, rss=lambda: self.rss)
        return self.process

    def give_back(self, process: object, *, used_up: bool) -> None:
        assert process is self.process
        self.calls.append(("give_back", used_up))

    def _watch(self, process: object, *words: Any) -> Any:
        assert process is self.process
        self.watched.append(words)
        return SimpleNamespace(run=self._outcome, struck=self.struck)

    def _outcome(self) -> Outcome:
        running = self.attempts.running
        assert running is not None, "it runs, and nobody could see it"
        assert (running.id, running.type, running.since) == (str(CLAIM.id), self.held[-1].claim.type, self.now)
        assert isinstance(self.outcome, Succeeded | Parted | Failed | Stopped)
        return self.outcome

    def send(self, job_id: UUID, queue: str, *, delay_s: float, ahead: bool) -> None:
        self.calls.append(("send", job_id, queue, delay_s, ahead))
        if not self.sends:
            raise TransportUnavailable("Redis does not answer")


@pytest.fixture
def parts(monkeypatch: pytest.MonkeyPatch) -> Parts:
    return Parts(monkeypatch)


def test_an_attempt_from_its_claim_to_its_record(parts: Parts) -> None:
    assert [call[0] for call in parts.run()] == [
        "ready", "claim", "kept", "job_started", "give_back", "job_ended", "free", "finish", "job_recorded",
        "let go", "free",
    ]  # fmt: skip
    assert ("job_started", "known") in parts.calls
    assert ("job_ended", "known") in parts.calls
    assert parts.attempts.running is None
    ((claim, limits, stop_request, report, alive),) = parts.watched
    (held,) = parts.held
    assert (claim, stop_request, report) == (CLAIM, held.stop_request, held.report)
    assert (limits.seconds, limits.memory_bytes) == (9.0, MEMORY)
    assert held.stop_request.stop is None
    alive()
    assert parts.calls[-1] == ("alive",)


def test_a_type_that_this_version_does_not_know_has_a_limit_all_the_same(parts: Parts) -> None:
    parts.claims = [replace(CLAIM, type="unknown")]
    parts.run()
    ((_, limits, *_),) = parts.watched
    assert limits.seconds == UNKNOWN_TYPE_TIMEOUT_S


def test_a_duplicate_delivery_is_left_alone(parts: Parts) -> None:
    parts.claims = [None]
    assert [call[0] for call in parts.run()] == ["ready", "claim", "free"]


def test_a_job_that_was_buried_by_the_claim_is_counted_and_not_run(parts: Parts) -> None:
    parts.claims = [Abandoned("known", State.DEAD)]
    with capture_logs() as logs:
        assert parts.run()[2:] == [("job_abandoned", "known", State.DEAD), ("free",)]
    said = {"event": "job's worker vanished", "log_level": "error", "job_type": "known", "status": "dead"}
    assert logs == [said | {"job_id": str(CLAIM.id)}]


@pytest.mark.parametrize("error", [AWAY, psycopg.Error("broken"), ChildDied("no process")])
def test_a_claim_is_tried_until_it_is_answered_ever_more_seldom(parts: Parts, error: Exception) -> None:
    parts.claims = [*[error] * 6, CLAIM]
    with capture_logs() as logs:
        parts.run()
    said = {"event": "cannot claim", "log_level": "warning", "job_id": str(CLAIM.id), "reason": str(error)}
    assert logs[:-1] == [said] * 6
    assert parts.waits == [RETRY_S, 1.0, 2.0, MOST_RETRY_S, MOST_RETRY_S, MOST_RETRY_S]
    assert parts.calls.count(("alive",)) == 7, "the worker counts as hung while it only waits"


def test_a_worker_that_ends_gives_the_id_to_another_ahead_of_those_that_wait(parts: Parts) -> None:
    parts.claims, parts.ends_after = [AWAY] * 9, 2
    assert parts.called("send", "free", "finish") == [("send", CLAIM.id, "queue", 0.0, True), ("free",)]
    assert parts.claims == [AWAY] * 7


def test_a_worker_that_ends_claims_nothing(parts: Parts) -> None:
    parts.attempts.close()
    assert parts.run() == [("send", CLAIM.id, "queue", 0.0, True), ("free",)]


def test_what_was_claimed_while_the_worker_ended_is_stopped_at_once(parts: Parts) -> None:
    parts.wait_ready = parts.attempts.close  # type: ignore[method-assign]
    parts.outcome = Stopped(Stop.SHUTDOWN, forced=False, peak_bytes=0)
    parts.run()
    assert [held.stop_request.stop for held in parts.held] == [Stop.SHUTDOWN]


@pytest.mark.parametrize(
    ("struck", "alive", "rss", "used_up"),
    [
        (False, True, MEMORY // 2, False),
        (False, True, MEMORY // 2 + 1, True),
        (True, True, 0, True),
        (False, False, 0, True),
    ],
)
def test_a_process_is_kept_unless_it_was_struck_died_or_grew(
    parts: Parts, struck: bool, alive: bool, rss: int, used_up: bool
) -> None:
    parts.struck, parts.alive, parts.rss = struck, alive, rss
    assert parts.called("give_back") == [("give_back", used_up)]


def test_without_a_process_the_stack_is_at_fault(parts: Parts) -> None:
    parts.outcome, parts.answers["defer"] = ChildDied("none to be had"), State.RETRYING
    (_, claim, failure, _, peak), *_ = parts.called("defer")
    assert (claim, failure.error_type, failure.fault, failure.message, peak) == (
        CLAIM, "NoJobProcess", Fault.STACK, "none to be had", 0,
    )  # fmt: skip
    assert failure.fingerprint == "NoJobProcess"
    assert parts.attempts.running is None
    assert ("job_ended", "known") in parts.calls


# Records


def test_a_result_is_recorded_with_the_memory_it_took(parts: Parts) -> None:
    assert parts.called("finish", "job_recorded", "send", "make_room") == [
        ("finish", CLAIM, {"x": 1}, 50),
        ("job_recorded", "known", State.SUCCEEDED, 0.0),
    ]


def test_a_result_that_nothing_can_hold_is_a_failure_for_good(parts: Parts) -> None:
    parts.answers |= {"finish": UnstorableValue("NaN"), "fail": State.DEAD}
    (_, claim, failure, peak), recorded = parts.called("fail", "job_recorded", "send")
    assert (claim, failure.error_type, failure.message, failure.fingerprint, failure.fault, peak) == (
        CLAIM, "UnstorableResult", "NaN", "UnstorableResult-known", Fault.JOB, 50,
    )  # fmt: skip
    assert recorded[:3] == ("job_recorded", "known", State.DEAD)


@pytest.mark.parametrize(
    ("outcome", "answer"),
    [
        (DONE, {"finish": False}),
        (Parted(3, 0), {"split": None}),
        (Failed(BROKEN, 0), {"fail": None}),
        (Failed(replace(BROKEN, fault=Fault.STACK), 0), {"defer": None}),
        (Stopped(Stop.CANCEL, forced=False, peak_bytes=0), {"cancelled": False}),
        (Stopped(Stop.SHUTDOWN, forced=False, peak_bytes=0), {"release": False}),
        (Stopped(Stop.LOST, forced=False, peak_bytes=0), {}),
    ],
)
def test_what_is_no_longer_ours_is_not_counted_and_sent_for_whoever_may_have_it(
    parts: Parts, outcome: Outcome, answer: dict[str, Any]
) -> None:
    parts.claims = [replace(CLAIM, parent=uuid4())]
    parts.outcome = outcome
    parts.answers |= answer
    with capture_logs() as logs:
        assert parts.called("job_recorded", "send", "settle") == [("send", CLAIM.id, "queue", 0.0, True)]
    assert [each["status"] for each in logs] == ["lost"]
    assert ("error", "ValueError") in parts.calls or not isinstance(outcome, Failed)


def test_parts_are_sent_once_the_ledger_has_them(parts: Parts) -> None:
    one, two = uuid4(), uuid4()
    parts.outcome, parts.answers["split"] = Parted(2, 60), (State.RUNNING, [one, two])
    assert parts.called("split", "send", "job_recorded") == [
        ("split", CLAIM, 2, 60),
        ("send", one, "queue", 0.0, False),
        ("send", two, "queue", 0.0, False),
        ("job_recorded", "known", State.RUNNING, 0.0),
    ]


@pytest.mark.parametrize(("forced", "note"), [(True, "did not end within 3 s of SIGTERM: killed"), (False, "SIGTERM")])
def test_a_cancelled_job_is_over(parts: Parts, forced: bool, note: str) -> None:
    parts.outcome = Stopped(Stop.CANCEL, forced=forced, peak_bytes=70)
    (_, claim, said, peak), recorded = parts.called("cancelled", "job_recorded", "send")
    assert (claim, peak) == (CLAIM, 70)
    assert note in said
    assert recorded == ("job_recorded", "known", State.CANCELLED, 0.0)


def test_the_job_of_a_worker_that_ends_goes_back_ahead_of_those_that_wait(parts: Parts) -> None:
    parts.outcome = Stopped(Stop.SHUTDOWN, forced=False, peak_bytes=0)
    assert parts.called("release", "send", "job_recorded") == [
        ("release", CLAIM, "worker-1 shut down"),
        ("send", CLAIM.id, "queue", 0.0, True),
        ("job_recorded", "known", State.QUEUED, 0.0),
    ]


# Failures


def failed(parts: Parts, failure: Failure, state: State, **claim: Any) -> list[tuple[Any, ...]]:
    given = replace(CLAIM, **claim)
    parts.claims, parts.outcome = [given], Failed(failure, 80)
    parts.answers |= {"fail": state, "defer": state}
    called = parts.called("fail", "defer", "send")
    assert [call[1] for call in called] == [CLAIM.id if call[0] == "send" else given for call in called]
    return [(call[0], *call[2:]) for call in called]


def test_a_job_that_fails_waits_the_longer_the_more_attempts_it_had(parts: Parts) -> None:
    assert failed(parts, BROKEN, State.RETRYING, attempt=3) == [
        ("fail", BROKEN, 20.0, 80),
        ("send", "queue", 20.0, False),
    ]


def test_a_job_that_would_fail_in_the_same_way_is_not_tried_again(parts: Parts) -> None:
    final = replace(BROKEN, final=True)
    assert failed(parts, final, State.DEAD) == [("fail", final, None, 80)]


def test_a_dead_job_is_not_sent(parts: Parts) -> None:
    assert failed(parts, BROKEN, State.DEAD, attempt=3) == [("fail", BROKEN, 20.0, 80)]


@pytest.mark.parametrize(("deferrals", "wait_s"), [(0, 2.0), (4, 32.0), (5, 60.0), (500, 60.0)])
def test_for_the_stack_a_job_waits_a_minute_at_most(parts: Parts, deferrals: int, wait_s: float) -> None:
    stack = replace(BROKEN, fault=Fault.STACK)
    assert failed(parts, stack, State.RETRYING, deferrals=deferrals) == [
        ("defer", stack, wait_s, 80),
        ("send", "queue", wait_s, False),
    ]


@pytest.mark.parametrize(
    ("killed", "wait_s", "ahead"), [(True, 0.0, True), (True, 4.0, False), (False, 0.0, False), (False, 4.0, False)]
)
def test_what_lost_its_process_goes_on_ahead_of_those_that_wait(
    parts: Parts, killed: bool, wait_s: float, ahead: bool
) -> None:
    stack = replace(BROKEN, fault=Fault.STACK, killed=killed, wait_s=wait_s)
    assert failed(parts, stack, State.RETRYING) == [("defer", stack, wait_s, 80), ("send", "queue", wait_s, ahead)]


def test_a_type_that_this_version_does_not_know_waits_as_for_the_stack(parts: Parts) -> None:
    assert failed(parts, BROKEN, State.RETRYING, type="unknown", attempt=2)[-1] == ("send", "queue", 4.0, False)


def test_what_cannot_be_sent_is_left_to_the_sweeper(parts: Parts) -> None:
    parts.sends = False
    with capture_logs() as logs:
        assert failed(parts, BROKEN, State.RETRYING)[-1][0] == "send"
    said = {"event": "not sent; the sweeper will", "log_level": "warning", "reason": "Redis does not answer"}
    assert logs[0] == said | {"job_id": str(CLAIM.id)}
    assert ("job_recorded", "known", State.RETRYING, 0.0) in parts.calls


@pytest.mark.parametrize(
    ("kind", "level", "counted"), [("known", "error", [("error", "ValueError")]), (FAILS_ON_PURPOSE, "info", [])]
)
def test_a_failure_is_an_error_unless_it_is_on_purpose(
    parts: Parts, kind: str, level: str, counted: list[tuple[str, str]]
) -> None:
    with capture_logs() as logs:
        failed(parts, BROKEN, State.DEAD, type=kind)
    assert [call for call in parts.calls if call[0] == "error"] == counted
    (line,) = logs
    shown = {"job_id": str(CLAIM.id), "job_type": kind, "attempt": 2, "status": "dead", "error_type": "ValueError"}
    shown |= {"reason": "no", "peak_memory_bytes": 80, "seconds": 0.0, "trace_id": "trace"}
    assert (line["log_level"], line["event"]) == (level, "job failed")
    assert line.items() >= shown.items()


# After the end of a part


@pytest.mark.parametrize(
    ("state", "sent"), [(State.QUEUED, True), (State.RUNNING, False), (State.DEAD, False), (None, False)]
)
def test_a_whole_whose_last_part_has_ended_is_sent_ahead(parts: Parts, state: State | None, sent: bool) -> None:
    whole = uuid4()
    parts.claims, parts.answers["settle"] = [replace(CLAIM, parent=whole)], state
    assert parts.called("settle", "send") == [
        ("settle", whole, "worker-1"),
        *([("send", whole, "queue", 0.0, True)] if sent else []),
    ]


@pytest.mark.parametrize("error", [AWAY, psycopg.Error("broken")])
def test_a_whole_that_cannot_be_settled_is_left_to_the_sweeper(parts: Parts, error: Exception) -> None:
    whole = uuid4()
    parts.claims, parts.answers["settle"] = [replace(CLAIM, parent=whole)], error
    with capture_logs() as logs:
        assert [call[0] for call in parts.called("settle", "send", "free")] == ["free", "settle", "free"]
    said = {"event": "end of a part not followed up yet", "log_level": "warning", "reason": str(error)}
    assert logs[-1] == said | {"job_id": str(whole)}


def test_a_part_that_is_not_over_settles_nothing(parts: Parts) -> None:
    parts.claims = [replace(CLAIM, parent=uuid4())]
    parts.outcome, parts.answers["fail"] = Failed(BROKEN, 0), State.RETRYING
    assert parts.called("settle") == []


@pytest.mark.parametrize(("limited", "calls"), [(True, [("make_room",)]), (False, [])])
def test_the_end_of_a_job_whose_type_has_a_limit_makes_room(
    parts: Parts, limited: bool, calls: list[tuple[str]]
) -> None:
    parts.claims = [replace(CLAIM, limited=limited)]
    assert parts.called("make_room") == calls


# Without Postgres


def test_an_outcome_is_recorded_as_soon_as_postgres_takes_it_and_the_process_is_free_meanwhile(parts: Parts) -> None:
    parts.answers["finish"] = [*[AWAY] * 5, True]
    with capture_logs() as logs:
        calls = [call[0] for call in parts.run()]
    said = {"event": "outcome not recorded yet", "log_level": "warning", "reason": str(AWAY)}
    assert logs[:5] == [said] * 5
    assert (logs[5]["event"], logs[5]["log_level"], logs[5]["status"]) == ("job done", "info", "succeeded")
    assert parts.waits == [RETRY_S, 1.0, 2.0, MOST_RETRY_S, MOST_RETRY_S]
    assert calls.index("free") < calls.index("finish")
    assert calls.index("let go") > calls.index("job_recorded"), "the lease ended before the outcome was recorded"
    assert ("job_recorded", "known", State.SUCCEEDED, 0.0) in parts.calls


def test_a_worker_that_ends_does_not_wait_for_postgres_for_ever(parts: Parts) -> None:
    parts.answers["finish"] = [AWAY] * 100
    parts.ends_after = 1
    assert parts.called("job_recorded") == []
    assert set(parts.waits) == {RETRY_S}
    # The first pause was made before it ended; its patience begins with that end.
    assert parts.now - 1000.0 == pytest.approx(RETRY_S + CLOSING_PATIENCE_S + RETRY_S)
