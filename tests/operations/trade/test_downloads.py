"""Prices of exchanges: what is asked of the workers, and what their answer becomes."""

from pathlib import Path
from typing import Any

import pytest

from tests.operations.jobs.test_dead_letters import ops_with, said
from tests.operations.trade.test_data import RESULT
from tradebot_ops.errors import ExitCode
from tradebot_ops.operations.trade import downloads
from tradebot_ops.operations.trade.downloads import Wanted
from tradebot_ops.progress import ProgressEvent, ignore_progress

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
