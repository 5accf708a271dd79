"""Who may ask what: every route is behind ``WithRole``, which looks up what the route needs."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, Header, Request

from services.api.access.keys import Key, KeyStore
from services.api.access.roles import Need, Role, needed
from services.api.dashboard.login import cookie_name
from services.api.dependencies import Dependencies, get_dependencies
from services.api.problems import Problem

Provided = Annotated[Dependencies, Depends(get_dependencies)]
#: What the command `tradebot` calls itself; it keeps an audit log of its own.
COMMAND = "tradebot/"
_ASKS = {"WWW-Authenticate": "ApiKey"}


@dataclass(frozen=True)
class Caller:
    """Whose key it is: ``name`` is that of a named key, None for the stack's own."""

    name: str | None
    role: Role


def require_role(request: Request, dependencies: Provided) -> None:
    """401 without the key that this route needs, 403 for one whose role is too small, or when this API has none.

    503 for a named key while Postgres is away: it can neither be taken nor refused then.
    """
    require(needed(request.method, request.scope["route"].path_format), request, dependencies)


def require(need: Need, request: Request, dependencies: Dependencies) -> None:
    """As ``require_role``, for a need that depends on more than the route."""
    if need.role is None or (need.outside and dependencies.on_loopback):
        return
    given = request.headers.get("X-API-Key")
    if need.looks and given is None and _logged_in(request, dependencies):
        return
    caller = identified(given, dependencies, _missing(need))
    request.state.caller = caller
    if not caller.role.covers(need.role):
        raise Problem(403, f"This needs the role {need.role}; the API key {caller.name} has {caller.role}.")


def _missing(need: Need) -> str:
    return (
        "Log in at /dashboard/login, or send the header X-API-Key."
        if need.looks
        else "The header X-API-Key is missing."
    )


def _logged_in(request: Request, dependencies: Dependencies) -> bool:
    sessions = dependencies.sessions
    return sessions is not None and sessions.valid(request.cookies.get(cookie_name(request)))


def identified(given: str | None, dependencies: Dependencies, missing: str) -> Caller:
    """The caller with this key; raises ``Problem`` 401 for none, a wrong one, and one that is not in force any more.

    Only who has all of a key learns that it has ended.
    """
    if dependencies.api_key is None:
        raise Problem(403, "This API takes no keys: it was started without API_KEY_FILE.")
    if given is None:
        raise Problem(401, missing, headers=_ASKS)
    if dependencies.api_key.accepts(given):
        return Caller(None, Role.ADMIN)
    store = dependencies.keys
    key = store.find(given)
    if key is None:
        raise Problem(401, "The API key is wrong.", headers=_ASKS)
    if ended := _ended(key, store):
        raise Problem(401, ended, headers=_ASKS)
    store.used(key)
    return Caller(key.name, key.role)


def _ended(key: Key, store: KeyStore) -> str:
    state = key.state(store.clock())
    at = {"expired": key.expires_at, "revoked": key.revoked_at}.get(state)
    return f"The API key {key.name} {_HOW[state]} on {_shown(at)}." if at else ""


_HOW = {"expired": "expired", "revoked": "was revoked"}


def _shown(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def require_alert_token(
    dependencies: Provided, authorization: Annotated[str | None, Header(include_in_schema=False)] = None
) -> None:
    """401 unless the request carries Alertmanager's bearer token; 403 when this API has none."""
    if dependencies.alert_token is None:
        raise Problem(403, "This API takes no alerts: it was started without ALERT_TOKEN_FILE.")
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not dependencies.alert_token.accepts(token):
        raise Problem(401, "The bearer token is missing or wrong.", headers={"WWW-Authenticate": "Bearer"})


def requester(
    request: Request,
    x_requested_by: Annotated[
        str | None,
        Header(
            max_length=100,
            pattern=r"^[\x20-\x7e]+$",
            description="Who asks; kept in the job's events. With a named key it is the key that they name.",
        ),
    ] = None,
) -> str:
    """Who is named in events: the named key, or as who has the stack's own key calls itself."""
    return acting(getattr(request.state, "caller", None), x_requested_by)


def acting(caller: Caller | None, called: str | None) -> str:
    if caller is not None and caller.name is not None:
        return f"key:{caller.name}"
    return called or "api"


Requester = Annotated[str, Depends(requester)]
WithRole = Depends(require_role)
WithAlertToken = Depends(require_alert_token)
