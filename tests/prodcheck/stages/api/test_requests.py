"""Every level of the checks on how requests are served, and where their facts come from."""

import json
import math
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tradebot_ops.clients.api import Answer
from tradebot_ops.context import Ops
from tradebot_ops.engines.base import LogLine
from tradebot_ops.errors import Unreachable
from tradebot_ops.facts import requests
from tradebot_ops.facts.asking import Facts
from tradebot_ops.facts.fact import Unknown
from tradebot_ops.facts.requests import Logged, Served
from tradebot_ops.model import Level
from tradebot_ops.prodcheck.stages.api.requests import SAYS, on_record, soon, succeeds

SERVED = Served(0.1, 0.0, 100.0, "Prometheus")
ID = "tradebot-check-1"
LINE = dict.fromkeys(SAYS, "x") | {"request_id": ID, "status": 200}


@pytest.mark.parametrize(("p95", "level"), [(0.7, Level.PASS), (0.71, Level.WARN), (1.0, Level.FAIL)])
def test_soon(p95: float, level: Level) -> None:
    assert soon(Served(p95, 0.0, 100.0, "Prometheus")).level is level


@pytest.mark.parametrize(("share", "level"), [(0.009, Level.PASS), (0.01, Level.WARN), (0.05, Level.FAIL)])
def test_succeeds(share: float, level: Level) -> None:
    assert succeeds(Served(0.1, share, 100.0, "Prometheus")).level is level


def test_on_record() -> None:
    good = json.dumps(LINE)
    assert on_record(Logged(ID, 200, (good,))).level is Level.PASS
    short = json.dumps({name: value for name, value in LINE.items() if name != "duration_ms"})
    for wrong in ((), (f"GET /health {ID} 200",), (good, good), (short,), (json.dumps(LINE | {"status": 500}),)):
        assert on_record(Logged(ID, 200, wrong)).level is Level.FAIL
    # A line that is no object, and one that names the id elsewhere, are not the line that is looked for.
    assert on_record(Logged(ID, 200, (f'"{ID}"', json.dumps({"event": ID})))).level is Level.FAIL


def ops(values: list[float] | None, seconds: float = 0.01, status: int = 200) -> Ops:
    """Prometheus answers its queries with ``values`` in their order; None: it is away."""
    left = list(values or ())

    def query(_expression: str) -> list[Any]:
        if values is None:
            raise Unreachable("Prometheus does not run.", code="TB-0510")
        value = left.pop(0)
        return [] if math.isnan(value) else [SimpleNamespace(value=value)]

    def knock(_method: str, _path: str, *, keyed: bool) -> Answer:
        assert keyed, "beyond loopback a stranger reads nothing"
        return Answer(status, "", seconds)

    made = SimpleNamespace(prometheus=SimpleNamespace(query=query), api=SimpleNamespace(knock=knock))
    return cast("Ops", made)


def test_prometheus_is_asked_and_where_it_knows_too_little_the_api_itself() -> None:
    assert requests.served(ops([100.0, 0.2, 0.03])).p95 == 0.2
    for little in ([3.0, 0.2, 0.0], [100.0, math.nan, math.nan], None):
        found = requests.served(ops(little, seconds=2.0, status=503))
        assert (found.p95, found.errors, found.requests) == (2.0, 1.0, 20)


def test_what_was_mended_two_minutes_ago_is_not_what_is_wrong_now() -> None:
    found = requests.lately(ops([100.0, 0.2, 0.03]))
    assert (found.p95, found.source) == (0.2, "Prometheus, over 2 minutes")
    assert all("[2m]" in each and "15m" not in each for each in requests.expressions(2))


def test_an_api_that_is_away_is_no_answer() -> None:
    def away(*_args: object) -> Answer:
        raise Unreachable("The API cannot be reached.", code="TB-0501")

    made = SimpleNamespace(api=SimpleNamespace(knock=away), clock=lambda: datetime.now(UTC))
    answer = Facts(cast("Ops", made)).value(requests.logged)
    assert isinstance(answer, Unknown)


def test_the_line_is_found_among_others() -> None:
    given: list[str] = []

    def knock(_method: str, _path: str, headers: dict[str, str]) -> Answer:
        given.append(headers["X-Request-ID"])
        return Answer(200, "", 0.01)

    def logs(_query: object) -> list[LogLine]:
        return [LogLine("api", 1, text) for text in ("another line", json.dumps(LINE | {"request_id": given[0]}))]

    made = SimpleNamespace(
        api=SimpleNamespace(knock=knock), engine=SimpleNamespace(logs=logs), clock=lambda: datetime.now(UTC)
    )
    found = requests.logged(cast("Ops", made))
    assert len(found.lines) == 1
    assert on_record(found).level is Level.PASS
