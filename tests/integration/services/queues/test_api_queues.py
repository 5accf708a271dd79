"""Queues and schedules over HTTP: changed with the key, refused with a reason, and heard of by a submission."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from tests.integration.services.conftest import KEY

pytestmark = pytest.mark.integration

JOB = {"type": "echo", "payload": {"text": "x"}}
BY_ANNA = KEY | {"X-Requested-By": "anna"}
NIGHTLY = {**JOB, "cron": "30 6 * * 1-5", "zone": "Europe/Zurich"}


def queue(api: httpx.Client) -> dict[str, object]:
    return {each["type"]: each for each in api.get("/queues").json()["queues"]}["echo"]


def test_a_type_without_jobs_is_a_queue_too(api: httpx.Client) -> None:
    assert (queue(api)["waiting"], queue(api)["paused"], queue(api)["by"]) == (0, False, None)
    api.post("/jobs", json=JOB, headers=KEY)
    assert queue(api)["waiting"] == 1


def test_what_is_set_is_shown_with_who_and_why_and_what_is_left_out_stays(api: httpx.Client) -> None:
    changed = api.patch("/queues/echo", json={"paused": True, "reason": "exchange is down"}, headers=BY_ANNA)
    assert changed.status_code == 200
    assert changed.json() == queue(api)
    assert (queue(api)["paused"], queue(api)["by"], queue(api)["reason"]) == (True, "anna", "exchange is down")
    api.patch("/queues/echo", json={"max_running": 2}, headers=KEY)
    api.patch("/queues/echo", json={"closed": True}, headers=KEY)
    assert [queue(api)[name] for name in ("paused", "closed", "max_running")] == [True, True, 2]
    api.patch("/queues/echo", json={"paused": False, "closed": False, "max_running": None}, headers=KEY)
    assert (queue(api)["max_running"], queue(api)["by"]) == (None, None)


def test_a_closed_type_refuses_a_job_and_says_who_closed_it(api: httpx.Client) -> None:
    api.patch("/queues/echo", json={"closed": True, "reason": "upgrade"}, headers=BY_ANNA)
    refused = api.post("/jobs", json=JOB, headers=KEY)
    assert (refused.status_code, refused.json()["detail"]) == (409, "anna has closed echo for new jobs: upgrade.")


def test_a_purge_cancels_what_waits(api: httpx.Client) -> None:
    job = api.post("/jobs", json=JOB, headers=KEY).json()
    purged = api.post("/queues/echo/purge", params={"reason": "wrong day"}, headers=BY_ANNA)
    assert purged.json() == {"jobs": 1, "complete": True}
    shown = api.get(f"/jobs/{job['id']}").json()
    assert (shown["state"], shown["events"][-1]["by"], shown["events"][-1]["note"]) == (
        "cancelled",
        "anna",
        "purged: wrong day",
    )


def test_a_job_for_later_waits_and_its_time_has_a_zone(api: httpx.Client) -> None:
    due = datetime.now(UTC) + timedelta(hours=1)
    accepted = api.post("/jobs", json=JOB | {"not_before": due.isoformat()}, headers=KEY)
    assert accepted.status_code == 202
    assert datetime.fromisoformat(accepted.json()["not_before"]) == due
    assert (queue(api)["scheduled"], queue(api)["waiting"]) == (1, 0)
    assert api.post("/jobs", json=JOB | {"not_before": "2026-11-28T09:30"}, headers=KEY).status_code == 422


def test_a_schedule_is_made_replaced_paused_and_removed(api: httpx.Client) -> None:
    made = api.put("/schedules/nightly", json=NIGHTLY, headers=BY_ANNA).json()
    assert (made["cron"], made["zone"], made["payload"]["times"], made["by"]) == (
        "30 6 * * 1-5",
        "Europe/Zurich",
        1,
        "anna",
    )
    api.put("/schedules/nightly", json=NIGHTLY | {"cron": "0 * * * *"}, headers=KEY)
    (listed,) = api.get("/schedules").json()["schedules"]
    assert (listed["cron"], listed["paused"], listed["notify"]) == ("0 * * * *", False, None)
    assert api.put("/schedules/nightly", json=NIGHTLY | {"notify": "dead"}, headers=KEY).json()["notify"] == "dead"
    assert api.patch("/schedules/nightly", json={"paused": True}, headers=KEY).json()["paused"] is True
    assert [api.delete("/schedules/nightly", headers=KEY).status_code for _ in range(2)] == [204, 404]
    assert api.get("/schedules").json() == {"schedules": []}


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"cron": "every day"}, "cron"),
        ({"cron": "60 * * * *"}, "cron"),
        ({"zone": "Europe/Nowhere"}, "time zone"),
        ({"type": "nothing"}, "'nothing' is unknown"),
        ({"payload": {"txt": "x"}}, "payload.txt"),
        ({"paused": True}, "paused"),
        ({"notify": "always"}, "notify"),
    ],
)
def test_a_schedule_that_is_wrong_is_refused_with_the_reason(
    api: httpx.Client, change: dict[str, object], named: str
) -> None:
    refused = api.put("/schedules/nightly", json=NIGHTLY | change, headers=KEY)
    assert refused.status_code == 422
    assert named in refused.text
    assert api.get("/schedules").json() == {"schedules": []}


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PATCH", "/queues/echo", {"paused": True}),
        ("POST", "/queues/echo/purge", None),
        ("PUT", "/schedules/nightly", NIGHTLY),
        ("PATCH", "/schedules/nightly", {"paused": True}),
        ("DELETE", "/schedules/nightly", None),
    ],
)
def test_without_the_key_nothing_is_changed(
    api: httpx.Client, method: str, path: str, body: dict[str, object] | None
) -> None:
    assert api.request(method, path, json=body).status_code == 401
    assert (queue(api)["paused"], api.get("/schedules").json()) == (False, {"schedules": []})


@pytest.mark.parametrize("path", ["/queues/nothing", "/schedules/nothing"])
def test_what_is_not_known_is_not_changed(api: httpx.Client, path: str) -> None:
    assert api.patch(path, json={"paused": True}, headers=KEY).status_code == 404


@pytest.mark.parametrize("most", [0, -1, 10_001, "many"])
def test_a_limit_is_a_number_of_jobs(api: httpx.Client, most: object) -> None:
    assert api.patch("/queues/echo", json={"max_running": most}, headers=KEY).status_code == 422
