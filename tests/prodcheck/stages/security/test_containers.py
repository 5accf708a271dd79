"""Judges of what a replica could do to this host, at every level."""

from typing import Any

import pytest

from tradebot_ops.engines.inspection import Inspected, Mounted
from tradebot_ops.facts.fact import Skip
from tradebot_ops.facts.replicas.processes import Rights
from tradebot_ops.model import Level
from tradebot_ops.prodcheck.stages.security.containers import apart, hardened

SOUND: dict[str, Any] = {
    "user": "10001:10001", "cap_drop": ("ALL",), "security_opt": ("no-new-privileges:true",), "read_only": True,
    "memory_limit": 1, "cpu_limit": 1.0, "pids_limit": 64, "network_mode": "demo_default",
}  # fmt: skip
USER, ROOT = Rights("redis-server", 999, 0, True), Rights("redis-server", 0, 0x1FF, True)


def container(service: str = "api", **changed: Any) -> Inspected:
    return Inspected(service, 1, "id", f"demo-{service}-1", "running", **SOUND | changed)


@pytest.mark.parametrize(
    ("changed", "rights", "level", "observed"),
    [
        ({}, (), Level.PASS, "1 replica"),
        ({"user": ""}, (USER,), Level.PASS, "1 replica"),
        ({"user": ""}, (), Level.WARN, "run as root (4.1): api-1"),
        ({"user": "0:0"}, (), Level.WARN, "run as root (4.1)"),
        ({}, (USER, ROOT), Level.WARN, "run as root (4.1)"),
        ({"security_opt": ()}, (), Level.WARN, "may gain rights (5.26)"),
        ({"cap_drop": ("NET_RAW",)}, (), Level.WARN, "keep capabilities (5.4)"),
        ({"read_only": False}, (), Level.WARN, "may write their root (5.13)"),
        ({"pids_limit": None}, (), Level.WARN, "no limit of processes (5.29)"),
        ({"memory_limit": None}, (), Level.WARN, "no limit of memory (5.11)"),
        ({"cpu_limit": None}, (), Level.WARN, "no limit of CPU (5.12)"),
        ({"privileged": True}, (), Level.FAIL, "api-1 is privileged (5.5)"),
        ({"security_opt": ("seccomp=unconfined",), "read_only": False}, (), Level.FAIL, "no seccomp profile (5.22)"),
        ({"security_opt": ("apparmor:unconfined",)}, (), Level.FAIL, "no AppArmor profile (5.2)"),
    ],
)
def test_rights(changed: dict[str, Any], rights: tuple[Rights, ...], level: Level, observed: str) -> None:
    verdict = hardened((container(**changed),), {"api-1": rights})
    assert verdict.level is level
    assert observed in verdict.observed


def test_of_a_process_only_its_user_is_judged() -> None:
    process = Inspected("redis", 1, "redis-1", "redis-1", "running", contained=False, user="redis")
    assert hardened((process,), {"redis-1": (USER,)}).level is Level.PASS
    assert hardened((process,), {"redis-1": (ROOT,)}).observed == "run as root (4.1): redis-1"


@pytest.mark.parametrize(
    ("service", "changed", "level", "observed"),
    [
        ("api", {}, Level.PASS, "1 container"),
        ("api", {"mounts": (Mounted("bind", "/home/me/config", "/c", True),)}, Level.PASS, "1 container"),
        ("node-exporter", {"mounts": (Mounted("bind", "/", "/host", True),)}, Level.PASS, "1 container"),
        ("node-exporter", {"mounts": (Mounted("bind", "/", "/host", False),)}, Level.FAIL, "has the host's / (5.6)"),
        ("api", {"mounts": (Mounted("bind", "/etc", "/e", True),)}, Level.FAIL, "has the host's /etc (5.6)"),
        ("api", {"mounts": (Mounted("bind", "/var/run/docker.sock", "/s", True),)}, Level.FAIL, "socket"),
        ("api", {"network_mode": "host"}, Level.FAIL, "network namespace (5.10)"),
        ("api", {"pid_mode": "host"}, Level.FAIL, "process namespace (5.16)"),
        ("api", {"ipc_mode": "host"}, Level.FAIL, "IPC namespace (5.17)"),
    ],
)
def test_host(service: str, changed: dict[str, Any], level: Level, observed: str) -> None:
    verdict = apart((container(service, **changed),))
    assert verdict.level is level
    assert observed in verdict.observed


def test_where_nothing_runs_nothing_is_judged() -> None:
    assert {hardened((), {}).skip, apart(()).skip} == {Skip.PREREQUISITE}
