"""Each error as its document: which status, what is said, and what a caller does next."""

import asyncio
import json
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from pydantic import BaseModel

from services.api.problems import MEDIA_TYPE, RETRY_AFTER_S, Problem, field_errors, install_handlers, problem_body
from services.common.database import DatabaseUnavailable
from services.common.ledger import StackHalted

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)


class Order(BaseModel):
    """A body."""

    amount: int
    model_config = {"extra": "forbid"}


class World:
    """An application whose one resource raises this; ``counted`` are the errors that it kept."""

    def __init__(self, error: Exception | None = None) -> None:
        self.counted: list[BaseException] = []
        self.app = FastAPI()
        self.app.state.dependencies = SimpleNamespace(errors=SimpleNamespace(record=self.counted.append))

        @self.app.post("/orders/{number}")
        def order(number: int, body: Order) -> dict[str, int]:
            if error:
                raise error
            return {"number": number, "amount": body.amount}

        for method in ("PATCH", "GET", "DELETE", "HEAD"):

            @self.app.api_route("/orders/{number}", methods=[method])
            def other(number: int) -> None:
                """Another method of the same resource."""

        install_handlers(self.app, self.app.routes)

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        async def asked() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://api") as client:
                return await client.request(method, path, **more)

        return asyncio.run(asked())


def answer(error: Exception) -> tuple[int, str, dict[str, str], int]:
    """Status, detail, headers that say what to do, and how many errors were counted."""
    world = World(error)
    found = world.ask("POST", "/orders/1", json={"amount": 1})
    assert found.headers["content-type"] == MEDIA_TYPE
    document = found.json()
    assert document["status"] == found.status_code
    kept = {name: value for name, value in found.headers.items() if name in {"retry-after", "www-authenticate"}}
    return found.status_code, document["detail"], kept, len(world.counted)


def test_a_store_that_is_away_is_asked_again_soon_and_counted() -> None:
    assert answer(DatabaseUnavailable("no answer")) == (
        503, "The database is not available, try again in 5 s: no answer", {"retry-after": "5"}, 1,
    )  # fmt: skip
    assert RETRY_AFTER_S == 5


def test_a_halted_stack_is_locked_and_no_error() -> None:
    status, detail, headers, counted = answer(StackHalted(NOON, "ana", "fills look wrong"))
    assert (status, headers, counted) == (423, {}, 0)
    assert detail.startswith("ana halted the stack at ")


def test_a_problem_is_told_as_it_was_raised() -> None:
    assert answer(Problem(401, "Who are you?", headers={"WWW-Authenticate": "Bearer"})) == (
        401, "Who are you?", {"www-authenticate": "Bearer"}, 0,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("body", "status", "fields"),
    [
        ("{", 400, []),
        ("{}", 422, ["amount"]),
        ('{"amount": "many"}', 422, ["amount"]),
        ('{"amount": 1, "price": 2}', 422, ["price"]),
        ("[]", 422, ["body"]),
    ],
)
def test_a_body_that_is_wrong_is_told_by_its_fields(body: str, status: int, fields: list[str]) -> None:
    world = World()
    found = world.ask("POST", "/orders/1", content=body, headers={"content-type": "application/json"})
    assert (found.status_code, [each["field"] for each in found.json()["errors"]]) == (status, fields)
    assert world.counted == []


def test_a_part_of_the_address_is_told_by_its_name() -> None:
    found = World().ask("POST", "/orders/one", json={"amount": 1}).json()
    assert [each["field"] for each in found["errors"]] == ["number"]


def test_another_method_is_told_those_that_there_are() -> None:
    found = World().ask("PUT", "/orders/1")
    assert (found.status_code, found.headers["allow"]) == (405, "DELETE, GET, HEAD, PATCH, POST")
    assert World().ask("GET", "/nothing").status_code == 404


def test_a_key_that_is_not_known_is_said_so_and_our_own_words_stand_alone() -> None:
    found: list[Any] = [
        {"loc": ("body", "price"), "type": "extra_forbidden", "msg": "Extra inputs are not permitted"},
        {"loc": ("query", "limit"), "type": "value_error", "msg": "Value error, must be above 0"},
        {"loc": ("fast",), "type": "value_error", "msg": "Value error, must be below slow"},
        {"loc": (), "type": "missing", "msg": "Field required"},
    ]
    assert field_errors(found) == [
        ("price", "is not a field here"),
        ("limit", "must be above 0"),
        ("fast", "must be below slow"),
        ("body", "Field required"),
    ]
    assert field_errors(found[2:3], "payload.") == [("payload.fast", "must be below slow")]


def test_the_document_names_what_the_status_means() -> None:
    assert json.loads(problem_body(404, "There is none.")) == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": "There is none.",
        "errors": [],
        "request_id": "",
    }
