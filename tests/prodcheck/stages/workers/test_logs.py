"""What workers write, judged at every level."""

import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import cast

import pytest

from tradebot_ops.context import Ops
from tradebot_ops.engines.base import LogLine, LogQuery, Replica, State
from tradebot_ops.errors import OpsError
from tradebot_ops.facts.asking import Facts
from tradebot_ops.facts.fact import Unknown
from tradebot_ops.facts.replicas.logs import Entry
from tradebot_ops.facts.work import workers
from tradebot_ops.model import Level
from tradebot_ops.prodcheck.stages.workers.logs import SAYS, written
from tradebot_ops.text.log_line import json_object

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
DONE = dict.fromkeys(SAYS, "x") | {"event": "job done"}
BROKEN = {"event": "oops", "exception": "Traceback …"}


def lines(*records: object, at: datetime = NOW) -> tuple[Entry, ...]:
    texts = (each if isinstance(each, str) else json.dumps(each) for each in records)
    return tuple(Entry(LogLine("worker", 1, text, at), json_object(text)) for text in texts)


@pytest.mark.parametrize(
    ("log", "level"),
    [
        (lines(DONE, {"event": "redis is back"}), Level.PASS),
        ((), Level.WARN),
        (lines(*[DONE] * 9, "plain"), Level.WARN),
        (lines(*[DONE] * 8, "plain", "plain"), Level.FAIL),
        (lines("7", '"x"', "[]"), Level.FAIL),
        (lines(DONE | {"event": "job failed"}, {"event": "job failed", "job_id": "7"}), Level.FAIL),
        (lines(DONE, BROKEN), Level.WARN),
        (lines(DONE, *[BROKEN] * 5), Level.FAIL),
        # An outage that is over.
        (lines(DONE, *[BROKEN] * 5, at=NOW - timedelta(hours=1)), Level.PASS),
    ],
)
def test_written(log: tuple[Entry, ...], level: Level) -> None:
    assert written(log, NOW).level is level


def test_an_engine_that_gives_no_logs_is_no_answer() -> None:
    def logs(_query: LogQuery) -> list[LogLine]:
        raise OpsError("The engine cannot read logs.", code="TB-0402")

    worker = Replica("worker", 1, "id", "worker-1", State.RUNNING, started_at=NOW - timedelta(seconds=2))
    ops = cast("Ops", SimpleNamespace(engine=SimpleNamespace(logs=logs, list=lambda: [worker])))
    answer = Facts(ops).value(workers.log)
    assert isinstance(answer, Unknown)


def test_the_fact_leaves_out_an_earlier_life_and_other_services() -> None:
    old, new = lines("plain", at=NOW - timedelta(hours=1)), lines(DONE)
    other = LogLine("api", 1, "plain", NOW)
    worker = Replica("worker", 1, "id", "worker-1", State.RUNNING, started_at=NOW - timedelta(seconds=2))
    written = [each.line for each in (*old, *new)]
    engine = SimpleNamespace(logs=lambda _query: [*written, other], list=lambda: [worker])
    assert Facts(cast("Ops", SimpleNamespace(engine=engine))).value(workers.log) == new
