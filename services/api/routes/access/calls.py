"""Changes that were asked of this API directly; those of the command `tradebot` are in its own audit log."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from services.api.schemas import STORABLE
from services.api.security import Provided

router = APIRouter(prefix="/api-calls", tags=["keys"])


class ApiCallOut(BaseModel):
    at: datetime
    by: str = Field(description="`key:NAME` with a named key; else as the caller called itself.")
    method: str
    route: str
    path: str
    status: int
    request_id: str


class ApiCallList(BaseModel):
    calls: list[ApiCallOut]


@router.get("")
def list_calls(
    dependencies: Provided,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    since_s: Annotated[float | None, Query(gt=0, le=10**9, description="Within so many seconds.")] = None,
    by: Annotated[str | None, Query(max_length=200, pattern=STORABLE)] = None,
) -> ApiCallList:
    """The newest first. They are kept for 400 days."""
    found = dependencies.calls.latest(limit, since_s, by)
    return ApiCallList(calls=[ApiCallOut.model_validate(each) for each in found])
