"""Who may write."""

from typing import Annotated

from fastapi import Depends, Header

from services.api.dependencies import Dependencies, get_dependencies
from services.api.problems import Problem

Provided = Annotated[Dependencies, Depends(get_dependencies)]


def require_api_key(
    dependencies: Provided,
    x_api_key: Annotated[str | None, Header(description="The key in the secret file `api_key`.")] = None,
) -> None:
    """401 unless the header ``X-API-Key`` holds our key; 403 when this API has none."""
    if dependencies.api_key is None:
        raise Problem(403, "This API takes no writes: it was started without API_KEY_FILE.")
    if x_api_key is None:
        raise Problem(401, "The header X-API-Key is missing.", headers={"WWW-Authenticate": "ApiKey"})
    if not dependencies.api_key.accepts(x_api_key):
        raise Problem(401, "The API key is wrong.", headers={"WWW-Authenticate": "ApiKey"})


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
    x_requested_by: Annotated[
        str | None, Header(max_length=100, pattern=r"^[\x20-\x7e]+$", description="Who asks; kept in the job's events.")
    ] = None,
) -> str:
    """Who is named in events: as the caller calls itself, which the key vouches for."""
    return x_requested_by or "api"


Requester = Annotated[str, Depends(requester)]
WithApiKey = Depends(require_api_key)
WithAlertToken = Depends(require_alert_token)
