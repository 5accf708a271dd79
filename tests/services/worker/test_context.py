"""What a job gets from its process: a connection that it may lose, and a line to its parent."""

import select
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from types import SimpleNamespace
from typing import Any, cast

import psycopg
import pytest
from psycopg.pq import TransactionStatus
from pydantic import SecretStr

from services.common.jobtypes import BREAKER_POLICY, BreakerPolicy, JobCancelled
from services.worker import context
from services.worker.context import LONGEST_NOTE, PROGRESS_EVERY_S, ChildContext, Store


class Connection:
    """One to Postgres: ``readable`` once that has something to say, which is that it is gone where it ``dies``."""

    def __init__(self) -> None:
        self.closed = self.readable = self.dies = False
        self.info = SimpleNamespace(transaction_status=TransactionStatus.IDLE)
        self.calls: list[str] = []
        self.fails = False

    def rollback(self) -> None:
        self.calls.append("rollback")
        if self.fails:
            self.closed = True
            raise psycopg.OperationalError("gone")

    def execute(self, text: str) -> None:
        self.calls.append(f"execute {text!r}")
        if self.dies:
            self.closed = True
            raise psycopg.OperationalError("gone")

    def close(self) -> None:
        self.calls.append("close")


class Server:
    """Postgres: takes ``passwords`` alone; ``asked`` are the DSNs it was asked with."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.dsns, self.takes = ["first"], {"first"}
        self.asked: list[str] = []
        self.made: list[Connection] = []
        monkeypatch.setattr(psycopg, "connect", self._connect)
        monkeypatch.setattr(select, "select", self._select)
        self.store = Store(cast("Any", SimpleNamespace(postgres_dsns=self._dsns)))

    def _dsns(self, application: str, *, statement_timeout_s: float, lock_timeout_s: float) -> list[SecretStr]:
        assert (application, statement_timeout_s, lock_timeout_s) == ("job", 0, 0)
        return [SecretStr(dsn) for dsn in self.dsns]

    def _connect(self, dsn: str, *, autocommit: bool) -> Connection:
        assert autocommit
        self.asked.append(dsn)
        if dsn not in self.takes:
            raise psycopg.OperationalError(f"{dsn} is wrong")
        self.made.append(Connection())
        return self.made[-1]

    def _select(self, read: list[Connection], *rest: Any) -> tuple[list[Connection], list[Any], list[Any]]:
        assert rest == ([], [], 0), "it must not wait"
        return [each for each in read if each.readable], [], []


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Server:
    return Server(monkeypatch)


def test_a_connection_is_opened_when_it_is_first_needed_and_kept(server: Server) -> None:
    assert server.made == []
    first: Any = server.store.get()
    server.store.tidy()
    server.store.discard_if_dead()
    assert (server.store.get(), server.asked) == (first, ["first"])
    assert (server.made[0].calls, server.store.lost) == ([], False)


@pytest.mark.parametrize(
    ("dsns", "takes", "asked"),
    [(["new", "old"], "new", ["new"]), (["new", "old"], "old", ["new", "old"]), (["new"], "new", ["new"])],
)
def test_while_the_password_is_being_changed_one_of_the_two_is_right(
    server: Server, dsns: list[str], takes: str, asked: list[str]
) -> None:
    server.dsns, server.takes = dsns, {takes}
    server.store.get()
    assert server.asked == asked


def test_a_connection_that_cannot_be_had_is_lost_until_the_job_is_over(server: Server) -> None:
    server.takes = set()
    with pytest.raises(psycopg.OperationalError, match="first is wrong"):
        server.store.get()
    assert server.store.lost
    server.store.tidy()
    assert not server.store.lost


def test_a_job_that_reconnects_lost_its_connection_all_the_same_and_the_next_one_did_not(server: Server) -> None:
    first: Any = server.store.get()
    first.closed = True
    assert server.store.lost
    assert server.store.get() is not first
    assert server.store.lost
    server.store.tidy()
    assert not server.store.lost


def test_a_connection_that_is_closed_when_a_job_begins_was_lost_by_nobody(server: Server) -> None:
    first: Any = server.store.get()
    first.closed = True
    server.store.discard_if_dead()
    assert not server.store.lost
    assert server.store.get() is not first
    assert (first.calls, server.store.lost) == ([], False)


@pytest.mark.parametrize(("dies", "kept"), [(True, False), (False, True)])
def test_a_connection_that_has_something_to_say_is_asked_whether_it_lives(
    server: Server, dies: bool, kept: bool
) -> None:
    first: Any = server.store.get()
    first.readable, first.dies = True, dies
    server.store.discard_if_dead()
    assert first.calls == ["execute ''"]
    assert (server.store.get() is first) is kept


@pytest.mark.parametrize(
    ("status", "fails", "calls", "kept"),
    [
        (TransactionStatus.IDLE, False, [], True),
        (TransactionStatus.INTRANS, False, ["rollback"], True),
        (TransactionStatus.INERROR, False, ["rollback"], True),
        (TransactionStatus.INTRANS, True, ["rollback"], False),
    ],
)
def test_no_open_transaction_is_left_to_the_next_job(
    server: Server, status: TransactionStatus, fails: bool, calls: list[str], kept: bool
) -> None:
    first: Any = server.store.get()
    first.info.transaction_status, first.fails = status, fails
    server.store.tidy()
    assert first.calls == calls
    assert (server.store.get() is first) is kept


def test_an_idle_process_has_no_connection(server: Server) -> None:
    server.store.close()
    server.store.tidy()
    first: Any = server.store.get()
    server.store.close()
    assert first.calls == ["close"]
    assert server.store.get() is not first
    assert not server.store.lost


# What a job asks of its context


class Job:
    """A context with the time, the parent and what lies outside of the stack; ``said`` is what the parent heard."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        self.said: list[dict[str, Any]] = []
        self.asked: list[tuple[Any, ...]] = []
        monkeypatch.setattr(time, "monotonic", lambda: self.now)
        self.store = SimpleNamespace(get=lambda: self)
        self.shared = SimpleNamespace(breakers=self, redis="redis", address="192.0.2.1")
        self.context = ChildContext(
            "id", 7, cast("Any", self.store), cast("Any", lambda: self.shared), self.said.append
        )

    def execute(self, query: str, params: list[str]) -> list[tuple[dict[str, Any]]]:
        assert (query, params) == (context.RESULTS, ["id"])
        return [({"part": 0},), ({"part": 1},)]

    @contextmanager
    def guard(self, *words: Any) -> Iterator[None]:
        self.asked.append(words)
        yield


