"""Prometheus' endpoint."""

from fastapi import APIRouter, Request, Response
from prometheus_client.exposition import choose_encoder

from services.api.security import Provided

router = APIRouter(include_in_schema=False)


@router.get("/metrics")
def metrics(request: Request, dependencies: Provided) -> Response:
    """In a thread: queue lengths are asked of Postgres and Redis."""
    encode, content_type = choose_encoder(request.headers.get("accept", ""))
    return Response(encode(dependencies.metrics.registry), headers={"Content-Type": content_type})
