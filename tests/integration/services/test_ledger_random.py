"""Random events drive the ledger on a real Postgres: what is promised of a job holds after each of them."""

from functools import partial
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, Verbosity
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from services.common.database import Database
from services.common.ledger import KILL_LIMIT, Claim, DeadLetters, Failure, Fault, Ledger, Queues, Renewal, State
from services.common.settings import Settings

pytestmark = pytest.mark.integration

MAX_ATTEMPTS = 3
LEASE_S = 3600.0
failures = st.builds(
    Failure,
    st.just("ValueError"),
    st.just("bad"),
    fingerprint=st.just("f"),
    fault=st.sampled_from(Fault),
    killed=st.booleans(),
)


class Jobs(RuleBasedStateMachine):
    """``holder`` is what we believe: the one claim of each job that may still write."""

    jobs = Bundle("jobs")
    claims = Bundle("claims")

    def __init__(self, database: Database) -> None:
        super().__init__()
        self.database, self.ledger, self.dead_letters = database, Ledger(database), DeadLetters(database)
        # Of its own: what earlier machines left running counts against a limit.
        self.type = f"canary-{uuid4()}"
        self.queues, self.paused = Queues(database), False
        self.limit: int | None = None
        self.holder: dict[UUID, Claim | None] = {}
        self.tokens: dict[UUID, int] = {}
        self.successes: dict[UUID, int] = {}

    @rule(target=jobs)
    def submit(self) -> UUID:
        job = self.ledger.submit(self.type, {}, max_attempts=MAX_ATTEMPTS).job
        self.holder[job.id], self.tokens[job.id], self.successes[job.id] = None, 0, 0
        return job.id

    @rule(target=claims, job=jobs, worker=st.sampled_from(["w1", "w2", "w3"]))
    def deliver(self, job: UUID, worker: str) -> Claim | None:
        """Also an id that is delivered twice, or long after the job has ended."""
        before = self._state(job)
        claim = self.ledger.claim(job, worker, LEASE_S)
        if not isinstance(claim, Claim):
            if claim is not None:
                self.holder[job] = None
            return None
        assert not before.final, "what is over does not start again"
        assert not self.paused, "none of a paused type starts"
        assert claim.lease_token > self.tokens[job], "the token grows"
        self.holder[job], self.tokens[job] = claim, claim.lease_token
        assert self.limit is None or self._living() <= self.limit, "no more than the limit run"
        return claim

    @rule(paused=st.booleans())
    def pause_or_resume(self, paused: bool) -> None:
        self.queues.set(self.type, paused=paused, by="test")
        self.paused = paused

    @rule(limit=st.sampled_from([None, 1, 2]))
    def limit_what_runs(self, limit: int | None) -> None:
        self.queues.set(self.type, max_running=limit, limited=True, by="test")
        self.limit = limit

    @rule(job=jobs)
    def lose_the_worker(self, job: UUID) -> None:
        query = "UPDATE job SET lease_until = now() - interval '1 second' WHERE id = %(id)s AND state = 'running'"
        self.database.execute(query, {"id": job})

    @rule(job=jobs)
    def wait_for_the_retry(self, job: UUID) -> None:
        self.database.execute("UPDATE job SET retry_at = now() WHERE id = %(id)s AND state = 'retrying'", {"id": job})

    @rule(claim=claims)
    def finish(self, claim: Claim | None) -> None:
        if claim is not None and self._ends(claim, self.ledger.finish(claim, {})):
            self.successes[claim.id] += 1

    @rule(claim=claims, failure=failures, again=st.booleans())
    def fail(self, claim: Claim | None, failure: Failure, again: bool) -> None:
        if claim is None:
            return
        if failure.fault is Fault.STACK:
            self._ends(claim, self.ledger.defer(claim, failure, 60.0) is not None)
        else:
            self._ends(claim, self.ledger.fail(claim, failure, retry_in_s=60.0 if again else None) is not None)

    @rule(claim=claims)
    def hand_back(self, claim: Claim | None) -> None:
        if claim is not None:
            self._ends(claim, self.ledger.release(claim, "shut down"))

    @rule(claim=claims)
    def stop(self, claim: Claim | None) -> None:
        if claim is not None:
            self._ends(claim, self.ledger.cancelled(claim))

    @rule(claim=claims)
    def renew(self, claim: Claim | None) -> None:
        if claim is not None:
            lost = self.ledger.renew(claim, LEASE_S) is Renewal.LOST
            assert lost == (self.holder[claim.id] != claim)

    @rule(job=jobs)
    def ask_to_cancel(self, job: UUID) -> None:
        before = self._state(job)
        assert (self.ledger.request_cancel(job) is None) == before.final

    @rule(job=jobs, again=st.booleans())
    def replay(self, job: UUID, again: bool) -> None:
        before = self._state(job)
        if self.dead_letters.replay(job, again=again) is not None:
            assert before is State.DEAD

    @invariant()
    def promises_hold(self) -> None:
        for job_id, holder in self.holder.items():
            job = self.ledger.get(job_id)
            assert job is not None, "no job is lost"
            events = [event.state for event in self.ledger.events(job_id)]
            assert events[-1] is job.state, "each move has its event"
            assert events.count(State.SUCCEEDED) == self.successes[job_id] <= 1, "none is finished twice"
            assert (job.state is State.RUNNING) == (holder is not None), (
                "whoever runs, holds the lease, and nobody else"
            )
            assert 0 <= job.attempt <= MAX_ATTEMPTS
            assert job.kills < KILL_LIMIT or job.state.final, "poison does not run on"
            assert (job.finished_at is not None) == job.state.final
            assert (job.retry_at is not None) == (job.state is State.RETRYING)
            if job.state is State.DEAD:
                assert job.fault == Fault.JOB, "none is dead for what the stack did"

    def _living(self) -> int:
        """Jobs that run on a worker that lives."""
        query = "SELECT count(*) AS jobs FROM job WHERE type = %(type)s AND state = 'running' AND lease_until >= now()"
        row = self.database.row(query, {"type": self.type})
        assert row
        return int(row["jobs"])

    def _state(self, job_id: UUID) -> State:
        job = self.ledger.get(job_id)
        assert job is not None
        return job.state

    def _ends(self, claim: Claim, taken: bool) -> bool:
        """An outcome counts when, and only when, it comes from the holder."""
        assert taken == (self.holder[claim.id] == claim)
        if taken:
            self.holder[claim.id] = None
        return taken


def test_promises_hold_whatever_happens_in_whatever_order(settings: Settings) -> None:
    database = Database(settings, "ledger-random")
    database.open()
    try:
        run_state_machine_as_test(
            partial(Jobs, database),  # type: ignore[arg-type]
            settings=hypothesis_settings(
                max_examples=20,
                stateful_step_count=30,
                deadline=None,
                derandomize=True,
                database=None,
                verbosity=Verbosity.quiet,
                suppress_health_check=list(HealthCheck),
            ),
        )
    finally:
        database.close()
