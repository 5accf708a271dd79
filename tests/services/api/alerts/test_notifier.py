"""News of jobs that ended: one alert for each, sent until Alertmanager takes it."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from structlog.testing import capture_logs

from services.api.alerts.notifier import TOO_OLD_S, Alertmanager, AlertmanagerAway, Notifier, alert_of
from services.common.ledger import Ended
from services.common.settings import Settings

ENDED = datetime(2026, 11, 27, 12, tzinfo=UTC)
JOB = Ended(
    UUID("0198a1b2-7c3d-7e4f-8a5b-6c7d8e9f0a1b"), "sweep", "succeeded", None, ENDED, 61.4, age_s=1.0, wanted=True
)


@dataclass
class Wishes:
    """In place of the ledger; ``done`` are those that went."""

    found: list[Ended]
    done: list[Ended] = field(default_factory=list)

    @contextmanager
    def due(self) -> Iterator[Sequence[Ended]]:
        yield self.found
        self.done += self.found


@dataclass
class Taker:
    away: bool = False
    taken: list[dict[str, Any]] = field(default_factory=list)

    def post(self, alerts: list[dict[str, Any]]) -> None:
        if self.away:
            raise AlertmanagerAway("it cannot be reached")
        self.taken += alerts


def notifier(wishes: Wishes, taker: Taker) -> Notifier:
    return Notifier(wishes, taker)  # type: ignore[arg-type]


def test_an_alert_says_which_job_how_it_ended_and_what_to_type() -> None:
    alert = alert_of(JOB, ENDED)
    assert alert["labels"] == {
        "alertname": "JobEnded",
        "severity": "info",
        "job_type": "sweep",
        "outcome": "succeeded",
        "job_id": str(JOB.job_id),
    }
    assert alert["annotations"]["summary"] == "Job 0198a1b2 (sweep) succeeded."
    assert alert["annotations"]["description"] == (
        f"It ended at 2026-11-27 12:00:00 UTC; its last run took 61 s. More: tradebot jobs show {JOB.job_id}"
    )
    assert (alert["startsAt"], alert["endsAt"]) == ("2026-11-27T12:00:00+00:00", "2026-11-27T12:05:00+00:00")


def test_a_job_that_was_given_up_is_a_warning_with_its_reason() -> None:
    alert = alert_of(replace(JOB, state="dead", message="There is no NOSUCH." + 600 * "x"), ENDED)
    assert alert["labels"]["severity"] == "warning"
    assert alert["annotations"]["summary"].startswith("Job 0198a1b2 (sweep) was given up: There is no NOSUCH.xx")
    assert len(alert["annotations"]["summary"]) < 600


def test_only_what_was_wished_for_is_sent_and_all_is_done_with() -> None:
    wishes, taker = Wishes([JOB, replace(JOB, wanted=False)]), Taker()
    assert notifier(wishes, taker).notify() == 1
    assert len(taker.taken) == 1
    assert wishes.done == wishes.found


def test_nothing_is_lost_while_alertmanager_is_away() -> None:
    wishes, taker = Wishes([JOB]), Taker(away=True)
    sender = notifier(wishes, taker)
    assert [sender.notify(), sender.notify()] == [0, 0]
    assert wishes.done == []
    taker.away = False
    assert sender.notify() == 1
    assert wishes.done == [JOB]


def test_news_of_the_day_before_yesterday_is_none() -> None:
    wishes, taker = Wishes([replace(JOB, age_s=TOO_OLD_S + 1)]), Taker(away=True)
    assert notifier(wishes, taker).notify() == 0
    assert wishes.done == wishes.found


def test_alerts_are_posted_with_the_password(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("hush")
    settings = Settings(alertmanager_url="http://am:9093", alertmanager_password_file=tmp_path / "password")
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200)

    Alertmanager(settings, transport=httpx.MockTransport(answer)).post([{"labels": {}}])
    (request,) = seen
    assert (request.method, str(request.url)) == ("POST", "http://am:9093/api/v2/alerts")
    assert request.headers["authorization"].startswith("Basic ")
    assert json.loads(request.content) == [{"labels": {}}]


@pytest.mark.parametrize(
    ("url", "status", "why"),
    [("", 200, "ALERTMANAGER_URL is empty"), ("http://am:9093", 401, "HTTP 401"), ("http://am:9093", 503, "HTTP 503")],
)
def test_whoever_does_not_take_them_is_away(url: str, status: int, why: str) -> None:
    transport = httpx.MockTransport(lambda _request: httpx.Response(status))
    with pytest.raises(AlertmanagerAway, match=why):
        Alertmanager(Settings(alertmanager_url=url), transport=transport).post([{}])


def test_one_that_cannot_be_reached_is_away() -> None:
    def refuse(_request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    with pytest.raises(AlertmanagerAway, match="cannot be reached: refused"):
        Alertmanager(Settings(alertmanager_url="http://am:9093"), transport=httpx.MockTransport(refuse)).post([{}])


def test_news_lasts_a_day_and_that_it_was_too_old_is_in_the_log() -> None:
    assert TOO_OLD_S == 86_400
    wishes, taker = Wishes([replace(JOB, age_s=TOO_OLD_S), replace(JOB, age_s=TOO_OLD_S + 1, wanted=False)]), Taker()
    with capture_logs() as logs:
        assert notifier(wishes, taker).notify() == 1
        assert logs == []
        assert notifier(Wishes([replace(JOB, age_s=TOO_OLD_S + 1)]), taker).notify() == 0
    assert [(each["log_level"], each["jobs"]) for each in logs] == [("warning", [str(JOB.job_id)])]


def test_that_alertmanager_is_away_is_in_the_log_once_until_it_has_taken_some() -> None:
    wishes, taker = Wishes([JOB]), Taker(away=True)
    sender = notifier(wishes, taker)
    with capture_logs() as logs:
        for _ in range(3):
            sender.notify()
        wishes.found = []
        sender.notify()  # nobody was asked
        wishes.found = [JOB]
        sender.notify()
        assert len(logs) == 1
        taker.away = False
        sender.notify()
        taker.away = True
        sender.notify()
    assert [each["log_level"] for each in logs] == ["warning"] * 2
