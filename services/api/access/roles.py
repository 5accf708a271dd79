"""Which role each route needs: the one table of it. A route that is not in it needs ``admin``."""

import ipaddress
from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """Each may do what the ones before it may."""

    READ = "read"
    OPERATE = "operate"
    ADMIN = "admin"

    def covers(self, needed: "Role") -> bool:
        order = list(Role)
        return order.index(self) >= order.index(needed)


@dataclass(frozen=True)
class Need:
    """The role that a request needs, if any.

    ``outside``: only where the API is reached from beyond this host. ``looks``: a login of the dashboard does, too.
    """

    role: Role | None
    outside: bool = False
    looks: bool = False


#: Anybody; or whoever passes the login or the token that the route asks for itself.
OPEN = Need(None)
READS = Need(Role.READ, outside=True, looks=True)
PANELS = Need(Role.READ, looks=True)
HOLDINGS = Need(Role.READ)
OPERATES = Need(Role.OPERATE)
ADMINISTERS = Need(Role.ADMIN)

NEEDS: dict[tuple[str, str], Need] = {
    ("GET", "/"): OPEN,
    ("GET", "/docs"): OPEN,
    ("GET", "/openapi.json"): OPEN,
    ("GET", "/metrics"): OPEN,
    ("GET", "/health"): OPEN,
    ("GET", "/health/live"): OPEN,
    ("GET", "/health/ready"): OPEN,
    ("GET", "/dashboard"): OPEN,
    ("GET", "/dashboard/jobs/{job_id}"): OPEN,
    ("GET", "/dashboard/login"): OPEN,
    ("POST", "/dashboard/login"): OPEN,
    ("POST", "/dashboard/logout"): OPEN,
    ("GET", "/dashboard/static/{path}"): OPEN,
    ("GET", "/dashboard/panels"): PANELS,
    ("POST", "/alerts/webhook"): OPEN,
    ("GET", "/jobs"): READS,
    ("GET", "/jobs/stats"): READS,
    ("GET", "/jobs/{job_id}"): READS,
    ("GET", "/jobs/{job_id}/events"): READS,
    ("GET", "/job-types"): READS,
    ("GET", "/dead-letters"): READS,
    ("GET", "/dead-letters/quarantine"): READS,
    ("GET", "/queues"): READS,
    ("GET", "/halt"): READS,
    ("GET", "/schedules"): READS,
    ("GET", "/workers"): READS,
    ("GET", "/breakers"): READS,
    ("GET", "/candle-files"): READS,
    ("GET", "/series"): READS,
    ("GET", "/series/{interval}/{symbol}"): READS,
    ("GET", "/errors"): READS,
    ("GET", "/alerts"): READS,
    ("GET", "/alerts/stats"): READS,
    ("GET", "/bots"): HOLDINGS,
    ("POST", "/jobs"): OPERATES,
    ("DELETE", "/jobs/{job_id}"): OPERATES,
    ("POST", "/jobs/recover"): OPERATES,
    ("POST", "/dead-letters/{job_id}/replay"): OPERATES,
    ("PATCH", "/queues/{type}"): OPERATES,
    ("POST", "/halt"): OPERATES,
    ("POST", "/bots/halt"): OPERATES,
    ("DELETE", "/halt"): OPERATES,
    ("PUT", "/schedules/{name}"): OPERATES,
    ("PATCH", "/schedules/{name}"): OPERATES,
    ("DELETE", "/schedules/{name}"): OPERATES,
    ("POST", "/workers/{name}/drain"): OPERATES,
    ("POST", "/workers/{name}/resume"): OPERATES,
    ("POST", "/breakers/{name}/reset"): OPERATES,
    ("PUT", "/candle-files/{name}"): OPERATES,
    ("POST", "/alerts/ack"): OPERATES,
    ("POST", "/jobs/prune"): ADMINISTERS,
    ("PUT", "/dead-letters/quarantine/{name}"): ADMINISTERS,
    ("DELETE", "/dead-letters/quarantine/{name}"): ADMINISTERS,
    ("DELETE", "/dead-letters/{job_id}"): ADMINISTERS,
    ("POST", "/queues/{type}/purge"): ADMINISTERS,
    ("DELETE", "/workers/{name}"): ADMINISTERS,
    ("DELETE", "/candle-files/{name}"): ADMINISTERS,
    ("DELETE", "/series/{interval}/{symbol}"): ADMINISTERS,
    ("GET", "/keys"): ADMINISTERS,
    ("POST", "/keys"): ADMINISTERS,
    ("DELETE", "/keys/{name}"): ADMINISTERS,
    ("GET", "/api-calls"): ADMINISTERS,
}


def needed(method: str, path: str) -> Need:
    """By the route's template, such as ``/jobs/{job_id}``."""
    return NEEDS.get((method, path), ADMINISTERS)


def on_loopback(host: str) -> bool:
    """Whether only this host reaches what is published there; False for what is no address of it."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
