"""In which order the writes of an effect, the look at the lease and the note come; Postgres stands in."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import pytest

from services.common.jobtypes import LeaseLost
from services.worker.effect import DONE, FENCE, NOTE, once


class Connection:
    """Postgres, which has a row for each of these statements, and writes down what it was asked in which order."""

    def __init__(self, *found: str) -> None:
        self.found = found
        self.asked: list[Any] = []
        self._last = ""

    @contextmanager
    def transaction(self) -> Iterator[None]:
        self.asked.append("begin")
        try:
            yield
        except BaseException:
            self.asked.append("rollback")
            raise
        self.asked.append("commit")

    def execute(self, statement: str, params: tuple[Any, ...]) -> "Connection":
        self.asked.append((statement, params))
        self._last = statement
        return self

    def fetchone(self) -> tuple[()] | None:
        return () if self._last in self.found else None


def happen(connection: Connection) -> bool:
    with once(cast("Any", connection), "job", 7, "order") as given:
        if given is not None:
            connection.asked.append("writes")
        return given is cast("Any", connection)


def test_an_effect_and_its_note_are_one_transaction_at_whose_end_the_job_is_still_ours() -> None:
    connection = Connection(FENCE)
    assert happen(connection)
    assert connection.asked == [
        (DONE, ("job", "order")), "begin", "writes", (FENCE, ("job", 7)), (NOTE, ("job", "order")), "commit",
    ]  # fmt: skip


def test_what_an_earlier_run_has_done_is_not_done_again() -> None:
    connection = Connection(DONE, FENCE)
    assert not happen(connection)
    assert connection.asked == [(DONE, ("job", "order"))]


def test_the_writes_of_a_worker_that_lost_the_job_are_undone() -> None:
    connection = Connection()
    with pytest.raises(LeaseLost):
        happen(connection)
    assert connection.asked[-2:] == [(FENCE, ("job", 7)), "rollback"]
