"""The first page and the API's description: open while developing, behind the login in production."""

import re
from pathlib import Path

import httpx
import pytest

from services.common.settings import Settings
from tests.services.api.test_dashboard import KEY, STATIC, WITH_KEY, get, login, visit


@pytest.fixture
def production(tmp_path: Path) -> Settings:
    (tmp_path / "api_key").write_text(KEY)
    return Settings(api_key_file=tmp_path / "api_key", environment="production")


@pytest.fixture
def dev(production: Settings) -> Settings:
    return production.model_copy(update={"environment": "dev"})


def test_the_root_leads_to_the_dashboard_and_the_docs(dev: Settings) -> None:
    page = get(dev, "/")
    assert page.status_code == 200
    assert {"/dashboard", "/docs", "/health"} <= set(re.findall(r'href="([^"]*)"', page.text))


def test_the_docs_load_nothing_from_outside_and_all_they_load_is_there(dev: Settings) -> None:
    page = get(dev, "/docs")
    assert page.status_code == 200
    loaded = re.findall(r'(?:src|href)="([^"]*)"', page.text)
    assert loaded
    assert all(get(dev, path).status_code == 200 for path in loaded)
    assert not re.search(r"https?://", page.text + (STATIC / "docs.js").read_text())
    assert "default-src 'none'" in page.headers["content-security-policy"]


def test_the_description_names_every_public_route_and_no_page(dev: Settings) -> None:
    paths = get(dev, "/openapi.json").json()["paths"]
    assert {"/jobs", "/alerts", "/dashboard/panels"} <= set(paths)
    assert {"/", "/docs", "/openapi.json", "/dashboard/login"}.isdisjoint(paths)


def test_in_production_a_program_needs_the_key(production: Settings) -> None:
    assert get(production, "/openapi.json").status_code == 401
    assert get(production, "/openapi.json", headers={"X-API-Key": "wrong"}).status_code == 401
    assert get(production, "/openapi.json", headers=WITH_KEY).status_code == 200
    assert get(production, "/docs", headers=WITH_KEY).status_code == 200


def test_in_production_people_come_from_the_docs_to_the_login_and_back(production: Settings) -> None:
    async def steps(client: httpx.AsyncClient) -> list[httpx.Response]:
        sent = await client.get("/docs")
        form = await client.get(sent.headers["location"])
        action = re.search(r'action="([^"]*)"', form.text)
        assert action
        entered = await client.post(action[1], data={"password": KEY})
        return [sent, entered, await client.get(entered.headers["location"]), await client.get("/openapi.json")]

    sent, entered, docs, description = visit(production, steps)
    assert sent.headers["location"] == "/dashboard/login?to=docs"
    assert entered.headers["location"] == "/docs"
    assert (docs.status_code, description.status_code) == (200, 200)


def test_a_login_leads_nowhere_else(dev: Settings) -> None:
    assert get(dev, "/dashboard/login", params={"to": "https://example.org"}).status_code == 422
    assert visit(dev, login).headers["location"] == "/dashboard"


def test_an_api_without_a_key_shows_no_description_in_production() -> None:
    assert get(Settings(environment="production"), "/openapi.json").status_code == 403
