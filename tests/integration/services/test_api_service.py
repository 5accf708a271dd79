"""What surrounds the routes: request ids, counted errors, metrics, alerts, and the process itself."""

import json
import re
import signal
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from fastapi import FastAPI

from services.common.settings import Settings
from tests.integration.services.conftest import KEY, Serve
from tests.paths import ROOT
from tests.waiting import free_port, until

pytestmark = pytest.mark.integration

ECHO = {"type": "echo", "payload": {"text": "hello"}}


def explode(app: FastAPI) -> None:
    @app.get("/explode/{what}")
    def route(what: str) -> None:
        raise RuntimeError(f"exploded on {what} with integration-api-key")


@pytest.mark.parametrize(("given", "kept"), [("abc-123", True), ("two words", False), ("x" * 129, False)])
def test_a_sane_request_id_is_kept(api: httpx.Client, given: str, kept: bool) -> None:
    answer = api.get("/health/live", headers={"X-Request-ID": given})
    assert (answer.headers["x-request-id"] == given) is kept
    assert answer.headers["x-request-id"]


def test_an_unforeseen_error_is_a_counted_500_without_secrets(serve: Serve, settings: Settings) -> None:
    api = serve(settings, explode)
    answers = [api.get(f"/explode/{what}") for what in ("one", "two")]
    assert [answer.status_code for answer in answers] == [500, 500]
    assert "exploded" not in answers[0].text
    assert answers[0].json()["request_id"] == answers[0].headers["x-request-id"]
    (error,) = api.get("/errors").json()["errors"]
    assert (error["type"], error["count"]) == ("RuntimeError", 2)
    assert error["message"] == "exploded on two with [REDACTED]"
    assert error["where"].endswith("test_api_service.py:route")
    assert "integration-api-key" not in json.dumps(error)
    assert 'http_requests_total{endpoint="/explode/{what}",method="GET",status="500"} 2.0' in api.get("/metrics").text


def test_two_processes_count_one_kind_of_error_together(serve: Serve, settings: Settings) -> None:
    first, second = serve(settings, explode), serve(settings, explode)
    first.get("/explode/a")
    second.get("/explode/a")
    first.get("/errors")
    (error,) = second.get("/errors").json()["errors"]
    assert error["count"] == 2


def test_metrics_count_by_template(api: httpx.Client) -> None:
    job_id = api.post("/jobs", json=ECHO, headers=KEY).json()["id"]
    for path in (f"/jobs/{job_id}", "/.env", "/wp-login.php"):
        api.get(path)
    api.request("BREW", "/jobs")
    text = api.get("/metrics").text
    for line in (
        'http_requests_total{endpoint="/jobs",method="POST",status="202"} 1.0',
        'http_requests_total{endpoint="/jobs/{job_id}",method="GET",status="200"} 1.0',
        'http_requests_total{endpoint="<unmatched>",method="GET",status="404"} 2.0',
        'http_request_duration_seconds_bucket{endpoint="/jobs",le="+Inf",method="POST"} 1.0',
        'http_requests_in_progress{method="POST"} 0.0',
        'job_submissions_total{job_type="echo"} 1.0',
        'redis_operations_total{operation="evalsha",status="ok"}',
        'queue_length{queue="jobs"} 1.0',
        'queue_length{queue="jobs.dlq"} 0.0',
        "db_connection_errors_total 0.0",
        "process_start_time_seconds",
    ):
        assert line in text, line
    assert 'method="OTHER"' in text
    assert "BREW" not in text
    assert "_created" not in text


def test_alerts_are_kept_once_for_each_change(api: httpx.Client) -> None:
    alert = {
        "status": "firing", "labels": {"alertname": "RedisDown", "severity": "critical"},
        "annotations": {"summary": "Redis is down"}, "startsAt": "2026-01-01T00:00:00Z",
        "endsAt": "0001-01-01T00:00:00Z", "fingerprint": "a1", "generatorURL": "http://x",
    }  # fmt: skip
    token = {"Authorization": "Bearer integration-alert-token"}
    for wrong in (
        {},
        {"Authorization": "Bearer nope"},
        {"Authorization": "Basic integration-alert-token"},
        KEY,
    ):
        assert api.post("/alerts/webhook", json={"alerts": [alert]}, headers=wrong).status_code == 401
    body = {"version": "4", "status": "firing", "alerts": [alert]}
    assert api.post("/alerts/webhook", json=body, headers=token).json() == {"received": 1, "new": 1, "rejected": 0}
    assert api.post("/alerts/webhook", json=body, headers=token).json() == {"received": 1, "new": 0, "rejected": 0}
    resolved = alert | {"status": "resolved", "endsAt": "2026-01-01T00:05:00Z"}
    api.post("/alerts/webhook", json={"alerts": [resolved]}, headers=token)
    newest, oldest = api.get("/alerts").json()["alerts"]
    assert (newest["status"], newest["ends_at"]) == ("resolved", "2026-01-01T00:05:00Z")
    assert (oldest["status"], oldest["ends_at"], oldest["name"]) == ("firing", None, "RedisDown")
    assert api.post("/alerts/webhook", json={"alerts": [{}]}, headers=token).status_code == 422


