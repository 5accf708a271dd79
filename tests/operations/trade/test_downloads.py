"""Prices of exchanges: what is asked of the workers, and what their answer becomes."""

from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.operations.jobs.test_dead_letters import ops_with, said
from tests.operations.seen import Made, made, whole
from tests.operations.trade.test_data import RESULT
from tradebot_ops.errors import ExitCode
from tradebot_ops.operations.trade import downloads
from tradebot_ops.operations.trade.downloads import Wanted
from tradebot_ops.progress import Phase, ProgressEvent, ignore_progress

BAD = {"line": 4, "symbol": "X", "day": "2024-01-01T05:00:00", "reason": "high is below open: high 1.0, open 2.0"}
FLAG = {"symbol": "X", "day": "2024-01-02T03:00:00", "kind": "gap", "detail": "2 bars missing"}
LOADED = {**RESULT, "series": "BINANCE:BTC/USDT", "rejected_examples": [BAD], "flags": [FLAG]}


class Api:
    def __init__(self, error: str | None = None) -> None:
        self.asked = list[tuple[str, dict[str, Any]]]()
        self._error = error

    def submit(self, job_type: str, payload: dict[str, Any]) -> dict[str, Any]:
        self.asked.append((job_type, payload))
        return {"id": "job-1", "state": "queued"}

    def job(self, job_id: str) -> dict[str, Any]:
        found: dict[str, Any] = {"id": job_id, "progress": 1, "note": "100 bars"}
        if self._error:
            error = {"type": "JobFailure", "message": self._error}
            return found | {"state": "dead", "result": None, "error": error}
        return found | {"state": "succeeded", "result": LOADED, "error": None}


@pytest.mark.parametrize("since", [None, "2024-01-01"])
def test_a_job_downloads_it_and_its_result_is_shown(tmp_path: Path, since: str | None) -> None:
    api, events = Api(), list[ProgressEvent]()
    wanted = Wanted("binance", "BTC/USDT", "1h", since)
    report = downloads.download(ops_with(api, tmp_path), wanted, events.append)  # type: ignore[arg-type]
    payload = {"exchange": "binance", "symbol": "BTC/USDT", "interval": "1h"}
    assert api.asked == [("download_candles", payload | ({"since": since} if since else {}))]
    assert report.exit_code == ExitCode.OK
    counts, rejected, odd = (section.tables[0].rows for section in report.sections[:3])
    assert counts == (("BINANCE:BTC/USDT", "1h", "5", "3", "1", "0", "1", "2"),)
    assert rejected == (("2024-01-01T05:00:00", BAD["reason"]),)
    assert odd == (("2024-01-02 03:00:00", "gap", "2 bars missing"),)
    assert "symbol=BINANCE:BTC/USDT interval=1h strategy" in said(report)
    assert "download_candles exchange=binance symbol=BTC/USDT interval=1h --every" in said(report)
    assert "100 bars" in [event.detail for event in events]


def test_one_that_fails_says_why_and_where_to_look(tmp_path: Path) -> None:
    ops = ops_with(Api("There is no exchange binanc."), tmp_path)  # type: ignore[arg-type]
    report = downloads.download(ops, Wanted("binanc", "BTC/USDT", "1d"), ignore_progress)
    (finding,) = report.findings
    assert finding.message == "BTC/USDT was not downloaded from binanc: There is no exchange binanc."
    assert finding.hint == "Look further: tradebot jobs show job-1"
    assert report.exit_code == ExitCode.FAILED


def test_screens(tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    seen = []
    for error, interval in ((None, "1h"), (None, "1d"), ("There is no exchange binanc.", "1d")):
        ops = ops_with(Api(error), tmp_path)  # type: ignore[arg-type]
        seen.append(whole(downloads.download(ops, Wanted("binance", "BTC/USDT", interval), ignore_progress)))
    assert "\n\n".join(seen) == snapshot


def test_only_so_many_rows_are_shown() -> None:
    many = [BAD | {"day": None, "reason": f"odd {number}"} for number in range(9)]
    flags = [FLAG | {"detail": str(number)} for number in range(9)]
    job = {"id": "j", "state": "succeeded", "result": LOADED | {"rejected_examples": many, "flags": flags}}
    found = downloads._report(Wanted("binance", "BTC/USDT", "1d"), job).sections
    assert found[1].tables[0].rows == tuple(("", f"odd {number}") for number in range(5))
    assert [row[2] for row in found[2].tables[0].rows] == list("01234")
    none = job | {"result": LOADED | {"rejected_examples": [], "flags": []}}
    assert len(downloads._report(Wanted("binance", "BTC/USDT", "1d"), none).sections) == 2


@pytest.mark.parametrize("error", [None, "It is away."])
def test_each_step_is_told_and_the_audit_log_has_its_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: str | None
) -> None:
    ops = ops_with(Api(error), tmp_path)  # type: ignore[arg-type]
    events: list[ProgressEvent] = []
    wanted = Wanted("binance", "BTC/USDT", "1h")
    downloads.download(ops, wanted, events.append)
    assert events == [
        ProgressEvent("BTC/USDT", Phase.STARTING, "100 bars"),
        ProgressEvent("BTC/USDT", Phase.FAILED if error else Phase.DONE),
    ]
    assert made(monkeypatch, lambda heard: downloads.download(ops, wanted, heard)) == [
        Made(("data download", "binance", "BTC/USDT", "1h"), leased=False)
    ]
