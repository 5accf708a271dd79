"""Stand-ins: images made from Debian packages that take the place of official ones where no registry answers. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

PYTHON = "tradebot/python:3.13"


@dataclass(frozen=True)
class StandIn:
    """An image made from Debian packages: its folder under ``config/images``, the variable it is a value of, and the
    repository of the official image."""

    folder: str
    tag: str
    variable: str = ""
    official: str = ""


STAND_INS = (
    StandIn("python", PYTHON),
    StandIn("postgres", "tradebot/postgres:17", "POSTGRES_IMAGE", "postgres"),
    StandIn("redis", "tradebot/redis:8.0", "REDIS_IMAGE", "redis"),
    StandIn("prometheus", "tradebot/prometheus:2.53", "PROMETHEUS_IMAGE", "prom/prometheus"),
    StandIn("alertmanager", "tradebot/alertmanager:0.28", "ALERTMANAGER_IMAGE", "prom/alertmanager"),
    StandIn("node-exporter", "tradebot/node-exporter:1.9", "NODE_EXPORTER_IMAGE", "prom/node-exporter"),
    StandIn("redis-exporter", "tradebot/redis-exporter:1.69", "REDIS_EXPORTER_IMAGE", "oliver006/redis_exporter"),
    StandIn(
        "postgres-exporter",
        "tradebot/postgres-exporter:0.17",
        "POSTGRES_EXPORTER_IMAGE",
        "prometheuscommunity/postgres-exporter",
    ),
)

VARIABLES = frozenset(item.variable for item in STAND_INS if item.variable)


def stand_ins_of(sources: Mapping[str, str]) -> dict[str, str]:
    """Which of them an engine's images hold, by variable; ``sources`` is by name what tradebot built an image from.

    Where the official image is there, too, it keeps its place: another build of Postgres may sort texts differently.
    """
    repositories = {name.partition("@")[0].rpartition(":")[0].removeprefix("docker.io/") for name in sources}
    return {
        item.variable: item.tag
        for item in STAND_INS
        if item.variable and sources.get(item.tag) and item.official not in repositories
    }
