"""A scanner cannot mint series: whatever it asks for, the API exports the same ones."""

import asyncio
from collections.abc import Iterable
from contextlib import nullcontext

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from prometheus_client.parser import text_string_to_metric_families
from starlette.types import Message, Receive, Scope, Send

from services.api.app import ROUTERS, create_app
from services.api.middleware.metrics import FAILURES, MetricsMiddleware
from services.common.jobtypes import Registry
from services.common.metrics import create_metrics
from services.common.settings import Settings

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
SHAPES = (
    "/scan{}",
    "/scan{}/.env",
    "/jobs/scan{}/secrets",
    "/jobs/scan{}/",
    "//scan{}",
    '/scan{}"}} 1\n# ',
    "/scan{}\ufffd\x00{{job_id}}",
    "scan{}",
)
TEMPLATES = ("/jobs/scan{}", "/dashboard/static/scan{}.js")
ASKED = {"<unmatched>", "/metrics", "/jobs/{job_id}", "/dashboard/static/{path:path}"}
SCANNED = 10_000
KNOWN = 400
# By then every method has met every kind of path.
FIRST = 100

Request = tuple[str, str]
Series = dict[tuple[str, tuple[tuple[str, str], ...]], float]
"""Every exported sample by its name and labels."""


@pytest.fixture
def app() -> FastAPI:
    nowhere = "127.0.0.1:1"
    settings = Settings(
        database_url=f"postgresql://{nowhere}/x", redis_url=f"redis://{nowhere}/0", api_published_on="127.0.0.1"
    )
    return create_app(settings, Registry())


