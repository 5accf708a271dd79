"""Changes that others asked of the API: which are shown, and in which words."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.operations.seen import whole
from tests.operations.test_keys import Api as Keys
from tests.operations.test_keys import ops_with
from tradebot_ops.operations.audit import calls


def call(method: str = "POST", path: str = "/jobs", status: int = 202) -> dict[str, Any]:
    return {
        "at": "2026-11-28T11:58:00.123456Z", "by": "key:nightly", "method": method, "route": path, "path": path,
        "status": status, "request_id": "r1",
    }  # fmt: skip


class Api(Keys):
    def api_calls(self, limit: int, since_s: float | None = None, by: str | None = None) -> list[dict[str, Any]]:
        self.asked.append((limit, since_s, by))
        return self.known


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (202, "ok"),
        (399, "ok"),
        (400, "refused (400)"),
        (499, "refused (499)"),
        (403, "refused (403)"),
        (422, "refused (422)"),
        (500, "failed (500)"),
    ],
)
def test_how_it_ended(status: int, outcome: str) -> None:
    assert calls.outcome(status) == outcome


def test_the_newest_comes_last_and_more_are_announced(tmp_path: Path) -> None:
    known = [call("DELETE", "/jobs/1"), *[call()] * calls.SHOWN]
    report = calls.listing(ops_with(Api(*known), tmp_path), None, "", "")
    table = report.sections[0].tables[0]
    assert len(table.rows) == calls.SHOWN
    assert table.rows[-1] == ("2026-11-28T11:58:00Z", "key:nightly", "DELETE /jobs/1", "ok")
    assert "1 older one:" in report.sections[0].lines[0]


def test_what_is_asked_for_is_narrowed_down(tmp_path: Path) -> None:
    api = Api(call("DELETE", "/jobs/1"), call())
    since = datetime(2026, 11, 27, tzinfo=UTC)
    report = calls.listing(ops_with(api, tmp_path), since, "key:nightly", "DELETE /jobs")
    assert [row[2] for row in report.sections[0].tables[0].rows] == ["DELETE /jobs/1"]
    assert api.asked == [(calls.MOST, 129600.0, "key:nightly")]
    empty = calls.listing(ops_with(Api(), tmp_path), None, "", "")
    assert (empty.sections[0].tables, len(empty.sections[0].lines)) == ((), 1)


def test_screens(tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    """None at all, none that fits in three ways, all that there are, and as many as the API gives."""
    seen = []
    noon = datetime(2026, 11, 28, 12, tzinfo=UTC)
    for known, since, by, command in (
        ([], None, "", ""),
        ([], noon, "", ""),
        ([], None, "key:nightly", ""),
        ([call()], None, "", "DELETE"),
        ([call(status=500), call("PUT", "/jobs/1", 404)], None, "", " PUT "),
        ([call(path=f"/jobs/{number}") for number in range(calls.SHOWN + 2)], None, "", ""),
    ):
        seen.append(whole(calls.listing(ops_with(Api(*known), tmp_path), since, by, command)))
    assert "\n\n".join(each[:1500] for each in seen) == snapshot


@pytest.mark.parametrize("number", [calls.MOST - 1, calls.MOST])
def test_with_a_time_all_are_shown_as_far_as_the_api_gives_them(tmp_path: Path, number: int) -> None:
    api = Api(*[call()] * number)
    report = calls.listing(ops_with(api, tmp_path), datetime(2026, 11, 27, tzinfo=UTC), "", "")
    assert len(report.sections[0].tables[0].rows) == number
    assert report.sections[0].lines == (() if number < calls.MOST else ("The API gives the newest 1000 only.",))


def test_a_time_to_come_is_the_last_second(tmp_path: Path) -> None:
    api = Api()
    calls.listing(ops_with(api, tmp_path), datetime(2036, 1, 1, tzinfo=UTC), "", "")
    calls.listing(ops_with(api, tmp_path), None, "", "")
    assert api.asked == [(1000, 1.0, None), (1000, None, None)]
