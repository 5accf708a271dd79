"""Every level of the checks on the API."""

from dataclasses import replace
from types import SimpleNamespace
from typing import cast

from tradebot_ops.clients.api import Answer
from tradebot_ops.context import Ops
from tradebot_ops.facts import api
from tradebot_ops.facts.api import Doors, Health, Moved, Shown, _fallen
from tradebot_ops.facts.metrics.samples import parse
from tradebot_ops.model import Level
from tradebot_ops.monitoring.contract import Metric
from tradebot_ops.prodcheck.stages.api.doors import shut
from tradebot_ops.prodcheck.stages.api.health import answers, truthful
from tradebot_ops.prodcheck.stages.api.metrics import complete, counts, disciplined

GOOD = Answer(200, "{}", 0.01)
NAMED = {name: {"status": "ok", "latency_ms": 1.0} for name in ("redis", "postgres", "workers", "queue")}
UP = {"redis": "", "postgres": ""}
DOORS = Doors(job=401, webhook=401, method=405, body=413, docs=200)
METRIC = Metric("http_requests_total", "counter", frozenset({"method", "endpoint", "status"}), "api")


def exposition(endpoints: list[str], value: int = 1) -> str:
    rows = [f'http_requests_total{{method="GET",endpoint="{each}",status="200"}} {value}' for each in endpoints]
    return "\n".join(["# TYPE http_requests_total counter", *rows, ""])


def test_answers() -> None:
    assert answers((GOOD,) * 5).level is Level.PASS
    assert answers((*[GOOD] * 4, replace(GOOD, seconds=1.0))).level is Level.WARN
    assert answers((*[GOOD] * 4, replace(GOOD, status=503))).level is Level.FAIL


def test_truthful() -> None:
    assert truthful(Health({"dependencies": NAMED}, UP)).level is Level.PASS
    down = NAMED | {"redis": {"status": "down", "latency_ms": None}}
    assert truthful(Health({"dependencies": down}, UP | {"redis": "refused"})).level is Level.PASS
    assert truthful(Health({"dependencies": down}, UP)).level is Level.FAIL
    assert truthful(Health({"dependencies": NAMED}, UP | {"postgres": "refused"})).level is Level.FAIL
    assert truthful(Health({"dependencies": NAMED | {"queue": {"status": "ok"}}}, UP)).level is Level.FAIL
    assert truthful(Health({"dependencies": {"redis": NAMED["redis"]}}, UP)).level is Level.FAIL


def test_complete() -> None:
    families = Shown(parse(exposition(["/jobs"])))
    assert complete(families, (METRIC,)).level is Level.PASS
    assert complete(Shown({}), (METRIC,)).observed == "http_requests_total is missing"
    assert complete(families, (replace(METRIC, type="gauge"),)).level is Level.FAIL
    assert complete(families, (replace(METRIC, labels=METRIC.labels | {"user"}),)).level is Level.FAIL
    # What workers emit is not the API's to show.
    assert complete(Shown({}), (replace(METRIC, source="worker"),)).level is Level.PASS


def test_counts() -> None:
    assert counts(Moved(10, 10, 10)).level is Level.PASS
    for frozen_or_wrong in (Moved(10, 0, 10), Moved(10, 10, 9), Moved(10, 11, 10), Moved(10, 10, 10, ("x_total",))):
        assert counts(frozen_or_wrong).level is Level.FAIL


def test_a_counter_that_fell_or_went_away_is_seen() -> None:
    high, low = parse(exposition(["/jobs"], 5)), parse(exposition(["/jobs"], 4))
    assert _fallen(high, low) == ["http_requests_total"]
    assert _fallen(high, {}) == ["http_requests_total"]
    assert _fallen(low, high) == []


def test_disciplined() -> None:
    assert disciplined(Shown(parse(exposition(["/jobs/{job_id}", "<unmatched>"])))).level is Level.PASS
    assert disciplined(Shown(parse(exposition(["/jobs/123"])))).level is Level.FAIL
    assert disciplined(Shown(parse(exposition([f"/a{n}b" for n in range(400)])))).level is Level.WARN
    assert disciplined(Shown(parse(exposition([f"/a{n}b" for n in range(500)])))).level is Level.FAIL


def test_shut() -> None:
    assert shut(DOORS, "dev").level is Level.PASS
    assert shut(DOORS, "prod").level is Level.WARN
    assert shut(replace(DOORS, docs=404), "prod").level is Level.PASS
    for opened in ({"job": 202}, {"webhook": 200}, {"method": 200}, {"body": 422}):
        assert shut(replace(DOORS, **opened), "dev").level is Level.FAIL


def test_what_is_no_exposition_fails() -> None:
    page = SimpleNamespace(api=SimpleNamespace(metrics=lambda: "<html>not metrics</html>"))
    shown = api.metrics(cast("Ops", page))
    assert shown.unreadable
    assert complete(shown, (METRIC,)).level is Level.FAIL
