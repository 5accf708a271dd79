"""The API against its own description: whatever is sent, with and without a key, it answers as it says and never fails.

Schemathesis makes the requests: such as the description allows, and such as it forbids.
"""

import base64
import os
from typing import Any
from uuid import uuid4

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis import Case
from schemathesis.specs.openapi.checks import positive_data_acceptance
from schemathesis.specs.openapi.schemas import OpenApiSchema

from tests.integration.services.conftest import KEY

#: Some fifty operations, each with its examples, on a machine that is busy with other tests.
#: The API runs in threads of this process, and its pool draws at random when a new connection is to end: Hypothesis
#: would take that for a strategy that draws so.
pytestmark = [
    pytest.mark.integration,
    pytest.mark.timeout(600),
    pytest.mark.filterwarnings("ignore:Do not use the `random` module inside strategies"),
]
ANSWER_S = 60.0

#: Of each operation; a drill of its own may want more.
EXAMPLES = int(os.environ.get("SCHEMA_EXAMPLES", "12"))


#: A job type, a cursor and an id may look right and yet be none: these are refused for what they mean.
LEFT_OUT: list[Any] = [positive_data_acceptance]


@pytest.fixture
def described(api: httpx.Client) -> OpenApiSchema:
    return schemathesis.openapi.from_url(f"{api.base_url}/openapi.json")


@pytest.fixture
def described_with_key(described: OpenApiSchema) -> OpenApiSchema:
    """Without the header of the key among what is made up: left out or wrong, it would be sent all the same."""
    described.config.generation.update(with_security_parameters=False)
    return described


schema = schemathesis.pytest.from_fixture("described")
schema_with_key = schemathesis.pytest.from_fixture("described_with_key")
bounded = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.filter_too_much],
)


@schema_with_key.parametrize()
@bounded
def test_with_a_key(case: Case[Any]) -> None:
    case.call_and_validate(headers=KEY, excluded_checks=LEFT_OUT, timeout=ANSWER_S)


@schema.parametrize()
@bounded
def test_without_a_key(case: Case[Any]) -> None:
    case.call_and_validate(excluded_checks=LEFT_OUT, timeout=ANSWER_S)


@pytest.mark.parametrize(
    "address",
    ["/jobs?type=%00", "/jobs?fingerprint=%00", "/jobs?cursor=%00", "/alerts?name=%00", "/jobs/stats?type=%00"],
)
def test_a_nul_is_named_as_what_is_wrong(api: httpx.Client, address: str) -> None:
    """Postgres has no text with one: what Schemathesis found once."""
    answer = api.get(address)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] in {"type", "fingerprint", "cursor", "name"}


def test_what_is_not_allowed_names_all_that_is(api: httpx.Client) -> None:
    for address, methods in (("/jobs", "GET, POST"), ("/dead-letters/quarantine", "GET")):
        answer = api.patch(address)
        assert (answer.status_code, answer.headers["Allow"]) == (405, methods)


def test_a_cursor_without_a_zone_is_not_ours(api: httpx.Client) -> None:
    cursor = base64.urlsafe_b64encode(f"2026-11-26T12:00:00|{uuid4()}".encode()).decode()
    assert api.get("/jobs", params={"cursor": cursor}).status_code == 422