def test_one_bad_alert_of_a_call_does_not_take_the_others_with_it(api: httpx.Client) -> None:
    def alert(name: str, **others: Any) -> dict[str, Any]:
        labels = {"alertname": name, "severity": "warning"}
        return {"status": "firing", "labels": labels, "startsAt": "2026-01-01T00:00:00Z", "fingerprint": name} | others

    nul, surrogate = {"alertname": "Nul", "text": "a\0b"}, {"alertname": "Lone", "text": "a\ud800b"}
    kept = [
        alert("Good"),
        alert("Nul", labels=nul, annotations={"k\0": "\0"}),
        alert("Lone", labels=surrogate),
        alert("Number", labels={"alertname": "Number", "port": 9091}),
        alert("Huge", labels={"alertname": "Huge", "text": "x" * 200_000}),
    ]
    lost = [
        alert("Early", startsAt="0001-01-01T00:00:00+14:00"),
        alert("NoTime", startsAt=None),
        alert("LongPrint", fingerprint="f" * 101),
        {"status": "firing"},
        "no alert at all",
        None,
    ]
    headers = {"Authorization": "Bearer integration-alert-token", "Content-Type": "application/json"}
    answer = api.post("/alerts/webhook", content=json.dumps({"alerts": [*lost, *kept]}), headers=headers)
    assert answer.json() == {"received": len(kept), "new": len(kept), "rejected": len(lost)}
    stored = {each["name"]: each["labels"] for each in api.get("/alerts").json()["alerts"]}
    assert stored.keys() == {"Good", "Nul", "Lone", "Number", "Huge"}
    assert (stored["Nul"]["text"], stored["Lone"]["text"], stored["Number"]["port"]) == ("a\\x00b", "a\\ud800b", "9091")


def test_a_repeated_alert_says_when_it_was_last_heard(api: httpx.Client) -> None:
    token = {"Authorization": "Bearer integration-alert-token"}

    def beat(name: str) -> None:
        alert = {"status": "firing", "labels": {"alertname": name}, "startsAt": "2026-01-01T00:00:00Z",
                 "fingerprint": name}  # fmt: skip
        assert api.post("/alerts/webhook", json={"alerts": [alert]}, headers=token).status_code == 200

    assert "watchdog_last_received_timestamp_seconds" not in api.get("/metrics").text
    for name in ("Watchdog", "Other", "Watchdog"):
        beat(name)
    (watchdog,) = api.get("/alerts", params={"name": "watchdog"}).json()["alerts"]
    assert watchdog["last_received_at"] > watchdog["received_at"]
    (other,) = api.get("/alerts", params={"name": "Other"}).json()["alerts"]
    assert other["last_received_at"] == other["received_at"]
    assert api.get("/alerts", params={"name": "Nobody"}).json()["alerts"] == []
    until(lambda: _watchdog(api) is not None, "it is exported")
    heard = datetime.fromisoformat(watchdog["last_received_at"])
    assert _watchdog(api) == pytest.approx(heard.timestamp(), abs=0.01)


def test_alerts_not_heard_of_for_long_are_forgotten(serve: Serve, settings: Settings) -> None:
    """What still repeats stays, however long ago it began."""
    api = serve(settings)
    token = {"Authorization": "Bearer integration-alert-token"}
    for name in ("Old", "Repeating"):
        alert = {"status": "firing", "labels": {"alertname": name}, "startsAt": "2020-01-01T00:00:00Z",
                 "fingerprint": name}  # fmt: skip
        api.post("/alerts/webhook", json={"alerts": [alert]}, headers=token)
    with psycopg.connect(settings.postgres_dsn("test").get_secret_value()) as connection:
        connection.execute("UPDATE alert_event SET received_at = now() - interval '91 days'")
        connection.execute("UPDATE alert_event SET last_received_at = received_at WHERE name = 'Old'")
    again = serve(settings)
    until(lambda: [alert["name"] for alert in again.get("/alerts").json()["alerts"]] == ["Repeating"], "it went")


