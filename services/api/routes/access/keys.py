"""Named keys: made, listed, revoked. A key is in the answer that makes it, and never again."""

from datetime import UTC, datetime
from typing import Annotated

import structlog
from fastapi import APIRouter, Path, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from services.api.access.keys import NAME, Key, State
from services.api.access.roles import Role
from services.api.problems import Problem
from services.api.security import Provided, Requester

router = APIRouter(prefix="/keys", tags=["keys"])
log = structlog.get_logger(__name__)

_SHAPE = f"^{NAME.pattern}$"
Name = Annotated[str, Path(pattern=_SHAPE, examples=["nightly"])]


class KeyRequest(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(pattern=_SHAPE, examples=["nightly"])]
    role: Annotated[Role, Field(examples=["operate"], description="Each role may do what the ones before it may.")]
    expires_at: AwareDatetime | None = Field(default=None, description="When it ends; with its zone. Null: never.")


class KeyOut(BaseModel):
    name: str
    role: Role
    state: State
    created_at: datetime
    created_by: str
    expires_at: datetime | None
    last_used_at: datetime | None = Field(description="To a minute.")
    revoked_at: datetime | None
    revoked_by: str | None


class NewKeyOut(KeyOut):
    key: str = Field(description="For the header X-API-Key. It is stored nowhere, and shown only here.")


class KeyList(BaseModel):
    keys: list[KeyOut]


@router.get("")
def list_keys(dependencies: Provided) -> KeyList:
    """Every named key, the oldest first, with those that ended."""
    now = dependencies.keys.clock()
    return KeyList(keys=[_out(key, now) for key in dependencies.keys.all()])


@router.post("", status_code=201)
def create(request: KeyRequest, dependencies: Provided, by: Requester, response: Response) -> NewKeyOut:
    """Make a key. 409 where one of this name is not revoked, also when it has expired."""
    now = dependencies.keys.clock()
    expires_at = _in_utc(request.expires_at)
    if expires_at is not None and expires_at <= now:
        detail = "expires_at: is past"
        raise Problem(422, detail, errors=[("expires_at", "is past")])
    made = dependencies.keys.create(request.name, request.role, expires_at, by)
    if made is None:
        name = request.name
        raise Problem(409, f"There is an API key {name} already. End it first: tradebot keys revoke {name}")
    key, secret = made
    log.info("api key made", name=key.name, role=key.role.value, by=by)
    response.headers["Cache-Control"] = "no-store"
    return NewKeyOut(**_out(key, now).model_dump(), key=secret.get_secret_value())


@router.delete("/{name}")
def revoke(name: Name, dependencies: Provided, by: Requester) -> KeyOut:
    """End a key for good: each API process refuses it from its next request on."""
    ended = dependencies.keys.revoke(name, by)
    if ended is None:
        raise Problem(404, f"There is no API key {name} that is not revoked.")
    log.info("api key revoked", name=name, by=by)
    return _out(ended, dependencies.keys.clock())


def _in_utc(at: datetime | None) -> datetime | None:
    """A time that is within the calendar only in its own zone is none."""
    try:
        return None if at is None else at.astimezone(UTC)
    except OverflowError:
        raise Problem(
            422, "expires_at: is outside the calendar", errors=[("expires_at", "is outside the calendar")]
        ) from None


def _out(key: Key, now: datetime) -> KeyOut:
    return KeyOut.model_validate({**vars(key), "state": key.state(now)})
