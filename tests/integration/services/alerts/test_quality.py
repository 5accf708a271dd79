"""Acknowledgements of alerts and the figures from them, on a real Postgres."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import psycopg
import pytest

from services.common.settings import Settings
from tests.integration.services.conftest import KEY, Serve
from tests.waiting import until

pytestmark = pytest.mark.integration

TOKEN = {"Authorization": "Bearer integration-alert-token"}
MARIA = KEY | {"X-Requested-By": "maria"}
NOW = datetime.now(UTC).replace(microsecond=0)
PAGE = {"name": "Slow", "false_positive": True, "reason": "the exchange was closed"}


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test has its own now: a whole run begins long before some of them."""
    monkeypatch.setattr(f"{__name__}.NOW", datetime.now(UTC).replace(microsecond=0))


def fire(api: httpx.Client, name: str, began_min: float, ended_min: float | None = None, **labels: str) -> None:
    """An alert that began so many minutes ago, and ended, as Alertmanager reports it."""
    alert = {
        "status": "firing",
        "labels": {"alertname": name, "severity": "warning", **labels},
        "startsAt": (NOW - timedelta(minutes=began_min)).isoformat(),
        "fingerprint": name + "".join(labels.values()),
    }
    alerts = [alert]
    if ended_min is not None:
        ended = (NOW - timedelta(minutes=ended_min)).isoformat()
        alerts.append(alert | {"status": "resolved", "endsAt": ended})
    assert api.post("/alerts/webhook", json={"alerts": alerts}, headers=TOKEN).json()["rejected"] == 0


def ack(api: httpx.Client, **body: Any) -> list[dict[str, Any]]:
    answer = api.post("/alerts/ack", json=body, headers=MARIA)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["acknowledged"])


def stats(api: httpx.Client, **asked: Any) -> dict[str, dict[str, Any]]:
    return {each["name"]: each for each in api.get("/alerts/stats", params=asked).json()["alerts"]}


def test_it_is_about_the_firing_it_was_given_for_and_survives_the_api(serve: Serve, settings: Settings) -> None:
    api = serve(settings)
    fire(api, "Slow", 10)
    (given,) = ack(api, **PAGE)
    assert (given["by"], given["reason"], given["false_positive"], given["ended_at"]) == (
        "maria", "the exchange was closed", True, None,
    )  # fmt: skip
    fire(api, "Slow", 10, ended_min=5)
    fire(api, "Slow", 2)
    again = serve(settings)
    newest, end, first = again.get("/alerts").json()["alerts"]
    assert newest["acknowledged"] is None
    assert end["acknowledged"] == first["acknowledged"] == {
        "at": given["at"], "by": "maria", "reason": "the exchange was closed", "false_positive": True,
    }  # fmt: skip
    found = stats(again)["Slow"]
    assert (found["fired"], found["acknowledged"], found["false_positives"], found["lasting"]) == (2, 1, 1, 1)


def test_the_last_word_on_a_firing_counts(api: httpx.Client) -> None:
    fire(api, "Slow", 10, ended_min=5)
    ack(api, name="slow")
    assert stats(api)["Slow"]["false_positives"] == 0
    ack(api, **PAGE)
    found = stats(api)["Slow"]
    assert (found["acknowledged"], found["false_positives"]) == (1, 1)


def test_what_fires_goes_before_what_is_over(api: httpx.Client) -> None:
    fire(api, "Down", 30, ended_min=20, instance="a")
    fire(api, "Down", 12, instance="b")
    fire(api, "Down", 11, instance="c")
    fire(api, "Other", 3)
    assert [each["labels"]["instance"] for each in ack(api, name="Down")] == ["c", "b"]
    assert [each["labels"]["instance"] for each in ack(api, name="Down", labels={"instance": "a"})] == ["a"]
    assert stats(api)["Down"]["acknowledged"] == 3


def test_of_what_is_over_the_last_is_meant_with_all_that_began_with_it(api: httpx.Client) -> None:
    fire(api, "Down", 30, ended_min=20, instance="a")
    fire(api, "Down", 12, ended_min=8, instance="b")
    fire(api, "Down", 12, ended_min=9, instance="c")
    assert sorted(each["labels"]["instance"] for each in ack(api, name="Down")) == ["b", "c"]


def test_a_night_of_the_same_alert_is_one_word_that_keeps_earlier_ones(api: httpx.Client) -> None:
    fire(api, "Slow", 200, ended_min=190)
    fire(api, "Slow", 50, ended_min=40)
    ack(api, name="Slow", reason="a real one")
    fire(api, "Slow", 30, ended_min=20)
    fire(api, "Slow", 10, ended_min=5)
    assert len(ack(api, **PAGE, since_s=3600)) == 2
    found = stats(api)["Slow"]
    assert (found["fired"], found["acknowledged"], found["false_positives"]) == (4, 3, 2)
    assert stats(api, since_s=3600)["Slow"]["fired"] == 3


def test_how_long_it_took_to_tell_and_to_end(api: httpx.Client, settings: Settings) -> None:
    fire(api, "Slow", 60, ended_min=50)
    fire(api, "Slow", 40, ended_min=10)
    fire(api, "Slow", 5)
    with psycopg.connect(settings.postgres_dsn("test").get_secret_value()) as connection:
        connection.execute("UPDATE alert_event SET received_at = starts_at + interval '20 s' WHERE status = 'firing'")
    found = stats(api, name="slow")["Slow"]
    assert (found["received_median_s"], found["ended_median_s"], found["severity"]) == (20, 1200, "warning")


def test_an_end_whose_beginning_was_never_heard_counts_and_can_be_acknowledged(api: httpx.Client) -> None:
    """The API was away while it fired."""
    alert = {"status": "resolved", "labels": {"alertname": "Missed", "severity": "critical"}, "fingerprint": "m",
             "startsAt": NOW.isoformat(), "endsAt": NOW.isoformat()}  # fmt: skip
    api.post("/alerts/webhook", json={"alerts": [alert]}, headers=TOKEN)
    assert stats(api)["Missed"]["received_median_s"] is None
    assert len(ack(api, name="Missed")) == 1


def test_what_is_not_stored_and_what_has_no_key_is_refused(api: httpx.Client) -> None:
    fire(api, "Slow", 10)
    for body in ({"name": "Nobody"}, {"name": "Slow", "labels": {"instance": "x"}}):
        answer = api.post("/alerts/ack", json=body, headers=KEY)
        assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
    assert api.post("/alerts/ack", json=PAGE).status_code == 401
    assert stats(api)["Slow"]["acknowledged"] == 0


def test_it_is_forgotten_with_its_firing(serve: Serve, settings: Settings) -> None:
    api = serve(settings)
    for name in ("Old", "Slow"):
        fire(api, name, 10)
        ack(api, name=name)
    with psycopg.connect(settings.postgres_dsn("test").get_secret_value()) as connection:
        connection.execute("UPDATE alert_event SET last_received_at = now() - interval '91 days' WHERE name = 'Old'")
        connection.commit()
        serve(settings)
        until(lambda: _acknowledged(connection) == ["Slow"], "it went")


def _acknowledged(connection: psycopg.Connection[Any]) -> list[str]:
    found = [fingerprint for (fingerprint,) in connection.execute("SELECT fingerprint FROM alert_ack").fetchall()]
    connection.commit()
    return found