def test_backups_that_were_noted_are_shown(serve: Serve, settings: Settings) -> None:
    """0 where there was none: only so can an alert ask for it."""
    name = re.compile(r'^(backup_\w+)\{environment="production"\} (\S+)$', re.MULTILINE)
    production = settings.model_copy(update={"environment": "production"})
    before = dict(name.findall(serve(production).get("/metrics").text))
    assert before == {
        "backup_last_taken_timestamp_seconds": "0.0",
        "backup_last_proved_timestamp_seconds": "0.0",
        "backup_last_refuted_timestamp_seconds": "0.0",
        "backup_clearing_failed": "0.0",
    }
    with psycopg.connect(settings.postgres_dsn("test").get_secret_value()) as connection:
        connection.execute(
            "INSERT INTO backup_note VALUES ('taken', to_timestamp(1000)), ('clearing_failed', to_timestamp(1))"
        )
    after = dict(name.findall(serve(production).get("/metrics").text))
    assert after == before | {"backup_last_taken_timestamp_seconds": "1000.0", "backup_clearing_failed": "1.0"}


def test_since_when_the_stack_is_halted_is_shown(serve: Serve, settings: Settings) -> None:
    """0 while it is not; a scrape asks the database at most every few seconds."""

    def shown() -> float:
        found = re.search(r"^stack_halted_timestamp_seconds (\S+)$", serve(settings).get("/metrics").text, re.MULTILINE)
        assert found
        return float(found[1])

    assert shown() == 0
    with psycopg.connect(settings.postgres_dsn("test").get_secret_value()) as connection:
        connection.execute("INSERT INTO halt (at, by, reason) VALUES (to_timestamp(1000), 'ana', 'why')")
    assert shown() == 1000
    with psycopg.connect(settings.postgres_dsn("test").get_secret_value()) as connection:
        connection.execute("UPDATE halt SET ended_at = now()")
    assert shown() == 0


def _watchdog(api: httpx.Client) -> float | None:
    found = re.search(r"^watchdog_last_received_timestamp_seconds (\S+)$", api.get("/metrics").text, re.MULTILINE)
    return float(found[1]) if found else None


class TestProcess:
    """``python -m services.api`` as the engines start it."""

    def start(self, settings: Settings, port: int, log: Path) -> "subprocess.Popen[bytes]":
        values = settings.model_dump(exclude_none=True, mode="json")
        environment = {name.upper(): str(value) for name, value in values.items()}
        environment |= {
            "API_LISTEN": f"127.0.0.1:{port}",
            "PYTHONPATH": str(ROOT),
        }
        with log.open("wb") as out:
            return subprocess.Popen(
                [sys.executable, "-m", "services.api"],
                env=environment,
                stdout=out,
                stderr=out,
                cwd=log.parent,
            )

    def test_serves_logs_json_and_ends_on_sigterm(self, settings: Settings, tmp_path: Path) -> None:
        log = tmp_path / "api.log"
        port = free_port()
        process = self.start(settings, port, log)
        try:
            url = f"http://127.0.0.1:{port}"
            until(lambda: b"Uvicorn running" in log.read_bytes() or process.poll() is not None, "it starts")
            httpx.get(f"{url}/jobs", headers={"X-Request-ID": "seen"})
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == 0
        finally:
            process.kill()
            process.wait()
        lines = [json.loads(line) for line in log.read_text().splitlines()]
        (access,) = [line for line in lines if line["event"] == "request"]
        assert (access["request_id"], access["status"], access["endpoint"]) == ("seen", 200, "/jobs")
        assert {"timestamp", "level", "logger"} <= set(access)
        assert "integration-password" not in log.read_text()

    def test_a_taken_port_is_a_failure(self, api: httpx.Client, settings: Settings, tmp_path: Path) -> None:
        log = tmp_path / "api.log"
        process = self.start(settings, api.base_url.port or 0, log)
        assert process.wait(30) != 0
        assert "address already in use" in log.read_text()
