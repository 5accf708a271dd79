"""A small stack for judges that compare with what is described."""

from pathlib import Path

from tradebot_ops.stack.model import Service, Stack


def stack_of(redis: str = "", postgres: str = "", *, workers: int = 2) -> Stack:
    """Redis and Postgres with these command lines, one API and some workers."""
    services = (
        Service("redis", "redis:8", tuple(redis.split(" ")) if redis else ()),
        Service("postgres", "postgres:17", tuple(postgres.split())),
        Service("api", "app", ()),
        Service("worker", "app", (), replicas=workers),
    )
    return Stack("demo", Path("/nowhere"), (), {service.name: service for service in services})
