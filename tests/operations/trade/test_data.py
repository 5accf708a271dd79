"""Prices of one's own: what goes to the API, in which order, and what is left when a file cannot be loaded."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.operations.jobs.test_dead_letters import ops_with, said
from tests.operations.seen import Made, made, refusal, whole
from tradebot_ops.errors import ExitCode, OpsError
from tradebot_ops.operations.trade import data
from tradebot_ops.operations.trade.data import Asked
from tradebot_ops.progress import Phase, ProgressEvent, ignore_progress

RESULT = {
    "interval": "1h",
    "read": 5,
    "inserted": 3,
    "updated": 1,
    "unchanged": 0,
    "rejected": 1,
    "rejected_examples": [{"line": 4, "symbol": "MINE", "day": None, "reason": "close is not positive: close -1"}],
    "flagged": {"gap": 2},
    "symbols": [{"symbol": "MINE", "rows": 4, "first": "2024-01-02", "last": "2024-01-05"}],
}

LINES = ("Date,Symbol,Open,High,Low,Close,Volume", "2024-01-02,AAPL,10,11,9,10.5,")
AMBIGUOUS = "03/04/2020 is one of two days: dates=dmy or dates=mdy"


class Api:
    """Loads each file but those whose content says no; ``log`` has every change that was asked for."""

    def __init__(self) -> None:
        self.log = list[Any]()
        self.jobs = dict[str, dict[str, Any]]()
        self.known: list[dict[str, Any]] = [
            {"symbol": "AAPL", "interval": "1d", "first": "2012-01-03T00:00:00Z", "last": "2024-12-31T00:00:00Z",
             "rejected": 0},
            {"symbol": "BTC/USDT", "interval": "1h", "first": "2024-01-01T07:00:00Z", "last": None, "rejected": 3},
        ]  # fmt: skip

    def upload(self, name: str, file: Path) -> None:
        self.log.append(("upload", name, file.read_text()))

    def remove_upload(self, name: str) -> None:
        self.log.append(("remove upload", name))

    def submit(self, job_type: str, payload: dict[str, Any]) -> dict[str, Any]:
        self.log.append((job_type, payload))
        fine = self.log[-2][2] != "no"
        error = (
            None if fine else {"type": "JobFailure", "message": "03/04/2020 is one of two days: dates=dmy or dates=mdy"}
        )
        job: dict[str, Any] = {
            "id": f"job-{len(self.jobs)}",
            "state": "succeeded" if fine else "dead",
            "progress": 1,
            "note": "read",
        }
        self.jobs[job["id"]] = job | {"result": RESULT if fine else None, "error": error}
        return job

    def job(self, job_id: str) -> dict[str, Any]:
        return self.jobs[job_id]

    def series(self) -> list[dict[str, Any]]:
        return self.known

    def series_lines(self, symbol: str, interval: str) -> Iterator[str] | None:
        return iter(LINES) if (symbol, interval) in {("AAPL", "1d"), ("BTC/USDT", "1h")} else None

    def remove_series(self, symbol: str, interval: str) -> int | None:
        self.log.append(("remove", symbol, interval))
        return 12 if symbol == "AAPL" else None


def file(folder: Path, name: str, content: str = "yes") -> Path:
    path = folder / name
    path.write_text(content)
    return path


def test_a_file_is_uploaded_loaded_and_shown(tmp_path: Path) -> None:
    api = Api()
    ops = ops_with(api, tmp_path)  # type: ignore[arg-type]
    report = data.load(
        ops, [file(tmp_path, "mine (1).csv")], Asked("MINE", dates="dmy"), ignore_progress, dry_run=False
    )
    assert api.log == [
        ("upload", "mine _1_.csv", "yes"),
        ("load_candles", {"file": "mine _1_.csv", "symbol": "MINE", "dates": "dmy"}),
    ]
    assert report.exit_code == ExitCode.OK
    counts, examples = (section.tables[0].rows for section in report.sections[:2])
    assert counts == (("mine (1).csv", "1h", "5", "3", "1", "0", "1", "2"),)
    assert examples == (("4", "MINE", "close is not positive: close -1"),)
    assert "symbol=MINE interval=1h strategy=sma_cross" in said(report)


def test_a_check_stores_nothing_and_leaves_nothing(tmp_path: Path) -> None:
    api = Api()
    ops = ops_with(api, tmp_path)  # type: ignore[arg-type]
    report = data.load(ops, [file(tmp_path, "mine.csv")], Asked(), ignore_progress, dry_run=True)
    assert api.log[1:] == [("load_candles", {"file": "mine.csv", "dry_run": True}), ("remove upload", "mine.csv")]
    assert "Nothing was stored" in said(report)


def test_one_that_cannot_be_loaded_is_a_failure_and_the_others_go_on(tmp_path: Path) -> None:
    api = Api()
    files = [file(tmp_path, "odd.csv", "no"), file(tmp_path, "mine.csv")]
    ops = ops_with(api, tmp_path)  # type: ignore[arg-type]
    report = data.load(ops, files, Asked(), ignore_progress, dry_run=False)
    [finding] = report.findings
    assert finding.message == "odd.csv was not loaded: 03/04/2020 is one of two days: dates=dmy or dates=mdy."
    assert finding.hint.endswith("tradebot jobs show job-0")
    assert report.exit_code == ExitCode.FAILED
    assert [entry for entry in api.log if entry[0] == "remove upload"] == [("remove upload", "odd.csv")]
    assert [row[0] for row in report.sections[0].tables[0].rows] == ["mine.csv"]


def test_a_file_that_is_not_there_is_named_before_anything_is_uploaded(tmp_path: Path) -> None:
    api = Api()
    files = [file(tmp_path, "mine.csv"), tmp_path / "none.csv", tmp_path]
    for missing in files[1:]:
        with pytest.raises(OpsError, match=missing.name) as caught:
            data.load(ops_with(api, tmp_path), [files[0], missing], Asked(), ignore_progress, dry_run=False)  # type: ignore[arg-type]
        assert caught.value.code == "TB-0273"
    assert api.log == []


def test_series_have_days_or_times(tmp_path: Path) -> None:
    api = Api()
    report = data.listed(ops_with(api, tmp_path))  # type: ignore[arg-type]
    assert report.sections[0].tables[0].rows == (
        ("AAPL", "1d", "2012-01-03", "2024-12-31", ""),
        ("BTC/USDT", "1h", "2024-01-01 07:00", "", "3"),
    )
    api.known = []
    assert "tradebot data import" in said(data.listed(ops_with(api, tmp_path)))  # type: ignore[arg-type]


def test_a_series_is_removed_once_that_was_confirmed(tmp_path: Path) -> None:
    api, warnings = Api(), list[str]()
    ops = ops_with(api, tmp_path)  # type: ignore[arg-type]

    def refuse(warning: str) -> None:
        raise OpsError(warning, code="TB-0902")

    with pytest.raises(OpsError):
        data.remove(ops, "AAPL", "1d", refuse)
    assert api.log == []
    assert said(data.remove(ops, "AAPL", "1d", warnings.append)) == "Removed the prices of AAPL at 1d: 12 bars."
    assert warnings == ["This removes the prices of AAPL at 1d."]
    with pytest.raises(OpsError, match="no prices of GOOG at 5m") as caught:
        data.remove(ops, "GOOG", "5m", warnings.append)
    assert caught.value.code == "TB-0138"


def test_a_series_is_exported_and_the_way_back_is_named(tmp_path: Path) -> None:
    ops = ops_with(Api(), tmp_path)  # type: ignore[arg-type]
    file = tmp_path / "my prices.csv"
    report = data.export(ops, "BTC/USDT", "1h", file, force=False)
    assert file.read_text().splitlines() == [*LINES]
    assert report.sections[0].lines == (
        f"Wrote 1 bar of BTC/USDT at 1h to {file}.",
        f"To read them again: tradebot data import '{file}' --interval 1h",
    )
    assert data.export(ops, "AAPL", "1d", None, force=False).data == {
        "symbol": "AAPL", "interval": "1d", "csv": [*LINES],
    }  # fmt: skip
    with pytest.raises(OpsError, match="no prices of AAPL at 5m") as caught:
        data.lines(ops, "AAPL", "5m")
    assert caught.value.code == "TB-0138"


def test_an_export_replaces_no_file_unasked_and_leaves_it_where_the_bars_do_not_all_come(tmp_path: Path) -> None:
    api = Api()
    ops = ops_with(api, tmp_path)  # type: ignore[arg-type]
    mine = file(tmp_path, "AAPL.csv", "mine")
    with pytest.raises(OpsError, match="is there already") as caught:
        data.export(ops, "AAPL", "1d", mine, force=False)
    assert (caught.value.exit_code, mine.read_text()) == (ExitCode.REFUSED, "mine")

    def cut(symbol: str, interval: str) -> Iterator[str]:
        yield LINES[0]
        raise OpsError("cut off", code="TB-0501")

    api.series_lines, whole = cut, api.series_lines  # type: ignore[method-assign]
    with pytest.raises(OpsError, match="cut off"):
        data.export(ops, "AAPL", "1d", mine, force=True)
    assert (mine.read_text(), [*tmp_path.glob(".AAPL*")]) == ("mine", [])
    api.series_lines = whole  # type: ignore[method-assign]
    data.export(ops, "AAPL", "1d", mine, force=True)
    assert mine.read_text().splitlines() == [*LINES]


def test_screens(tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    api = Api()
    ops = ops_with(api, tmp_path)  # type: ignore[arg-type]
    files = [file(tmp_path, "odd.csv", "no"), file(tmp_path, "mine.csv")]
    seen = [
        data.load(ops, files, Asked(), ignore_progress, dry_run=False),
        data.load(ops, files[1:], Asked(), ignore_progress, dry_run=True),
        data.load(ops, files[:1], Asked(), ignore_progress, dry_run=True),
        data.listed(ops),
        data.remove(ops, "AAPL", "1d", lambda _: None),
        data.export(ops, "AAPL", "1d", tmp_path / "out.csv", force=False),
        data.export(ops, "BTC/USDT", "1h", None, force=False),
    ]
    api.known = []
    seen.append(data.listed(ops))
    assert "\n\n".join(map(whole, seen)).replace(str(tmp_path), "HOME") == snapshot


def test_refusals(tmp_path: Path) -> None:
    ops = ops_with(Api(), tmp_path)  # type: ignore[arg-type]
    there = file(tmp_path, "AAPL.csv", "mine")
    acts = (
        lambda: data.load(ops, [tmp_path / "none"], Asked(), ignore_progress, dry_run=True),
        lambda: data.lines(ops, "GOOG", "1d"),
        lambda: data.remove(ops, "GOOG", "1d", lambda _: None),
        lambda: data.export(ops, "AAPL", "1d", there, force=False),
    )
    seen = []
    for act in acts:
        with pytest.raises(OpsError) as caught:
            act()
        seen.append(refusal(caught.value))
    none = ("TB-0138", "There are no prices of GOOG at 1d.", "tradebot data list")
    assert seen == [
        (
            "TB-0273",
            f"{tmp_path}/none cannot be read: No such file or directory.",
            "Name a CSV file, plain, .gz or .zip.",
        ),
        none,
        none,
        ("TB-0930", f"{there} is there already, and may be what was imported.", "Name another file, or add: --force"),
    ]


@pytest.mark.parametrize(("content", "dry_run"), [("yes", False), ("no", True)])
def test_each_step_of_a_file_is_told_and_the_audit_log_has_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str, dry_run: bool
) -> None:
    ops = ops_with(Api(), tmp_path)  # type: ignore[arg-type]
    mine = file(tmp_path, "mine.csv", content)
    events: list[ProgressEvent] = []
    data.load(ops, [mine], Asked(), events.append, dry_run=dry_run)
    assert events == [
        ProgressEvent("mine.csv", Phase.PREPARING, f"uploading {len(content)} B"),
        ProgressEvent("mine.csv", Phase.STARTING, "read"),
        ProgressEvent("mine.csv", Phase.FAILED if content == "no" else Phase.DONE),
    ]
    verb = "data check" if dry_run else "data import"
    assert made(monkeypatch, lambda heard: data.load(ops, [mine, mine], Asked(), heard, dry_run=dry_run)) == [
        Made((verb, "mine.csv", "mine.csv"), leased=False)
    ]
    assert made(monkeypatch, lambda heard: data.remove(ops, "AAPL", "1d", lambda _: None, heard)) == [
        Made(("data rm", "AAPL", "1d"), leased=False)
    ]


@pytest.mark.parametrize(
    ("typed", "name"),
    [("a b-c_d.csv", "a b-c_d.csv"), (".hidden", "_hidden"), ("-x", "_x"), ("a/b"[2:], "b"), ("é#", "é_")],
)
def test_a_name_that_the_api_takes(tmp_path: Path, typed: str, name: str) -> None:
    api = Api()
    data.load(ops_with(api, tmp_path), [file(tmp_path, typed)], Asked(), ignore_progress, dry_run=False)  # type: ignore[arg-type]
    assert api.log[0][1] == name


def test_only_so_many_rejected_rows_are_shown(tmp_path: Path) -> None:
    """Over all files."""
    many = [{"line": number, "symbol": "X", "reason": "odd"} for number in range(4)]
    jobs = [{"id": "j", "state": "succeeded", "result": RESULT | {"rejected_examples": many}}] * 2
    found = data._report([Path("a"), Path("b")], jobs, dry_run=False)
    assert [row[0] for row in found.sections[1].tables[0].rows] == ["0", "1", "2", "3", "0"]
    without = RESULT | {"symbols": [], "rejected_examples": []}
    assert len(data._report([Path("a")], [jobs[0] | {"result": without}], dry_run=False).sections) == 1
    daily = data._next([(Path("a"), RESULT | {"interval": "1d"})], dry_run=False)
    assert daily == ("Next: tradebot jobs submit backtest symbol=MINE strategy=sma_cross fast=10 slow=30 --wait",)


@pytest.mark.parametrize(
    ("job", "why"),
    [
        ({"state": "dead", "error": {"message": "It broke."}}, "It broke."),
        ({"state": "cancelled", "error": None}, "the job is cancelled"),
        ({"state": "cancelled"}, "the job is cancelled"),
    ],
)
def test_why_a_job_has_not_succeeded(job: dict[str, Any], why: str) -> None:
    assert data.reason_of(job) == why
