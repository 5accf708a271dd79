"""Runs are remembered, by their owner alone, within bounds, and a store that fails says so."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from tests.prodcheck.test_report import made
from tradebot_ops.errors import OpsError
from tradebot_ops.facts.project.last_check import FILE
from tradebot_ops.prodcheck import history
from tradebot_ops.prodcheck.history import Change, History, changes
from tradebot_ops.prodcheck.runner import State


def test_what_was_stored_is_found_again(tmp_path: Path) -> None:
    store = History(tmp_path / "state")
    assert store.last() is None
    assert store.runs(5) == []
    assert store.trend(5) == {}
    run = made(State.PASS, State.FAIL)
    store.add(run)
    last = store.last()
    assert last is not None
    assert (last.started, last.env, last.score, last.grade) == (run.started, "dev", 50, "F")
    assert last.states == {"AAA-01": "pass", "AAA-02": "fail"}
    assert last.messages["AAA-02"] == "fail was found."
    assert store.path.stat().st_mode & 0o777 == 0o600
    assert store.path.parent.stat().st_mode & 0o777 == 0o700


def test_changes_are_those_of_what_this_run_judged(tmp_path: Path) -> None:
    store = History(tmp_path)
    store.add(made(State.PASS, State.FAIL))
    last = store.last()
    assert last is not None
    assert changes(last, made(State.WARN, State.FAIL, State.PASS)) == (
        Change("AAA-01", "pass", "warn"),
        Change("AAA-03", "", "pass"),
    )
    assert changes(last, made(State.PASS)) == ()


def test_a_trend_shows_what_was_not_always_fine(tmp_path: Path) -> None:
    store = History(tmp_path)
    for states in ((State.PASS, State.PASS), (State.PASS, State.FAIL), (State.PASS, State.PASS, State.WARN)):
        store.add(made(*states))
    assert store.trend(3) == {"AAA-02": ["pass", "fail", "pass"], "AAA-03": ["", "", "warn"]}
    assert store.trend(1) == {"AAA-03": ["warn"]}


def test_the_oldest_are_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "KEPT", 3)
    store = History(tmp_path)
    for number in range(5):
        store.add(replace(made(State.PASS), seconds=float(number)))
    assert [past.seconds for past in store.runs(10)] == [4, 3, 2]
    with sqlite3.connect(store.path) as db:
        assert db.execute("SELECT count(*) FROM result").fetchone() == (3,)


def test_runs_that_end_together_are_all_kept(tmp_path: Path) -> None:
    store = History(tmp_path)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: store.add(made(State.PASS)), range(16)))
    assert len(store.runs(50)) == 16


def test_a_damaged_store_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"no database" * 100)
    store = History(tmp_path)
    for use in (store.last, lambda: store.add(made(State.PASS))):
        with pytest.raises(OpsError, match="earlier runs") as caught:
            use()
        assert caught.value.code == "TB-0808"
        assert "mv " in caught.value.hint