def scan(number: int) -> Request:
    """The ``number``-th unknown path; every eighth comes with a method that nobody has heard of."""
    method = f"SCAN{number}" if number % 8 == 0 else METHODS[number % len(METHODS)]
    return method, SHAPES[number // 8 % len(SHAPES)].format(number)


def known(number: int) -> Request:
    return METHODS[number // 2 % len(METHODS)], TEMPLATES[number % 2].format(number)


async def ask(app: FastAPI, method: str, path: str) -> tuple[int, str]:
    """What a server would do, without the network: 10 000 requests shall take seconds."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http", "http_version": "1.1", "method": method, "path": path, "root_path": "", "scheme": "http",
        "raw_path": path.encode(), "query_string": b"scan=1", "headers": [(b"host", b"scan")],
        "client": ("203.0.113.1", 1), "server": ("api", 80),
    }  # fmt: skip
    await app(scope, receive, send)
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent).decode()


async def refused(app: FastAPI, requests: Iterable[Request]) -> None:
    for method, path in requests:
        status, _ = await ask(app, method, path)
        assert 300 <= status < 500, (method, path, status)


async def scrape(app: FastAPI) -> Series:
    status, text = await ask(app, "GET", "/metrics")
    assert status == 200
    samples = (sample for family in text_string_to_metric_families(text) for sample in family.samples)
    return {(sample.name, tuple(sorted(sample.labels.items()))): sample.value for sample in samples}


def routes() -> list[APIRoute]:
    return [route for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)]


def values(series: Series, name: str) -> set[str]:
    """Those of one label."""
    return {value for _, pairs in series for label, value in pairs if label == name}


def test_a_scan_of_ten_thousand_paths_adds_no_series_after_its_first_steps(app: FastAPI) -> None:
    unknown, templates = [scan(number) for number in range(SCANNED)], [known(number) for number in range(KNOWN)]
    assert len({path for _, path in unknown + templates}) == SCANNED + KNOWN

    async def before_and_after() -> tuple[Series, Series]:
        await scrape(app)  # a scrape is counted, too
        await refused(app, unknown[:FIRST] + templates[:FIRST])
        before = await scrape(app)
        await refused(app, unknown[FIRST:] + templates[FIRST:])
        return before, await scrape(app)

    before, after = asyncio.run(before_and_after())
    assert len(after) == len(before), sorted(set(after) - set(before))[:5]
    assert after.keys() == before.keys()
    answered = {key: value for key, value in after.items() if value and not key[0].endswith("_in_progress")}
    assert values(answered, "endpoint") == ASKED
    assert values(after, "endpoint") == ASKED | {route.path for route in routes()}
    assert values(after, "method") == {*METHODS, "OTHER"}
    assert not [key for key in after if "scan" in str(key).lower()]
    counted = sum(value for (name, _), value in after.items() if name == "http_requests_total")
    assert counted == SCANNED + KNOWN + 2


def test_every_failure_counts_from_zero(app: FastAPI) -> None:
    """The first value of a counter is no increase: fifty failures within one scrape would be none."""
    at_start = asyncio.run(scrape(app))
    found = {
        (labels["method"], labels["endpoint"], labels["status"])
        for (name, pairs), value in at_start.items()
        if name == "http_requests_total" and not value and (labels := dict(pairs))
    }
    asked = [(method, route.path) for route in routes() for method in route.methods or ()]
    wanted = {(*each, status) for each in asked for status in FAILURES}
    assert found == wanted
    # The price: no label set more than these.
    assert len(wanted) == 2 * len(asked) < 150


def test_a_failure_is_counted_in_the_series_that_was_there(app: FastAPI) -> None:
    """Postgres is away, and there is no Redis either."""

    async def before_and_after() -> tuple[Series, int, Series]:
        before = await scrape(app)
        status, _ = await ask(app, "GET", "/workers")
        return before, status, await scrape(app)

    before, status, after = asyncio.run(before_and_after())
    assert status == 503
    key = ("http_requests_total", (("endpoint", "/workers"), ("method", "GET"), ("status", "503")))
    assert (before[key], after[key]) == (0, 1)


@pytest.mark.parametrize(("content_type", "in_progress"), [(b"text/event-stream; charset=utf-8", 0), (b"text/csv", 1)])
def test_a_stream_of_events_is_answered_once_it_begins(content_type: bytes, in_progress: int) -> None:
    """It may last for hours: neither a request that hangs nor a slow one."""
    metrics = create_metrics("api")
    seen: list[float | None] = []

    def value(name: str, **labels: str) -> float | None:
        return metrics.registry.get_sample_value(name, {"method": "GET", **labels})

    async def endless(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", content_type)]})
        seen.append(value("http_requests_in_progress"))

    async def nothing(*_: Message) -> Message:
        return {"type": "http.disconnect"}

    app = MetricsMiddleware(endless, metrics)
    asyncio.run(app({"type": "http", "method": "GET"}, nothing, nothing))  # type: ignore[arg-type]
    assert seen == [in_progress]
    assert value("http_requests_in_progress") == 0
    assert value("http_requests_total", endpoint="<unmatched>", status="200") == 1
    assert value("http_request_duration_seconds_count", endpoint="<unmatched>") == 1


@pytest.mark.parametrize(
    ("sent", "status", "fails"),
    [([], "499", False), ([], "499", True), ([200], "200", False), ([503], "503", True)],
)
def test_a_request_that_nobody_waited_for_is_no_answer_of_ours(sent: list[int], status: str, fails: bool) -> None:
    metrics = create_metrics("api")

    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        for each in sent:
            await send({"type": "http.response.start", "status": each, "headers": []})
        if fails:
            raise RuntimeError

    async def send(_message: Message) -> None:
        """Nobody reads it."""

    middleware = MetricsMiddleware(app, metrics)
    with pytest.raises(RuntimeError) if fails else nullcontext():
        asyncio.run(middleware({"type": "http", "method": "GET", "path": "/x"}, None, send))  # type: ignore[arg-type]
    total = metrics.counter("http_requests_total")
    found = {labels["status"]: value for _, labels, value, *_ in next(iter(total.collect())).samples if value == 1}
    assert found == {status: 1.0}
    assert metrics.gauge("http_requests_in_progress").labels("GET")._value.get() == 0
