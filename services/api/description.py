"""The API's own description (OpenAPI) as FastAPI makes it, with the errors that it really answers with."""

from http import HTTPStatus
from typing import Any

from services.api.access.roles import Need, needed
from services.api.problems import MEDIA_TYPE

_PROBLEM = {
    "type": "object",
    "description": "RFC 9457: why the request was not done.",
    "required": ["type", "title", "status", "detail", "errors", "request_id"],
    "properties": {
        "type": {"type": "string", "examples": ["about:blank"]},
        "title": {"type": "string", "examples": ["Unprocessable Entity"]},
        "status": {"type": "integer", "examples": [422]},
        "detail": {"type": "string", "examples": ["payload.fast: Input should be greater than 0"]},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "message"],
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
            },
        },
        "request_id": {"type": "string"},
    },
}
_ANY_OTHER = {
    "description": "A problem, with its reason and the fields at fault.",
    "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
}
#: An example of each error, with the fields at fault.
_EXAMPLES: dict[int, tuple[str, dict[str, str]]] = {
    401: ("The header X-API-Key is missing.", {}),
    403: ("This needs the role admin; the API key nightly has operate.", {}),
    404: ("There is no job 0198a1b2-7c3d-7e4f-8a5b-6c7d8e9f0a1b.", {}),
    423: (
        "ana@desk halted the stack at 2026-11-28 08:15:00 UTC: fills look wrong. Resume it: tradebot resume.",
        {},
    ),
    422: ("limit: Input should be less than or equal to 200", {"limit": "Input should be less than or equal to 200"}),
    503: ("The database is not available, try again in 5 s: it restarts", {}),
}
_SCHEME = {
    "type": "apiKey",
    "in": "header",
    "name": "X-API-Key",
    "description": "The key in the secret file `api_key`, which may do everything, or one of `tradebot keys create`.",
}
#: FastAPI describes errors that this API answers otherwise.
_REPLACED = ("HTTPValidationError", "ValidationError")


def described(document: dict[str, Any], *, on_loopback: bool) -> dict[str, Any]:
    """The document with one shape for every error, which stands for whatever status no operation names, and the roles.

    ``on_loopback`` is an API that only its own host reaches: there reading needs no role.
    """
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    components["securitySchemes"] = {"ApiKey": _SCHEME}
    for name in _REPLACED:
        schemas.pop(name, None)
    schemas["Problem"] = _PROBLEM
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            replies = operation["responses"]
            _secure(operation, needed(method.upper(), path), on_loopback=on_loopback)
            if "HTTPValidationError" in str(replies.get("422", "")):
                del replies["422"]
            for status in _likely(path, operation):
                replies.setdefault(str(status), _error(status))
            replies.setdefault("default", _ANY_OTHER)
    return document


def _secure(operation: dict[str, Any], need: Need, *, on_loopback: bool) -> None:
    """Name the role it needs, unless anybody may who reaches it. The document may have been through here before."""
    if need.role is None or (need.outside and on_loopback) or "security" in operation:
        return
    operation["security"] = [{"ApiKey": []}]
    operation["x-needs-role"] = need.role.value
    operation["description"] = f"{operation.get('description', '')}\n\nNeeds the role `{need.role.value}`.".strip()


def _likely(path: str, operation: dict[str, Any]) -> list[int]:
    """The errors that callers of this operation have to expect."""
    parameters = operation.get("parameters", [])
    keyed = "security" in operation
    asked = bool(parameters) or "requestBody" in operation
    halts = "423" in operation.get("description", "")
    return [401, 403] * keyed + [404] * ("{" in path) + [422] * asked + [423] * halts + [503]


def _error(status: int) -> dict[str, Any]:
    detail, fields = _EXAMPLES[status]
    title = HTTPStatus(status).phrase
    example = {
        "type": "about:blank",
        "title": title,
        "status": status,
        "detail": detail,
        "errors": [{"field": name, "message": message} for name, message in fields.items()],
        "request_id": "5f1c2a7e9b3d4c6f8a1b2c3d4e5f6a7b",
    }
    return {
        "description": title,
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}, "example": example}},
    }
