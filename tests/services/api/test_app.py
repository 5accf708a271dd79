"""The application without its databases: importable, quick to refuse, every error a problem document."""

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request
from prometheus_client import generate_latest

from services.api.app import create_app
from services.api.routes.health import overall
from services.api.schemas import DependencyOut
from services.common.jobtypes import Registry, registry
from services.common.settings import Settings
from tests.paths import ROOT

SMALL = 1000


@pytest.fixture
def app(tmp_path: Path) -> FastAPI:
    (tmp_path / "api_key").write_text("unit-test-key")
    settings = Settings(api_key_file=tmp_path / "api_key", max_body_bytes=SMALL, api_published_on="127.0.0.1")
    return create_app(settings, Registry())


def call(app: FastAPI, method: str, path: str, **options: Any) -> httpx.Response:
    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://api") as client:
            return await client.request(method, path, **options)

    return asyncio.run(ask())


def test_importing_the_api_needs_no_server_and_no_heavy_library() -> None:
    code = "import sys, services.api.app; print(*{'pandas', 'numpy', 'scipy', 'alembic'} & set(sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (run.stdout.strip(), run.returncode) == ("", 0), run.stderr


@pytest.mark.parametrize("module", ["services.api", "services.common.migrate"])
@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("API_KEY_FILE", "/nowhere/api_key", "No such file or directory: '/nowhere/api_key'"),
        ("LOG_LEVEL", "loud", "log_level"),
    ],
)
def test_a_wrong_setting_is_one_clear_sentence(module: str, name: str, value: str, reason: str) -> None:
    command = [sys.executable, "-m", module]
    run = subprocess.run(command, cwd=ROOT, env={name: value}, capture_output=True, text=True, timeout=60)
    assert run.returncode == 1
    assert reason in run.stderr
    assert "Traceback" not in run.stderr


@pytest.mark.parametrize(
    ("method", "path", "status", "title"),
    [
        ("GET", "/nowhere", 404, "Not Found"),
        ("PUT", "/jobs", 405, "Method Not Allowed"),
        ("POST", "/jobs", 401, "Unauthorized"),
        ("GET", "/jobs?limit=x", 422, "Unprocessable Content"),
    ],
)
def test_every_error_is_a_problem_document(app: FastAPI, method: str, path: str, status: int, title: str) -> None:
    answer = call(app, method, path, json={"type": "x"} if method == "POST" else None)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    body = answer.json()
    assert body["status"] == status
    assert body["title"] in {title, "Unprocessable Entity"}
    assert body["request_id"] == answer.headers["x-request-id"]


def test_an_error_after_the_answer_began_does_not_start_a_second_one(app: FastAPI) -> None:
    @app.get("/half")
    async def half(request: Request) -> None:
        await request._send({"type": "http.response.start", "status": 200, "headers": []})
        raise RuntimeError("too late")

    async def ask() -> None:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://api") as client:
            await client.get("/half")

    with pytest.raises(RuntimeError, match="too late"):
        asyncio.run(ask())
    assert [count.count for count in app.state.dependencies.errors._seen.values()] == [1]


def test_a_body_may_be_as_large_as_the_limit(app: FastAPI) -> None:
    @app.post("/size")
    async def size(request: Request) -> int:
        return len(await request.body())

    assert call(app, "POST", "/size", content=b"x" * SMALL).json() == SMALL
    assert call(app, "POST", "/size", content=b"x" * (SMALL + 1)).status_code == 413


@pytest.mark.parametrize("value", ["-5", "nonsense", "99999999999999999999"])
def test_a_strange_content_length_is_no_way_around_the_limit(app: FastAPI, value: str) -> None:
    answer = call(app, "POST", "/jobs", content=b"x" * (SMALL + 1), headers={"Content-Length": value})
    assert answer.status_code == 413


def test_submitting_job_types_that_nobody_knows_adds_no_series(app: FastAPI) -> None:
    async def submit() -> None:
        headers = {"X-API-Key": "unit-test-key"}
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://api", headers=headers) as api:
            for number in range(300):
                answer = await api.post("/jobs", json={"type": f"strange{number}", "payload": {}})
                assert answer.status_code == 422, answer.text

    asyncio.run(submit())
    exported = generate_latest(app.state.dependencies.metrics.registry).decode()
    assert 'http_requests_total{endpoint="/jobs",method="POST",status="422"} 300.0' in exported
    assert "strange" not in exported


def test_the_timeout_of_every_job_type_is_exported() -> None:
    settings = Settings(database_url="postgresql://127.0.0.1:1/x", redis_url="redis://127.0.0.1:1/0")
    exported = generate_latest(create_app(settings).state.dependencies.metrics.registry).decode()
    for name, job_type in registry().types.items():
        assert f'job_timeout_seconds{{job_type="{name}"}} {job_type.timeout_s:.1f}' in exported


def down(*names: str) -> dict[str, DependencyOut]:
    return {
        name: DependencyOut(status="down" if name in names else "ok")
        for name in ("redis", "postgres", "workers", "queue")
    }


@pytest.mark.parametrize(
    ("away", "status"),
    [
        ((), "ok"),
        (("redis",), "degraded"),
        (("workers",), "degraded"),
        (("postgres",), "down"),
        (("queue",), "down"),
        (("redis", "postgres"), "down"),
    ],
)
def test_only_a_missing_ledger_takes_the_service_down(away: tuple[str, ...], status: str) -> None:
    assert overall(down(*away)) == status
