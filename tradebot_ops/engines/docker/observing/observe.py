"""The engine's JSON, as the protocol's own shapes. Pure, except that it reads given dictionaries."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from tradebot_ops.engines.base import Address, Event, Health, Published, Replica, State, Stats
from tradebot_ops.engines.docker.spec import CONTENT_HASH, SPEC_HASH, owner

STATES = {
    "created": State.CREATED,
    "running": State.RUNNING,
    "restarting": State.RESTARTING,
    "paused": State.PAUSED,
    "exited": State.EXITED,
    "removing": State.EXITED,
    "dead": State.FAILED,
}
NEVER = "0001-01-01"
NOTHING: Mapping[str, str] = {}


def replica_of(raw: Mapping[str, Any], reloaded: Mapping[str, str] = NOTHING) -> Replica:
    """From an inspected container; ``reloaded`` are content hashes that replaced the one on its label."""
    state, config = raw["State"], raw["Config"]
    labels = config.get("Labels") or {}
    service, number = owner(labels)
    return Replica(
        service=service,
        number=number,
        id=raw["Id"],
        name=raw["Name"].lstrip("/"),
        state=state_of(raw),
        health=health_of(state),
        spec_hash=labels.get(SPEC_HASH, ""),
        content_hash=reloaded.get(raw["Id"], labels.get(CONTENT_HASH, "")),
        exit_code=state["ExitCode"] if state["Status"] in {"exited", "dead", "restarting"} else None,
        restarts=raw.get("RestartCount", 0),
        pid=state.get("Pid") or None,
        started_at=parse_time(state.get("StartedAt", "")),
        image=config["Image"],
        published=published_of(raw),
        oom_killed=bool(state.get("OOMKilled")),
        host=address_of(raw),
    )


def address_of(raw: Mapping[str, Any]) -> str:
    """The container's address on its first network; empty when it has none."""
    networks = (raw.get("NetworkSettings") or {}).get("Networks") or {}
    return next((found["IPAddress"] for found in networks.values() if found.get("IPAddress")), "")


def state_of(raw: Mapping[str, Any]) -> State:
    """`on-failure:3` used up is a failure for good; the engine itself only says "exited"."""
    state = raw["State"]
    policy = (raw.get("HostConfig") or {}).get("RestartPolicy") or {}
    limit = policy.get("MaximumRetryCount", 0)
    if state["Status"] == "exited" and state["ExitCode"] and limit and raw.get("RestartCount", 0) >= limit:
        return State.FAILED
    return STATES.get(state["Status"], State.FAILED)


def health_of(state: Mapping[str, Any]) -> Health:
    status = (state.get("Health") or {}).get("Status") or "none"
    return Health(status) if status in set(Health) else Health.NONE


def published_of(raw: Mapping[str, Any]) -> tuple[Published, ...]:
    ports = (raw.get("NetworkSettings") or {}).get("Ports") or {}
    found: dict[int, Address] = {}
    for name, bindings in ports.items():
        target, _, protocol = name.partition("/")
        for binding in bindings or ():
            # An IPv6 twin of the same port comes after the IPv4 one.
            if protocol == "tcp":
                found.setdefault(int(target), Address(reachable(binding["HostIp"]), int(binding["HostPort"])))
    return tuple(Published(target, address) for target, address in sorted(found.items()))


def reachable(host_ip: str) -> str:
    """Where this host reaches a port bound to that address."""
    return "127.0.0.1" if host_ip in {"", "0.0.0.0", "::"} else host_ip.strip("[]")  # noqa: S104 - compared with, not bound to


def parse_time(text: str) -> datetime | None:
    """Docker's RFC 3339 with nanoseconds; its zero time means never."""
    if not text or text.startswith(NEVER):
        return None
    return datetime.fromisoformat(text)


def event_of(raw: Mapping[str, Any]) -> Event:
    actor = raw.get("Actor", {}).get("Attributes", {})
    code = actor.get("exitCode")
    service, number = owner(actor)
    return Event(
        at=datetime.fromtimestamp(raw["timeNano"] / 1e9, tz=UTC),
        service=service,
        number=number,
        action=raw["Action"],
        exit_code=int(code) if code else None,
    )


def cores_between(before: Mapping[str, Any], after: Mapping[str, Any]) -> float:
    """Cores used between two samples."""
    first, last = parse_time(before.get("read", "")), parse_time(after.get("read", ""))
    elapsed = (last - first).total_seconds() if first and last else 0.0
    spent = after["cpu_stats"]["cpu_usage"]["total_usage"] - before["cpu_stats"]["cpu_usage"]["total_usage"]
    return max(0.0, spent / 1e9 / elapsed) if elapsed > 0 else 0.0


def stats_of(
    replica: str, before: Mapping[str, Any] | None, after: Mapping[str, Any], host_memory: int
) -> Stats | None:
    """Cores used since ``before`` if there is one, and memory without the page cache; None when it was not running."""
    memory = after.get("memory_stats") or {}
    if "usage" not in memory or parse_time(after.get("read", "")) is None:
        return None
    details = memory.get("stats") or {}
    # The first name is of cgroup v1, the second of v2.
    cache = details.get("total_inactive_file", details.get("inactive_file", 0))
    limit = memory.get("limit") or 0
    return Stats(
        id=replica,
        cpu=cores_between(before, after) if before else None,
        memory=max(0, memory["usage"] - cache),
        memory_limit=limit if 0 < limit < host_memory else None,
    )
