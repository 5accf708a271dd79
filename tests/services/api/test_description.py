"""The description of the API: every operation names the errors to expect, each with an example of its own shape."""

from typing import Any

import pytest
from fastapi import FastAPI

from services.api.app import create_app
from services.api.description import described
from services.common.jobtypes import Registry
from services.common.settings import Settings


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    app: FastAPI = create_app(Settings(), Registry({}, ()))
    return described(app.openapi(), on_loopback=True)


def replies(document: dict[str, Any], method: str, path: str) -> dict[str, Any]:
    found: dict[str, Any] = document["paths"][path][method]["responses"]
    return found


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("post", "/jobs", {"202", "401", "403", "422", "423", "503", "default"}),
        ("get", "/jobs", {"200", "422", "503", "default"}),
        ("get", "/jobs/{job_id}", {"200", "404", "422", "503", "default"}),
        ("get", "/workers", {"200", "503", "default"}),
    ],
)
def test_the_errors_that_callers_have_to_expect(
    document: dict[str, Any], method: str, path: str, expected: set[str]
) -> None:
    assert set(replies(document, method, path)) == expected


def test_every_example_has_the_shape_of_a_problem(document: dict[str, Any]) -> None:
    required = set(document["components"]["schemas"]["Problem"]["required"])
    examples = [
        (status, content["example"])
        for operations in document["paths"].values()
        for operation in operations.values()
        for status, reply in operation["responses"].items()
        for content in reply.get("content", {}).values()
        if "example" in content
    ]
    assert examples
    for status, example in examples:
        assert set(example) == required
        assert str(example["status"]) == status


def test_every_body_has_an_example(document: dict[str, Any]) -> None:
    without = []
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if "requestBody" in operation:
                (content,) = operation["requestBody"]["content"].values()
                name = content["schema"]["$ref"].rpartition("/")[2]
                fields = document["components"]["schemas"][name]["properties"]
                without += [] if any("examples" in each for each in fields.values()) else [f"{method} {path}"]
    assert without == []
