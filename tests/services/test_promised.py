"""Numbers that the guide promises, beside the constants that keep them: neither changes without the other."""

import inspect
from functools import cache

import pytest

from services.api import job_streams
from services.api.dashboard import login, panels
from services.common.jobtypes import BACKOFF, BREAKER_POLICY
from services.common.ledger import Ledger
from services.common.ledger.model import KILL_LIMIT, SPARE_S
from services.common.ledger.schedules import LATE_S
from services.common.settings import Settings
from services.jobs.backtesting import periods
from services.jobs.backtesting.grid import Sweep, WalkForward
from services.jobs.exchange import client, download, patience
from services.jobs.market import rejects
from services.jobs.sweeping import parting
from services.worker import attempt, child, main, sweeper
from tests.paths import ROOT


@cache
def page(name: str) -> str:
    """A page of the guide as one line."""
    return " ".join((ROOT / "docs" / name).read_text(encoding="utf-8").split())


def usual(method: object, name: str) -> float:
    """The value of an argument that is not given."""
    found: float = inspect.signature(method).parameters[name].default  # type: ignore[arg-type]
    return found


JOBS = [
    # Between two attempts
    ("a job waits for any time up to 2 · 2^(n-1) seconds", BACKOFF.first_s, 2),
    ("2^(n-1) seconds, at most 5 minutes", BACKOFF.most_s, 300),
    ("for the stack at most a minute", attempt.STACK_BACKOFF.most_s, 60),
    ("worker or process were lost three times in all", KILL_LIMIT, 3),
    # Whose job it is
    ("A worker whose heartbeat was heard within five seconds lives", main.HEARD_S, 5),
    ("are not given to others until fifteen seconds after their leases have ended", SPARE_S, 15),
    ("After Postgres was silent for more than six seconds", sweeper.SILENCE_S, 6),
    ("workers that live get six more to renew", sweeper.RENEWAL_S, 6),
    # When its id is sent again
    ("a delayed job may be five seconds late", usual(Ledger.overdue, "grace_s"), 5),
    ("before it has sent an id | it is sent after a minute", 2 * usual(Ledger.overdue, "resend_s"), 60),
    ("within three seconds after a `resume`", sweeper.SWEEP_S, 3),
    ("After an outage the times of the last minute are made up for", LATE_S, 60),
    # Its end, and its parts
    ("or larger than 16 MB", child.LARGEST_RESULT, 16 * 1024**2),
    ("A sweep of more than about twenty seconds", parting.LEAST_S, 20),
    ("parts of up to ten seconds", parting.PART_S, 10),
    ("the first thousand of each", rejects.KEPT, 1000),
    ("chooses anew every 250 bars", WalkForward.model_fields["test_bars"].default, 250),
    ("by the 1000 before", WalkForward.model_fields["train_bars"].default, 1000),
    ("`top` (20)", Sweep.model_fields["top"].default, 20),
    ("`holdout` (0.3)", Sweep.model_fields["holdout"].default, 0.3),
    # Circuit breakers and exchanges
    ("After five failures in a row the breaker opens", BREAKER_POLICY.threshold, 5),
    ("After about half a minute one call of all is let through", BREAKER_POLICY.first_s, 30),
    ("twice as long, up to ten minutes", BREAKER_POLICY.most_s, 600),
    ("What may pass is asked again, for 40 seconds", patience.DEADLINE_S, 40),
    ("after three such failures in a row the circuit breaker", download.POLICY.threshold, 3),
    ("until the time in `Retry-After`, or for a minute", client.REFUSED_S, 60),
    ("four fifths of the exchange's limit", client.SHARE, 0.8),
    # Streams
    ("It asks the ledger twice a second", 1 / job_streams.LOOK_S, 2),
    ("200 streams are open at most", job_streams.MOST, 200),
]
OTHERS = [
    ("dashboard.md", "lasts 12 hours", login.SESSION_S, 12 * 3600),
    ("dashboard.md", "After five wrong passwords", login.TRIES, 5),
    ("dashboard.md", "wrong passwords within a minute", login.TRIES_WITHIN_S, 60),
    ("dashboard.md", "the last sample is more than a minute old", panels.STALE_S, 60),
    ("figures.md", "years of 365.25 days", periods.DAYS_OF_CALENDAR_YEAR, 365.25),
    ("figures.md", "daily 252", periods.SESSIONS, 252),
    ("figures.md", "or 365 where weekends are traded", periods.DAYS, 365),
]


@pytest.mark.parametrize(("said", "kept", "number"), JOBS)
def test_what_is_said_of_jobs_is_so(said: str, kept: float, number: float) -> None:
    assert said in page("jobs.md")
    assert kept == number


@pytest.mark.parametrize(("name", "said", "kept", "number"), OTHERS)
def test_what_is_said_elsewhere_is_so(name: str, said: str, kept: float, number: float) -> None:
    assert said in page(name)
    assert kept == number


def test_the_job_of_a_killed_worker_runs_within_twenty_seconds() -> None:
    """At worst its lease was renewed right before, and another one has just looked for jobs whose leases have ended."""
    assert "another one runs its job within twenty seconds" in page("jobs.md")
    lease_s: float = Settings.model_fields["worker_lease_seconds"].default
    assert lease_s + sweeper.SWEEP_S <= 20
    assert lease_s > main.HEARD_S, "it would be believed to live when its lease ends"
