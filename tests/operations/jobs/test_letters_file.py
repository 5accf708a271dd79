"""Dead jobs in a file: what is written for whom, which files are refused, and why nothing is queued twice."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.operations.jobs.test_dead_letters import Api, dead, ops_with, said
from tests.operations.seen import Made, made, refusal
from tradebot_ops.errors import OpsError, Refused
from tradebot_ops.operations.jobs import letters_file
from tradebot_ops.progress import Phase, ProgressEvent

IDS = [f"57021200-0000-0000-0000-00000000000{number}" for number in range(3)]
DETAIL = {
    "version": 1,
    "payload": {"symbol": "AAPL"},
    "kills": 0,
    "deferrals": 0,
    "submitted_at": "2026-11-26T10:00:00Z",
    "trace_id": "",
}


def full(number: int, group: str = "f1") -> dict[str, Any]:
    return dead(number, group) | DETAIL | {"id": IDS[number]}


class Store(Api):
    """Its dead jobs; those that it does not know are submitted by their key."""

    def __init__(self, *jobs: dict[str, Any], refuse: str = "") -> None:
        super().__init__(*jobs)
        self.keys, self.refuse = set[str](), refuse

    def known_job(self, job_id: str) -> dict[str, Any] | None:
        return next((job | {"state": "dead"} for job in self.dead if job["id"] == job_id), None)

    def submit_once(self, job_type: str, payload: dict[str, Any], key: str) -> bool:
        if self.refuse in key and self.refuse:
            raise Refused("type: 'sweeep' is unknown.", code="TB-0104")
        new = key not in self.keys
        self.keys.add(key)
        return new

    def replay(self, job: str, *, again: bool) -> dict[str, Any] | None:
        super().replay(job, again=again)
        (found,) = (each for each in self.dead if each["id"] == job)
        found["replays"] += 1
        return {} if found["replays"] == 1 else None


def test_a_file_for_its_owner_alone_a_line_each(tmp_path: Path) -> None:
    file = tmp_path / "dead.jsonl"
    report = letters_file.export(ops_with(Store(full(0), full(1, "f2")), tmp_path), file, group=None, every=True)
    assert report.data == {"file": str(file), "jobs": 2}
    assert file.stat().st_mode & 0o777 == 0o600
    first, second = map(json.loads, file.read_text().splitlines())
    assert (first["format"], first["id"], first["payload"]) == (letters_file.FORMAT, IDS[0], {"symbol": "AAPL"})
    assert second["error"]["fingerprint"] == "f2"
    assert first.keys() == {
        "format", "id", "type", "version", "payload", "attempt", "max_attempts", "kills", "deferrals", "replays",
        "worker", "submitted_at", "finished_at", "peak_memory_bytes", "trace_id", "error",
    }  # fmt: skip


def test_no_secret_of_the_project_is_written(tmp_path: Path) -> None:
    job = full(0)
    ops = ops_with(Store(job), tmp_path)
    for name in ops.stack.secrets:
        secret = ops.secret_file(name)
        secret.parent.mkdir(parents=True, exist_ok=True)
        secret.write_text(f"a-secret-called-{name}\n")
        secret.chmod(0o600)
    job["error"]["message"] = f"cannot connect with {ops.secret('postgres_app_password').reveal()}"
    letters_file.export(ops, tmp_path / "x", group="f1", every=False)
    assert "[REDACTED]" in (tmp_path / "x").read_text()
    assert "a-secret-called" not in (tmp_path / "x").read_text()


@pytest.mark.parametrize("wanted", [{"group": None, "every": False}, {"group": "f1", "every": True}])
def test_an_export_of_nothing_or_of_two_things_is_refused(wanted: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(OpsError, match="Say which dead jobs to export") as caught:
        letters_file.export(ops_with(Store(full(0)), tmp_path), tmp_path / "x", **wanted)
    assert caught.value.code == "TB-0290"
    assert not (tmp_path / "x").exists()


def test_a_file_is_queued_once_however_often_it_is_imported(tmp_path: Path) -> None:
    file = tmp_path / "dead.jsonl"
    letters_file.export(ops_with(Store(full(0), full(1), full(2)), tmp_path), file, group=None, every=True)
    elsewhere = ops_with(Store(full(0)), tmp_path)  # one is dead here, too; two are unknown
    assert said(letters_file.import_(elsewhere, file)) == "3 jobs were queued."
    again = letters_file.import_(elsewhere, file)
    assert again.data == {"queued": [], "left_out": IDS}
    assert said(again).startswith("0 jobs were queued. 3 jobs were left out")


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("{", "line 2 is no dead job: "),
        ("[" * 100_000, "line 2 is no dead job: "),
        ("[]", r"line 2 is no dead job: \[\] where an object belongs"),
        ('{"format": "x"}', "line 2 is no dead job: its format is 'x'"),
        (json.dumps({"format": letters_file.FORMAT, "id": "../jobs", "type": "x"}), "line 2 is no dead job: "),
        (json.dumps({"format": letters_file.FORMAT, "id": IDS[0], "type": "x"}), "it has no payload"),
        (json.dumps({"format": letters_file.FORMAT, "id": IDS[0], "type": 1}), "type: 1 where text belongs"),
    ],
)
def test_a_bad_line_is_named_and_nothing_is_queued(line: str, why: str, tmp_path: Path) -> None:
    good = json.dumps({"format": letters_file.FORMAT, "id": IDS[0], "type": "x", "payload": {}})
    (tmp_path / "x").write_text(f"{good}\n{line}\n")
    store = Store()
    with pytest.raises(OpsError, match=why) as caught:
        letters_file.import_(ops_with(store, tmp_path), tmp_path / "x")
    assert (caught.value.code, store.keys) == ("TB-0291", set())


def test_what_is_no_text_or_not_there_is_said(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"\xff\xfe")
    for name, why in (("x", "it is no text"), ("y", "Cannot read .*No such file")):
        with pytest.raises(OpsError, match=why) as caught:
            letters_file.import_(ops_with(Store(), tmp_path), tmp_path / name)
        assert caught.value.code == "TB-0291"


def test_a_job_that_the_api_refuses_is_named_by_its_line(tmp_path: Path) -> None:
    lines = [json.dumps({"format": letters_file.FORMAT, "id": each, "type": "x", "payload": {}}) for each in IDS]
    (tmp_path / "x").write_text("\n".join(lines))
    with pytest.raises(OpsError, match=r"Line 2 of .* was refused, those before it are queued: type") as caught:
        letters_file.import_(ops_with(Store(refuse=IDS[1]), tmp_path), tmp_path / "x")
    assert caught.value.code == "TB-0294"


def test_all_that_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, events = tmp_path / "dead.jsonl", list[ProgressEvent]()
    report = letters_file.export(
        ops_with(Store(full(0), full(1)), tmp_path), file, group=None, every=True, on_progress=events.append
    )
    assert (report.data, report.sections[0].lines) == (
        {"file": str(file), "jobs": 2},
        (f"2 jobs were written to {file}; they are dead here as before.",),
    )
    elsewhere = ops_with(Store(), tmp_path)
    report = letters_file.import_(elsewhere, file, on_progress=events.append)
    assert (report.data, report.sections[0].lines) == (
        {"queued": IDS[:2], "left_out": []},
        ("2 jobs were queued.",),
    )
    report = letters_file.import_(elsewhere, file, on_progress=events.append)
    assert report.sections[0].lines[1] == "2 jobs were left out: queued before, or dead no more."
    assert events == [
        ProgressEvent("export", Phase.DONE, "2"),
        ProgressEvent("import", Phase.STARTING, "1 of 2"),
        ProgressEvent("import", Phase.STARTING, "2 of 2"),
        ProgressEvent("import", Phase.DONE, "2 of 2"),
        ProgressEvent("import", Phase.STARTING, "1 of 2"),
        ProgressEvent("import", Phase.STARTING, "2 of 2"),
        ProgressEvent("import", Phase.DONE, "0 of 2"),
    ]
    assert made(monkeypatch, lambda heard: letters_file.import_(elsewhere, file, on_progress=heard)) == [
        Made(("dlq import", str(file)), leased=False)
    ]


def test_a_file_that_is_none_says_what_to_import(tmp_path: Path) -> None:
    with pytest.raises(OpsError) as caught:
        letters_file.read(tmp_path / "x")
    assert refusal(caught.value) == (
        "TB-0291",
        f"Cannot read {tmp_path / 'x'}: No such file or directory.",
        "Import what `tradebot dlq export` wrote: tradebot dlq import FILE",
    )
