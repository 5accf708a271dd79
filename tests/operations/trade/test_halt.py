"""What a halt and a resume say, fact by fact, and by which way they reach the ledger."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.operations.seen import Made, made, refusal, whole
from tradebot_ops.context import Ops
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.errors import OpsError, Refused, Unreachable
from tradebot_ops.facts.project.bots import NONE
from tradebot_ops.model import Report
from tradebot_ops.operations.trade import halt as operation
from tradebot_ops.operations.trade.halt import jobs_after
from tradebot_ops.operations.trade.halting import NEVER
from tradebot_ops.operations.trade.known import Known
from tradebot_ops.settings import load_settings

NOW = datetime(2026, 11, 28, 9, 0, tzinfo=UTC)
IN_FORCE = NEVER | {"halted": True, "at": "2026-11-28T08:15:00Z", "by": "ana@desk", "reason": "fills look wrong"}
OVER = IN_FORCE | {"halted": False, "ended_at": "2026-11-28T08:59:00Z", "ended_by": "bob@desk", "ended_reason": ""}
IDLE = {"waiting": 0, "scheduled": 0, "retrying": 0, "running": 0}
NOT_KNOWN = {"state": "not known", "detail": NONE}


class Api:
    """``halts`` is what each question is answered with, the last one for ever; none: it gives no answer."""

    def __init__(self, *halts: Mapping[str, Any], queues: tuple[Mapping[str, int], ...] = ()) -> None:
        self.halts, self._queues, self.asked = list(halts), queues, list[Any]()

    def halted(self) -> Mapping[str, Any]:
        if not self.halts:
            raise Unreachable("it gave no answer", code="TB-0501")
        return self.halts.pop(0) if len(self.halts) > 1 else self.halts[0]

    def queues(self) -> tuple[Mapping[str, int], ...]:
        return self._queues

    def jobs(self, state: str, job_type: None, limit: int, cursor: str | None = None) -> dict[str, Any]:
        """Two pages; one job of the first has ended when it is asked, one is a canary."""
        assert (state, job_type) == ("running", None)
        names = {None: ["sweep", "over"], "more": ["canary", "backtest"]}[cursor]
        return {"jobs": [{"id": name, "type": name} for name in names], "next": None if cursor else "more"}

    def cancel(self, job_id: str) -> None:
        if job_id == "over":
            raise Refused("The job is already succeeded.", code="TB-0104")
        self.asked.append(("cancel", job_id))

    def halt(self, reason: str) -> None:
        self.asked.append(("halt", reason))

    def resume(self, reason: str) -> None:
        self.asked.append(("resume", reason))


class Ledger:
    """Postgres, asked directly."""

    def __init__(self, *halts: Mapping[str, Any]) -> None:
        self.halts, self.written = list(halts), list[Any]()

    def rows(self, query: Any, params: Any = ()) -> list[Mapping[str, Any]]:
        if "count(*)" in query:
            return [IDLE | {"running": 1}]
        return [self.halts.pop(0) if len(self.halts) > 1 else self.halts[0]] if self.halts else []

    @contextmanager
    def session(self) -> Iterator["Ledger"]:
        ledger = Ledger()
        ledger.rows = lambda query, params=(): self.written.append((query.split()[0], params)) or []  # type: ignore[method-assign,func-returns-value]
        yield ledger


def ops_with(folder: Path, api: Api, ledger: Ledger | None = None) -> Ops:
    settings = load_settings(
        {"project": "demo"}, {"TRADEBOT_STATE": str(folder), "HOME": str(folder), "USER": "ana"}, folder
    )
    ops = Ops(settings, StubEngine("demo"), clock=lambda: NOW)
    ops.__dict__["api"], ops.__dict__["postgres"] = api, ledger or Ledger()
    return ops


def facts(report: Report) -> Any:
    data: Any = report.data
    return data["facts"]


def line(report: Report) -> str:
    return report.sections[0].lines[0]


def test_a_halt_reports_each_fact_by_itself(tmp_path: Path) -> None:
    queues = (IDLE | {"running": 2, "waiting": 3, "retrying": 1}, IDLE | {"waiting": 10, "scheduled": 1})
    api = Api(NEVER, IN_FORCE, queues=queues)
    report = operation.halt(ops_with(tmp_path, api), "fills look wrong")
    assert api.asked == [("halt", "fills look wrong")]
    assert line(report) == (
        "The stack is halted, by ana@desk 45 min ago: fills look wrong. Once you know why: tradebot resume"
    )
    assert report.sections[0].tables[0].rows == (
        ("intake", "closed", "a job is refused (423)"),
        (
            "jobs",
            "2 running",
            "what runs goes on to its end, 14 jobs wait for the resume, 1 job waits for a later time",
        ),
        ("orders", "not known", NONE),
        ("positions", "not known", NONE),
    )
    assert facts(report)["orders"] == facts(report)["positions"] == NOT_KNOWN


def test_running_jobs_are_asked_to_end_where_that_is_wanted(tmp_path: Path) -> None:
    api = Api(NEVER, IN_FORCE, queues=(IDLE | {"running": 3},))
    report = operation.halt(ops_with(tmp_path, api), "fills look wrong", cancel_running=True)
    assert api.asked == [("halt", "fills look wrong"), ("cancel", "sweep"), ("cancel", "backtest")]
    assert facts(report)["jobs"] == {"state": "3 running", "detail": "2 asked to end"}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, ["why"]),
        ({"cancel_running": True}, ["--cancel-running", "why"]),
        ({"close": True, "cancel_running": True}, ["--close-positions", "--cancel-running", "why"]),
    ],
)
def test_the_audit_log_has_every_word_of_it(tmp_path: Path, options: dict[str, Any], words: list[str]) -> None:
    ops = ops_with(tmp_path, Api(NEVER, IN_FORCE))
    operation.halt(ops, "why", **options)
    began, _ = (ops.state.folder / "audit.jsonl").read_text().splitlines()
    assert json.loads(began)["arguments"] == words


def test_without_the_api_nobody_asks_them(tmp_path: Path) -> None:
    ledger = Ledger(OVER, IN_FORCE)
    with pytest.raises(Unreachable, match="halted all the same") as raised:
        operation.halt(ops_with(tmp_path, Api(), ledger), "why", cancel_running=True)
    assert (raised.value.code, len(ledger.written)) == ("TB-0566", 1)


def test_who_halts_a_halted_stack_hears_of_the_first_halt(tmp_path: Path) -> None:
    report = operation.halt(ops_with(tmp_path, Api(IN_FORCE)), "me, too")
    assert line(report).startswith("The stack was halted already, by ana@desk 45 min ago: fills look wrong.")


def test_a_resume_says_what_starts(tmp_path: Path) -> None:
    api = Api(IN_FORCE, OVER, queues=(IDLE | {"waiting": 14},))
    report = operation.resume(ops_with(tmp_path, api), "")
    assert api.asked == [("resume", "")]
    assert line(report) == "The stack works again. It was halted by ana@desk 45 min ago: fills look wrong."
    assert report.sections[0].tables[0].rows[:2] == (
        ("intake", "open", "jobs are taken"),
        ("jobs", "0 running", "14 jobs wait to start within seconds"),
    )


@pytest.mark.parametrize("latest", [NEVER, OVER])
def test_a_resume_of_a_stack_that_works_changes_nothing(tmp_path: Path, latest: Mapping[str, Any]) -> None:
    report = operation.resume(ops_with(tmp_path, Api(latest)), "")
    assert line(report) == "The stack was not halted; nothing was changed."


def test_without_the_api_the_ledger_is_written_itself(tmp_path: Path) -> None:
    ledger = Ledger(OVER, IN_FORCE)
    ops = ops_with(tmp_path, Api(), ledger)
    assert line(operation.halt(ops, "fills look wrong")).startswith("The stack is halted")
    ((verb, (by, reason)),) = ledger.written
    assert (verb, by.partition("@")[0], reason) == ("INSERT", "ana", "fills look wrong")
    ledger.halts = [IN_FORCE, OVER]
    report = operation.resume(ops, "all is well")
    assert line(report).startswith("The stack works again.")
    assert facts(report)["jobs"] == {"state": "1 running", "detail": "none waits"}
    assert ledger.written[-1][0] == "UPDATE"


@pytest.mark.parametrize(
    ("call", "after", "code"),
    [
        (lambda ops: operation.halt(ops, "why"), OVER, "TB-0163"),
        (lambda ops: operation.resume(ops, ""), IN_FORCE, "TB-0164"),
        (lambda ops: operation.halt(ops, " "), IN_FORCE, "TB-0277"),
    ],
)
def test_what_is_not_found_afterwards_was_not_done(tmp_path: Path, call: Any, after: Any, code: str) -> None:
    with pytest.raises(OpsError) as raised:
        call(ops_with(tmp_path, Api(after)))
    assert raised.value.code == code


@pytest.mark.parametrize(
    ("jobs", "halted", "known"),
    [
        (IDLE, True, Known("0 running", "none waits")),
        (IDLE, False, Known("0 running", "none waits")),
        (IDLE | {"running": 1}, True, Known("1 running", "what runs goes on to its end")),
        (IDLE | {"running": 1}, False, Known("1 running", "none waits")),
        (IDLE | {"retrying": 1}, True, Known("0 running", "1 job waits for the resume")),
        (IDLE | {"scheduled": 2}, False, Known("0 running", "2 jobs wait for a later time")),
    ],
)
def test_what_becomes_of_the_jobs(jobs: Mapping[str, int], halted: bool, known: Known) -> None:
    assert jobs_after(jobs, halted=halted) == known


def test_screens(tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    busy = (IDLE | {"running": 1, "waiting": 1, "retrying": 1, "scheduled": 2},)
    seen = [
        operation.halt(ops_with(tmp_path, Api(NEVER, IN_FORCE, queues=busy)), "fills look wrong"),
        operation.halt(ops_with(tmp_path, Api(IN_FORCE, queues=busy)), "fills look wrong", cancel_running=True),
        operation.resume(ops_with(tmp_path, Api(IN_FORCE, OVER, queues=busy)), "all is well"),
        operation.resume(ops_with(tmp_path, Api(NEVER, queues=(IDLE,))), ""),
    ]
    assert "\n\n".join(map(whole, seen)) == snapshot


def test_refusals(tmp_path: Path) -> None:
    seen = []
    for act in (
        lambda: operation.halt(ops_with(tmp_path, Api(NEVER)), " "),
        lambda: operation.halt(ops_with(tmp_path, Api(NEVER, OVER)), "fills look wrong"),
        lambda: operation.resume(ops_with(tmp_path, Api(IN_FORCE)), ""),
        lambda: operation.halt(ops_with(tmp_path, Api(), Ledger(NEVER, IN_FORCE)), "x", cancel_running=True),
    ):
        with pytest.raises(OpsError) as caught:
            act()
        seen.append(refusal(caught.value))
    same = "at the same moment"
    assert seen == [
        (
            "TB-0277",
            "A halt needs a reason: whoever is refused will ask for it.",
            "tradebot halt --reason 'fills look wrong'",
        ),
        (
            "TB-0163",
            f"The stack is not halted: bob@desk has resumed it {same}.",
            "tradebot halt --reason 'fills look wrong'",
        ),
        (
            "TB-0164",
            f"The stack is still halted: ana@desk has halted it {same}: fills look wrong.",
            "tradebot resume, once you know why",
        ),
        (
            "TB-0566",
            "Running jobs were not asked to end: the API gives no answer. The stack is halted all the same.",
            "tradebot restart api, then once more: tradebot halt --cancel-running",
        ),
    ]


def test_the_audit_log_has_the_words_and_no_up_holds_a_halt_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ops = ops_with(tmp_path, Api(NEVER, IN_FORCE))
    with ops.state.lock("up"):
        assert made(monkeypatch, lambda heard: operation.halt(ops, "odd", heard, close=True, cancel_running=True)) == [
            Made(("halt", "--close-positions", "--cancel-running", "odd"), leased=False)
        ]
        for reason, words in (("well", ("resume", "well")), ("", ("resume",))):
            over = ops_with(tmp_path, Api(IN_FORCE, OVER))
            assert made(monkeypatch, lambda heard: operation.resume(over, reason, heard)) == [Made(words, leased=False)]  # noqa: B023 - called at once


@pytest.mark.parametrize("halted", [True, False])
@pytest.mark.parametrize("asked", [0, 1])
@pytest.mark.parametrize("counts", [(0, 0, 0, 0), (1, 0, 0, 0), (0, 1, 0, 0), (1, 1, 1, 2), (0, 0, 2, 1)])
def test_what_becomes_of_jobs(halted: bool, asked: int, counts: tuple[int, ...], snapshot: SnapshotAssertion) -> None:
    jobs = dict(zip(("waiting", "retrying", "scheduled", "running"), counts, strict=True))
    assert jobs_after(jobs, halted=halted, asked=asked) == snapshot
