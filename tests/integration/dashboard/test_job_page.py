"""The page of a job in a real browser: a backtest's pictures and figures, what failed, what runs, and what is not."""

import threading
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from typing import Any
from uuid import UUID

import pytest

from services.common.ledger import Ledger, State
from services.common.ledger.model import Job
from services.jobs import backtest, sweep
from tests.integration.dashboard.browser import Page
from tests.integration.dashboard.conftest import Server
from tests.integration.dashboard.test_page import BANNER, PAINTED, WIDER, log_in
from tests.services.jobs.fakes import FileContext

pytestmark = pytest.mark.integration

AT = datetime(2026, 11, 28, 9, 0, tzinfo=UTC)
ID = UUID(int=1)
PAYLOAD = {"symbol": "AAPL", "strategy": "sma_cross", "fast": 50, "slow": 200}
STATUS = "document.querySelector('#updated').textContent"
HEADINGS = "[...document.querySelectorAll('.panel h2')].map((one) => one.textContent)"


@cache
def result() -> dict[str, Any]:
    found: dict[str, Any] = backtest.JOB.run(FileContext(), backtest.JOB.validate(PAYLOAD))
    return found


def job(**changes: Any) -> Job:
    fields: dict[str, Any] = dict.fromkeys(Job.__dataclass_fields__) | {
        "id": ID, "type": "backtest", "version": 1, "payload": PAYLOAD, "state": State.SUCCEEDED, "attempt": 1,
        "max_attempts": 3, "deferrals": 0, "kills": 0, "replays": 0, "submitted_at": AT, "progress": 1.0, "note": "",
        "trace_id": "t", "result": result(),
    }  # fmt: skip
    return Job(**fields | changes)


class Shelf:
    """What the ledger has."""

    def __init__(self) -> None:
        self.job: Job | None = job()
        self.answers = threading.Event()
        self.answers.set()

    def get(self, job_id: UUID) -> Job | None:
        self.answers.wait(30)
        return self.job if job_id == ID else None


@pytest.fixture
def shelf(monkeypatch: pytest.MonkeyPatch) -> Shelf:
    made = Shelf()
    monkeypatch.setattr(Ledger, "get", lambda _self, job_id: made.get(job_id))
    monkeypatch.setattr(Ledger, "events", lambda _self, _job_id: [])
    monkeypatch.setattr(
        Ledger, "list_jobs", lambda _self, *_, **__: ([made.job and replace(made.job, result=None)], None)
    )
    return made


def test_the_dashboard_leads_to_a_backtest_with_its_pictures(page: Page, api: Server, shelf: Shelf) -> None:
    page.look(1600)
    log_in(page, api)
    page.until("document.querySelector('#jobs summary') !== null")
    page.evaluate("document.querySelector('#jobs summary').click()")
    page.until("document.querySelector('#jobs a')?.textContent === 'backtest AAPL sma_cross'")
    page.evaluate("document.querySelector('#jobs a').click()")
    page.until(f"{STATUS} === 'succeeded'")
    assert page.evaluate(HEADINGS) == ["Equity", "Drawdown", "Figures", "Parameters"]
    assert page.evaluate("document.querySelector('h1').textContent") == "backtest AAPL sma_cross"
    for width, scheme in ((1600, "light"), (1600, "dark"), (390, "light"), (390, "dark")):
        page.look(width, 844, scheme)
        page.until(f"{PAINTED} === 2")
        assert not page.evaluate(WIDER)
    assert "sharpe" in page.evaluate("document.querySelector('.figures').innerText")
    assert page.console == []
    assert {url for url in page.requests if not url.startswith((api.url, "about:"))} == set()


def test_one_that_runs_is_asked_for_again_and_one_that_failed_says_why(page: Page, api: Server, shelf: Shelf) -> None:
    shelf.job = job(state=State.RUNNING, result=None, progress=0.4, note="<b>half</b>")
    log_in(page, api)
    page.until("document.querySelector('#jobs') !== null")
    page.open(f"{api.url}/dashboard/jobs/{ID}")
    page.until(f"{STATUS} === 'running, 40 % <b>half</b>'")
    assert page.evaluate(HEADINGS) == ["Parameters"]
    shelf.job = job(state=State.DEAD, result=None, error_type="JobFailure", message="There are no candles for AAPL.")
    page.until(f"{STATUS} === 'dead'")
    assert page.evaluate(BANNER) == "There are no candles for AAPL."


def test_what_is_not_there_is_said_and_nobody_gets_in_without_a_login(page: Page, api: Server, shelf: Shelf) -> None:
    page.open(f"{api.url}/dashboard/jobs/{ID}")
    page.until("document.querySelector('#password') !== null")
    log_in(page, api)
    page.until("document.querySelector('#jobs') !== null")
    page.open(f"{api.url}/dashboard/jobs/{UUID(int=2)}")
    page.until(f"{BANNER} === 'There is no job {UUID(int=2)}.'")
    assert page.evaluate(STATUS) == "not known"


def test_an_api_that_hangs_or_goes_is_said_until_it_answers(page: Page, api: Server, shelf: Shelf) -> None:
    log_in(page, api)
    page.until("document.querySelector('#jobs') !== null")
    shelf.answers.clear()
    page.open(f"{api.url}/dashboard/jobs/{ID}")
    try:
        page.until(f"{BANNER} === 'The API did not answer within 12 s.'", 40)
        assert page.evaluate(STATUS) == "not known"
    finally:
        shelf.answers.set()
    shelf.job = job(state=State.RUNNING, result=None, progress=0.4, note="half")
    page.until(f"{STATUS} === 'running, 40 % half'")
    api.stop()
    page.until(f"{BANNER} === 'The API cannot be reached.'")
    api.start()
    page.until(f"{BANNER} === ''")


def test_a_sweep_over_several_symbols_has_its_best_runs_and_each_symbol(page: Page, api: Server, shelf: Shelf) -> None:
    asked = {"symbol": ["FB", "AAPL"], "strategy": "sma_cross", "fast": [2, 4], "slow": [10, 20, 30]}
    found = sweep.JOB.run(FileContext(), sweep.JOB.validate(asked))
    shelf.job = job(type="sweep", version=2, payload=asked, result=found)
    page.look(1600)
    log_in(page, api)
    page.until("document.querySelector('#jobs summary') !== null")
    page.evaluate("document.querySelector('#jobs summary').click()")
    page.until("document.querySelector('#jobs a')?.textContent === 'sweep FB, AAPL sma_cross'")
    page.evaluate("document.querySelector('#jobs a').click()")
    page.until(f"{STATUS} === 'succeeded'")
    assert page.evaluate(HEADINGS) == ["Best runs", "The best run by symbol", "Figures", "Parameters"]
    lines = "[...document.querySelectorAll('.wide')].map((one) => one.querySelectorAll('tbody tr').length)"
    assert page.evaluate(lines) == [6, 2]
    shown = page.evaluate("document.querySelectorAll('.wide')[1].innerText")
    sharpe = found["best"][0]["symbols"][1]["metrics"]["sharpe"]
    assert "AAPL" in shown
    assert f"{sharpe:.4g}" in shown
    for width, scheme in ((1600, "light"), (390, "dark")):
        page.look(width, 844, scheme)
        assert not page.evaluate(WIDER)
    assert page.console == []
