"""What Alertmanager is asked for and what its answers mean; the real one is asked in the integration tests."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tradebot_ops.clients.alertmanager import Alertmanager, Deliveries, HeldAlert, Matcher, Silence
from tradebot_ops.errors import OpsError

Answer = Callable[[httpx.Request], httpx.Response]
SOON = timedelta(hours=1)
MATCHERS = [Matcher("job", "a|b", regex=True), Matcher("severity", "critical", equal=False)]


class Server:
    """Answers every request with ``answer`` and keeps them."""

    def __init__(self, answer: Any = None, status: int = 200) -> None:
        self.asked: list[httpx.Request] = []
        self.client = Alertmanager("http://alertmanager:9093")
        self._answer, self._status = answer, status
        self.client._rest._client = httpx.Client(
            base_url="http://alertmanager:9093", transport=httpx.MockTransport(self._handle)
        )

    def _handle(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        if isinstance(self._answer, dict) and request.url.path in self._answer:
            return self._response(self._answer[request.url.path])
        return self._response(self._answer)

    def _response(self, answer: Any) -> httpx.Response:
        if isinstance(answer, str):
            return httpx.Response(self._status, text=answer)
        return httpx.Response(self._status, json=answer) if answer is not None else httpx.Response(self._status)

    def body(self) -> Any:
        return json.loads(self.asked[-1].content)


def test_a_silence_is_asked_for_as_it_was_meant() -> None:
    server = Server({"silenceID": "made-1"})
    before, ends = datetime.now(UTC), datetime.now(UTC) + SOON
    assert server.client.silence(MATCHERS, ends, "maria", "load test") == "made-1"
    body = server.body()
    assert (server.asked[0].method, server.asked[0].url.path) == ("POST", "/api/v2/silences")
    assert body["matchers"] == [
        {"name": "job", "value": "a|b", "isRegex": True, "isEqual": True},
        {"name": "severity", "value": "critical", "isRegex": False, "isEqual": False},
    ]
    assert (body["createdBy"], body["comment"], body["endsAt"]) == ("maria", "load test", ends.isoformat())
    assert before <= datetime.fromisoformat(body["startsAt"]) <= datetime.now(UTC)


@pytest.mark.parametrize(
    ("matchers", "lasting", "comment", "why"),
    [
        ([], SOON, "why", "at least one matcher"),
        (MATCHERS, SOON, "", "a comment that says why"),
        (MATCHERS, SOON, " \t", "a comment that says why"),
        (MATCHERS, timedelta(0), "why", "an end that is yet to come"),
        (MATCHERS, -SOON, "why", "an end that is yet to come"),
    ],
)
def test_a_silence_that_nobody_could_explain_or_that_is_over_is_not_asked_for(
    matchers: list[Matcher], lasting: timedelta, comment: str, why: str
) -> None:
    server = Server({"silenceID": "made-1"})
    with pytest.raises(OpsError, match=why) as caught:
        server.client.silence(matchers, datetime.now(UTC) + lasting, "maria", comment)
    assert caught.value.code == "TB-0210"
    assert server.asked == []


@pytest.mark.parametrize(
    ("matcher", "text"),
    [
        (Matcher("a", "b"), 'a="b"'),
        (Matcher("a", "b", equal=False), 'a!="b"'),
        (Matcher("a", "b", regex=True), 'a=~"b"'),
        (Matcher("a", "b", regex=True, equal=False), 'a!~"b"'),
    ],
)
def test_a_matcher_is_shown_as_it_is_typed(matcher: Matcher, text: str) -> None:
    assert str(matcher) == text


def test_silences_are_read_with_what_turns_their_matchers_round() -> None:
    raw = {
        "id": "1", "status": {"state": "expired"}, "createdBy": "maria", "comment": "why",
        "startsAt": "2026-01-01T00:00:00.123456789Z", "endsAt": "2026-01-01T01:00:00Z",
        "matchers": [
            {"name": "a", "value": "b", "isRegex": False, "isEqual": False},
            {"name": "c", "value": "d", "isRegex": True},  # before 0.22 it has no isEqual
        ],
    }  # fmt: skip
    begun = datetime(2026, 1, 1, 0, 0, 0, 123456, tzinfo=UTC)
    matchers = (Matcher("a", "b", equal=False), Matcher("c", "d", regex=True))
    server = Server([raw])
    assert server.client.silences() == [
        Silence("1", "expired", matchers, begun, datetime(2026, 1, 1, 1, tzinfo=UTC), "maria", "why")
    ]
    assert server.asked[0].url.path == "/api/v2/silences"


def test_alerts_are_read_with_what_keeps_them_quiet() -> None:
    raw = {
        "labels": {"alertname": "A"}, "annotations": {"summary": "s"}, "fingerprint": "f",
        "startsAt": "2026-01-01T00:00:00Z", "endsAt": "2026-01-01T01:00:00Z", "receivers": [{"name": "r"}],
        "status": {"state": "suppressed", "silencedBy": ["1"], "inhibitedBy": ["2"]},
    }  # fmt: skip
    begun = datetime(2026, 1, 1, tzinfo=UTC)
    labels, notes = {"alertname": "A"}, {"summary": "s"}
    held = HeldAlert("A", "suppressed", labels, notes, begun, begun + SOON, ("r",), ("1",), ("2",), "f")
    server = Server([raw])
    assert server.client.alerts() == [held]
    assert server.asked[0].url.path == "/api/v2/alerts"


def test_a_silence_is_ended_by_its_id() -> None:
    server = Server()
    server.client.unsilence("abc-1")
    assert [(one.method, one.url.path) for one in server.asked] == [("DELETE", "/api/v2/silence/abc-1")]


@pytest.mark.parametrize(("status", "code"), [(404, "TB-0121"), (422, "TB-0121"), (400, "TB-0522"), (500, "TB-0522")])
def test_ending_what_is_no_silence_is_told_from_a_failure(status: int, code: str) -> None:
    with pytest.raises(OpsError) as caught:
        Server("no", status).client.unsilence("abc-1")
    assert caught.value.code == code


def test_an_alert_that_is_ended_began_no_later_than_it_ended() -> None:
    """Alertmanager refuses an alert that ends before it begins."""
    server = Server()
    past = datetime.now(UTC) - SOON
    server.client.post({"alertname": "A"}, {"summary": "s"}, past)
    [alert] = server.body()
    assert (alert["startsAt"], alert["endsAt"]) == (past.isoformat(), past.isoformat())
    assert (alert["labels"], alert["annotations"]) == ({"alertname": "A"}, {"summary": "s"})


def test_an_alert_that_is_raised_begins_now() -> None:
    server = Server()
    before, ends = datetime.now(UTC), datetime.now(UTC) + SOON
    server.client.post({"alertname": "A"}, {}, ends)
    [alert] = server.body()
    assert before <= datetime.fromisoformat(alert["startsAt"]) <= datetime.now(UTC)
    assert alert["endsAt"] == ends.isoformat()


METRICS = """
alertmanager_notifications_total{integration="webhook",receiver_name=""} 7
alertmanager_notifications_total{integration="slack",receiver_name=""} 2
alertmanager_notifications_failed_total{integration="webhook",reason="clientError"} 1
alertmanager_notifications_failed_total{integration="webhook",reason="other"} 2
alertmanager_notification_requests_total{integration="webhook"} 9
alertmanager_notification_requests_failed_total{integration="webhook"} 4
alertmanager_config_last_reload_successful 1
alertmanager_config_last_reload_success_timestamp_seconds 1.7e+09
"""


def test_deliveries_are_counted_by_kind_of_channel() -> None:
    assert Server(METRICS).client.deliveries() == {
        "webhook": Deliveries(7, 5, {"clientError": 1, "other": 2}),
        "slack": Deliveries(2, 0, {}),
    }


@pytest.mark.parametrize("loaded", [True, False])
def test_the_state_of_the_configuration_is_read_from_the_metrics(*, loaded: bool) -> None:
    raw = {"versionInfo": {"version": "0.27.0"}, "uptime": "2026-01-01T00:00:00Z", "config": {"original": "route:"}}
    text = METRICS if loaded else METRICS.replace("successful 1", "successful 0")
    status = Server({"/api/v2/status": raw, "/metrics": text}).client.status()
    assert (status.config_loaded, status.config_loaded_at) == (loaded, datetime.fromtimestamp(1_700_000_000, UTC))
    assert (status.version, status.config, status.started) == ("0.27.0", "route:", datetime(2026, 1, 1, tzinfo=UTC))


def test_before_the_first_reload_nothing_is_loaded() -> None:
    raw = {"versionInfo": {"version": "0.27.0"}, "uptime": "2026-01-01T00:00:00Z", "config": {"original": ""}}
    status = Server({"/api/v2/status": raw, "/metrics": ""}).client.status()
    assert (status.config_loaded, status.config_loaded_at) == (False, datetime.fromtimestamp(0, UTC))


@pytest.mark.parametrize(("status", "ready"), [(200, True), (503, False)])
def test_ready(status: int, *, ready: bool) -> None:
    server = Server({}, status)
    assert server.client.ready() is ready
    assert server.asked[0].url.path == "/-/ready"


def test_what_fails_is_said_with_its_own_words() -> None:
    with pytest.raises(OpsError, match="bad matcher") as caught:
        Server("bad matcher", 400).client.silences()
    assert caught.value.code == "TB-0522"
    with pytest.raises(OpsError, match="HTTP 400"):
        Server("", 400).client.receivers()
    with pytest.raises(OpsError, match="HTTP 404"):
        Server("", 404).client.deliveries()
    assert Server([{"name": "one"}, {"name": "two"}]).client.receivers() == ("one", "two")
