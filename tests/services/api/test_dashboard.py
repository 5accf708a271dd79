"""The dashboard's routes: who gets in, what the headers say, and what an API without Prometheus shows."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.api.app import create_app
from services.api.dashboard.login import TRIES
from services.common.jobtypes import Registry
from services.common.settings import Settings
from tests.prometheus import StandIn, stand_in

KEY = "unit-test-key"
WITH_KEY = {"X-API-Key": KEY}
STATIC = Path(__file__).parents[3] / "services/api/static"

Steps = Callable[[httpx.AsyncClient], Awaitable[Any]]


@pytest.fixture
def prometheus() -> Iterator[StandIn]:
    with stand_in() as running:
        yield running


@pytest.fixture
def settings(tmp_path: Path, prometheus: StandIn) -> Settings:
    (tmp_path / "api_key").write_text(KEY)
    return Settings(api_key_file=tmp_path / "api_key", prometheus_url=prometheus.url)


def visit(settings: Settings, steps: Steps, base_url: str = "http://api:8010") -> Any:
    """Run the steps as one browser would: with one cookie jar."""

    async def all_steps() -> Any:
        app = create_app(settings, Registry())
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=base_url) as client:
            try:
                return await steps(client)
            finally:
                await app.state.dependencies.board.close()

    return asyncio.run(all_steps())


def get(settings: Settings, path: str, **options: Any) -> httpx.Response:
    answer: httpx.Response = visit(settings, lambda client: client.get(path, **options))
    return answer


async def login(client: httpx.AsyncClient, password: str = KEY) -> httpx.Response:
    return await client.post("/dashboard/login", data={"password": password})


def test_without_a_session_people_are_sent_to_the_login_and_programs_refused(settings: Settings) -> None:
    page = get(settings, "/dashboard")
    assert (page.status_code, page.headers["location"]) == (303, "/dashboard/login")
    of_job = get(settings, "/dashboard/jobs/00000000-0000-0000-0000-000000000001")
    assert (of_job.status_code, of_job.headers["location"]) == (303, "/dashboard/login")
    data = get(settings, "/dashboard/panels")
    assert (data.status_code, data.headers["content-type"]) == (401, "application/problem+json")
    assert get(settings, "/dashboard/panels", headers={"X-API-Key": "wrong"}).status_code == 401


def test_a_program_gets_the_panels_with_the_key(settings: Settings) -> None:
    answer = get(settings, "/dashboard/panels", params={"range": "6h"}, headers=WITH_KEY)
    found = answer.json()
    assert (answer.status_code, found["status"], found["range"], found["step_s"]) == (200, "ok", "6h", 90)
    assert {panel["status"] for panel in found["panels"]} == {"ok"}
    assert all(len(one["values"]) == len(found["times"]) for panel in found["panels"] for one in panel["series"])


def test_a_wrong_range_names_the_right_ones(settings: Settings) -> None:
    for wrong in ("2y", "30s", "93d", "h", "", "1h30m", "-1h", "99999999d"):
        answer = get(settings, "/dashboard/panels", params={"range": wrong}, headers=WITH_KEY)
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == "range"
        assert "Use 15m, 1h, 6h, 24h, 7d, or any from 1m to 92d, such as 90m." in answer.json()["detail"]


def test_any_stretch_of_time_can_be_had(settings: Settings) -> None:
    params = {"range": "5400s", "end": "1790000000"}
    found = get(settings, "/dashboard/panels", params=params, headers=WITH_KEY).json()
    assert (found["times"][-1], found["end"], found["range"]) == (1_790_000_000, 1_790_000_000, "5400s")
    assert found["times"][-1] - found["times"][0] == pytest.approx(5400, abs=found["step_s"])


def test_answers_that_were_given_are_forgotten(settings: Settings) -> None:
    """Whoever zooms asks for a new stretch each time."""

    async def steps(client: httpx.AsyncClient) -> int:
        app = client._transport.app  # type: ignore[attr-defined]
        board = app.state.dependencies.board
        for end in range(1_790_000_000, 1_790_000_004):
            await client.get("/dashboard/panels", params={"range": "1h", "end": end}, headers=WITH_KEY)
        board._answers = {asked: (at - 60, task) for asked, (at, task) in board._answers.items()}
        await client.get("/dashboard/panels", headers=WITH_KEY)
        return len(board._answers)

    assert visit(settings, steps) == 1


def test_the_login_opens_page_and_data_and_the_logout_closes_them(settings: Settings) -> None:
    async def steps(client: httpx.AsyncClient) -> list[int]:
        entered = await login(client)
        inside = [await client.get(path) for path in ("/dashboard", "/dashboard/panels", "/dashboard/login")]
        left = await client.post("/dashboard/logout")
        after = await client.get("/dashboard/panels")
        return [answer.status_code for answer in (entered, *inside, left, after)]

    assert visit(settings, steps) == [303, 200, 200, 303, 303, 401]


@pytest.mark.parametrize(("base_url", "secure"), [("http://api:8010", False), ("https://api", True)])
def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(settings: Settings, base_url: str, secure: bool) -> None:
    answer: httpx.Response = visit(settings, login, base_url)
    name, *flags = answer.headers["set-cookie"].split("; ")
    assert name.startswith("tradebot_dashboard_8010=" if not secure else "tradebot_dashboard_https=")
    assert {"HttpOnly", "SameSite=strict", "Path=/", "Max-Age=43200"} <= set(flags)
    assert ("Secure" in flags) is secure
    assert KEY not in answer.headers["set-cookie"]


def test_a_forged_cookie_is_none(settings: Settings) -> None:
    cookies = {"tradebot_dashboard_8010": "dashboard.aaaaaa.bbbbbbbbbbbbbbbbbbbbbbbbbbb"}
    answer = get(settings, "/dashboard/panels", headers={"Cookie": "; ".join(f"{k}={v}" for k, v in cookies.items())})
    assert answer.status_code == 401


@pytest.mark.parametrize(
    "body", [b"password=wrong", b"password=", b"", b"\xff\xfe", b"password=<script>", b"user=" + KEY.encode()]
)
def test_a_wrong_password_gives_the_form_again(settings: Settings, body: bytes) -> None:
    answer: httpx.Response = visit(settings, lambda client: client.post("/dashboard/login", content=body))
    assert answer.status_code == 401
    assert '<p class="message" role="alert">This is not the password.</p>' in answer.text
    assert "set-cookie" not in answer.headers


def test_after_too_many_wrong_ones_even_the_right_one_waits(settings: Settings) -> None:
    async def steps(client: httpx.AsyncClient) -> list[httpx.Response]:
        wrong = [await login(client, "wrong") for _ in range(TRIES)]
        return [*wrong, await login(client)]

    *wrong, last = visit(settings, steps)
    assert [answer.status_code for answer in wrong] == [401] * TRIES
    assert (last.status_code, "set-cookie" in last.headers) == (429, False)
    assert 0 < int(last.headers["retry-after"]) <= 60


def test_a_password_of_its_own_takes_the_place_of_the_key(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "password").write_text("for-viewers\n")
    own = settings.model_copy(update={"dashboard_password_file": tmp_path / "password"})
    assert visit(own, login).status_code == 401
    assert visit(own, lambda client: login(client, "for-viewers")).status_code == 303
    assert get(own, "/dashboard/panels", headers=WITH_KEY).status_code == 200
    assert get(own, "/dashboard/panels", headers={"X-API-Key": "for-viewers"}).status_code == 401


def test_an_api_without_a_key_shows_nothing() -> None:
    for path in ("/dashboard", "/dashboard/login", "/dashboard/panels"):
        assert get(Settings(), path, headers=WITH_KEY).status_code == 403


@pytest.mark.parametrize("path", ["/dashboard", "/dashboard/login", "/dashboard/static/dashboard.js"])
def test_pages_and_scripts_carry_a_strict_policy(settings: Settings, path: str) -> None:
    headers = get(settings, path).headers
    policy = dict(rule.split(" ", 1) for rule in headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("page", ["dashboard.html", "job.html", "login.html"])
def test_pages_hold_neither_scripts_nor_styles_nor_foreign_addresses(page: str) -> None:
    text = (STATIC / page).read_text()
    assert not any(mark in text for mark in ("style=", "<style", "onclick", "onload", "http://", "https://", 'src="//'))
    assert text.count("<script") == text.count("<script src=")


@pytest.mark.parametrize("path", ["nothing.js", "../app.py", "%2e%2e/app.py", "..%2fapp.py", "/etc/passwd", ""])
def test_static_files_are_those_of_the_folder(settings: Settings, path: str) -> None:
    assert get(settings, f"/dashboard/static/{path}").status_code == 404


def test_an_unchanged_file_is_not_sent_again(settings: Settings) -> None:
    async def steps(client: httpx.AsyncClient) -> httpx.Response:
        first = await client.get("/dashboard/static/chart.js")
        return await client.get("/dashboard/static/chart.js", headers={"If-None-Match": first.headers["etag"]})

    assert visit(settings, steps).status_code == 304


def test_without_prometheus_every_panel_says_so(settings: Settings) -> None:
    alone = settings.model_copy(update={"prometheus_url": "http://127.0.0.1:1"})
    answer = get(alone, "/dashboard/panels", headers=WITH_KEY)
    found = answer.json()
    assert (answer.status_code, found["status"]) == (200, "unavailable")
    assert found["note"].startswith("Monitoring is unavailable: Prometheus at http://127.0.0.1:1 cannot be reached")
    assert [panel["status"] for panel in found["panels"]] == ["error"] * 12


def test_without_a_definition_nothing_can_be_said(settings: Settings, tmp_path: Path) -> None:
    lost = settings.model_copy(update={"dashboard_file": tmp_path / "gone.json"})
    answer = get(lost, "/dashboard/panels", headers=WITH_KEY)
    assert answer.status_code == 503
    assert "gone.json cannot be read: No such file" in answer.json()["detail"]


def test_many_viewers_cost_prometheus_one_question_each(settings: Settings, prometheus: StandIn) -> None:
    async def steps(client: httpx.AsyncClient) -> None:
        await asyncio.gather(*(client.get("/dashboard/panels", headers=WITH_KEY) for _ in range(5)))
        await client.get("/dashboard/panels", headers=WITH_KEY)

    visit(settings, steps)
    asked = [form["query"] for form in prometheus.asked]
    assert len(asked) == len(set(asked)) == 28
