"""The way in: a page that leads to the others, and the API's own description, drawn by a vendored Swagger UI."""

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse, RedirectResponse

from services.api.access.roles import PANELS
from services.api.description import described
from services.api.problems import Problem
from services.api.routes.dashboard import HEADERS, LOGIN, STATIC
from services.api.security import Provided, require

router = APIRouter(include_in_schema=False)

#: Swagger UI puts styles on its elements and draws icons from data; nothing else comes from elsewhere than here.
DOCS_HEADERS = HEADERS | {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}


@router.get("/")
def home() -> Response:
    return FileResponse(STATIC / "home.html", headers=HEADERS)


@router.get("/docs")
def docs(request: Request, dependencies: Provided) -> Response:
    """For anybody while developing; in production after a login, as the dashboard."""
    if _is_guarded(dependencies):
        try:
            require(PANELS, request, dependencies)
        except Problem as problem:
            if problem.status != 401:
                raise
            return RedirectResponse(f"{LOGIN}?to=docs", 303, headers=HEADERS)
    return FileResponse(STATIC / "docs.html", headers=DOCS_HEADERS)


@router.get("/openapi.json")
def description(request: Request, dependencies: Provided) -> dict[str, Any]:
    if _is_guarded(dependencies):
        require(PANELS, request, dependencies)
    return described(request.app.openapi(), on_loopback=dependencies.on_loopback)


def _is_guarded(dependencies: Provided) -> bool:
    return dependencies.settings.environment == "production"
