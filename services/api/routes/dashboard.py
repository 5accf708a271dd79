"""The dashboard: the panels as JSON for programs, a page behind a login for people."""

import math
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import parse_qs
from uuid import UUID

import structlog
from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse
from fastapi.staticfiles import StaticFiles
from pydantic import AfterValidator

from services.api.dashboard.definition import DefinitionError
from services.api.dashboard.login import SESSION_S, Sessions, cookie_name
from services.api.dashboard.schemas import DashboardOut
from services.api.dashboard.window import length_s
from services.api.dependencies import Dependencies
from services.api.problems import Problem
from services.api.security import Provided

router = APIRouter(prefix="/dashboard", tags=["dashboard"])
log = structlog.get_logger(__name__)

STATIC = Path(__file__).parents[1] / "static"
PAGE, JOB_PAGE, LOGIN_PAGE = STATIC / "dashboard.html", STATIC / "job.html", STATIC / "login.html"
LOGIN = "/dashboard/login"
#: Where a login leads, by the parameter `to`: named, so that no link can send people elsewhere.
_BEHIND = {"dashboard": "/dashboard", "docs": "/docs"}
_MESSAGE, _ACTION = "<!-- message -->", f'action="{LOGIN}"'
_files = StaticFiles(directory=STATIC)

#: Everything comes from this API, no script or style stands in the page, nobody may frame it.
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def _sessions(dependencies: Provided) -> Sessions:
    if dependencies.sessions is None:
        raise Problem(403, "This API shows no dashboard: it was started without API_KEY_FILE.")
    return dependencies.sessions


SessionsOf = Annotated[Sessions, Depends(_sessions)]


Destination = Annotated[Literal["dashboard", "docs"], Query()]


def _known(range_name: str) -> str:
    """Raises ``ValueError`` for what is no range."""
    length_s(range_name)
    return range_name


@router.get("/panels")
async def panels(
    dependencies: Provided,
    response: Response,
    range: Annotated[  # noqa: A002 - the parameter's public name
        str, AfterValidator(_known), Query(description="15m, 1h, 6h, 24h, 7d, or any from 1m to 92d, such as 90m.")
    ] = "1h",
    end: Annotated[int | None, Query(ge=0, le=2**33, description="Unix seconds; now without it.")] = None,
) -> DashboardOut:
    """Every panel of the Grafana dashboard with its series, the dashboard's annotations, and the alerts that fire.

    200 also when Prometheus is away: each panel then carries the error, and `status` is `unavailable`.
    503 only when the dashboard's definition cannot be read, for then there are no panels to speak of.
    """
    response.headers["Cache-Control"] = "no-store"
    try:
        return await dependencies.board.look(range, end)
    except DefinitionError as error:
        raise Problem(503, f"{error}.") from error


@router.get("", include_in_schema=False)
def page(request: Request, sessions: SessionsOf) -> Response:
    return _behind_login(PAGE, request, sessions)


@router.get("/jobs/{job_id}", include_in_schema=False)
def job_page(job_id: UUID, request: Request, sessions: SessionsOf) -> Response:
    """The page asks for the job itself, and says so where there is none."""
    return _behind_login(JOB_PAGE, request, sessions)


@router.get("/login", include_in_schema=False)
def login_page(request: Request, sessions: SessionsOf, to: Destination = "dashboard") -> Response:
    if sessions.valid(request.cookies.get(cookie_name(request))):
        return RedirectResponse(_BEHIND[to], 303, headers=HEADERS)
    return _form(200, to)


@router.post("/login", include_in_schema=False)
async def login(
    request: Request, dependencies: Provided, sessions: SessionsOf, to: Destination = "dashboard"
) -> Response:
    """A cookie for the right password; 401 with the form for a wrong one, 429 after too many."""
    address = request.client.host if request.client else ""
    if wait_s := math.ceil(dependencies.tries.wait_s(address)):
        return _form(429, to, f"Too many wrong passwords. Try again in {wait_s} s.", {"Retry-After": str(wait_s)})
    if not _password_right(await request.body(), dependencies):
        dependencies.tries.failed(address)
        log.warning("dashboard.login_failed", address=address)
        return _form(401, to, "This is not the password.")
    dependencies.tries.passed(address)
    answer = RedirectResponse(_BEHIND[to], 303, headers=HEADERS)
    answer.set_cookie(
        cookie_name(request),
        sessions.issue(),
        max_age=SESSION_S,
        path="/",
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="strict",
    )
    return answer


@router.post("/logout", include_in_schema=False)
def logout(request: Request) -> Response:
    answer = RedirectResponse(LOGIN, 303, headers=HEADERS)
    answer.delete_cookie(cookie_name(request), path="/", httponly=True, samesite="strict")
    return answer


@router.get("/static/{path:path}", include_in_schema=False)
async def static(request: Request, path: str) -> Response:
    """Scripts and styles, for anybody: they hold nothing of this project. Browsers ask again whether they changed."""
    answer = await _files.get_response(path, request.scope)
    answer.headers.update({**HEADERS, "Cache-Control": "no-cache"})
    return answer


def _behind_login(file: Path, request: Request, sessions: Sessions) -> Response:
    if not sessions.valid(request.cookies.get(cookie_name(request))):
        return RedirectResponse(LOGIN, 303, headers=HEADERS)
    return FileResponse(file, headers=HEADERS)


def _password_right(body: bytes, dependencies: Dependencies) -> bool:
    given = parse_qs(body.decode("utf-8", "replace")).get("password", [""])[0].strip()
    return dependencies.dashboard_password is not None and dependencies.dashboard_password.accepts(given)


def _form(status: int, to: str, message: str = "", headers: dict[str, str] | None = None) -> Response:
    shown = f'<p class="message" role="alert">{message}</p>' if message else ""
    text = LOGIN_PAGE.read_text(encoding="utf-8").replace(_MESSAGE, shown)
    text = text.replace(_ACTION, f'action="{LOGIN}?to={to}"')
    return HTMLResponse(text, status, headers={**HEADERS, **(headers or {})})
