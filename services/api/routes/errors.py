"""Errors of the API by fingerprint."""

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Query

from services.api.schemas import ErrorList, ErrorOut
from services.api.security import Provided

router = APIRouter(tags=["errors"])


@router.get("/errors")
def list_errors(dependencies: Provided, limit: Annotated[int, Query(ge=1, le=500)] = 100) -> ErrorList:
    """Most recent first; while Postgres is away, only what this process has seen."""
    return ErrorList(errors=[ErrorOut(**asdict(count)) for count in dependencies.errors.latest(limit)])