@pytest.fixture
def job(monkeypatch: pytest.MonkeyPatch) -> Job:
    return Job(monkeypatch)


@pytest.mark.parametrize(
    ("fraction", "shown"),
    [(-1, 0.0), (0, 0.0), (0.25, 0.25), (1, 1.0), (1.5, 1.0), (7, 1.0), (float("nan"), 0.0), (float("inf"), 1.0)],
)
def test_progress_is_always_a_fraction(job: Job, fraction: float, shown: float) -> None:
    job.context.progress(fraction, "n" * (LONGEST_NOTE + 1))
    assert job.said == [{"kind": "progress", "fraction": shown, "note": "n" * LONGEST_NOTE}]


def test_progress_needs_no_note(job: Job) -> None:
    job.context.progress(0.5)
    assert job.said == [{"kind": "progress", "fraction": 0.5, "note": ""}]


def test_more_than_ten_words_of_progress_a_second_are_dropped(job: Job) -> None:
    for fraction, passes_s in ((0.1, 0.0), (0.2, 0.0625), (0.3, 0.03125), (0.4, 0.03125), (0.5, 0.0)):
        job.now += passes_s
        job.context.progress(fraction)
    assert [each["fraction"] for each in job.said] == [0.1, 0.4]
    assert 0.0625 + 0.03125 < PROGRESS_EVERY_S < 0.125


@pytest.mark.parametrize("call", [lambda ctx: ctx.progress(0.5), lambda ctx: ctx.check_cancelled()])
def test_a_cancelled_job_ends_where_it_reports(job: Job, call: Callable[[ChildContext], None]) -> None:
    call(job.context)
    job.context.cancelled = True
    job.said.clear()
    with pytest.raises(JobCancelled):
        call(job.context)
    assert job.said == []


def test_results_of_the_parts_come_in_their_order(job: Job) -> None:
    assert job.context.results() == [{"part": 0}, {"part": 1}]
    assert job.context.job_id == "id"
    assert job.context.store is cast("Any", job)


def test_an_effect_is_this_jobs_and_this_claims(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(context, "once", lambda *words: words)
    found: Any = job.context.effect("order")
    assert found == (job, "id", 7, "order")


def test_a_breaker_has_the_policy_of_all_unless_it_gets_its_own(job: Job) -> None:
    own = BreakerPolicy(threshold=1)
    with job.context.breaker("exchange"), job.context.breaker("other", (KeyError,), own):
        pass
    assert job.asked == [("exchange", (Exception,), BREAKER_POLICY), ("other", (KeyError,), own)]


def test_a_budget_is_that_of_the_address_behind_which_all_workers_are(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.jobs.exchange.budget.Budget", lambda *words: words)
    found: Any = job.context.budget("exchange", 100, 60)
    assert found == ("redis", "exchange", "192.0.2.1", 100, 60)


def test_candles_are_read_on_the_jobs_own_connection(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.jobs.market.store.read", lambda *words: words)
    first, last = date(2026, 1, 1), date(2026, 1, 2)
    found: list[Any] = [job.context.candles("AAPL"), job.context.candles("AAPL", first, last, "1h")]
    assert found == [(job, "AAPL", None, None, "1d"), (job, "AAPL", first, last, "1h")]
