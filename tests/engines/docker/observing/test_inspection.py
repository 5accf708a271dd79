"""An inspected container in full: what checks of limits, rights, logs and ports judge; and the age of images."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest
from docker.errors import APIError

from tradebot_ops.docker.client import Client
from tradebot_ops.docker.errors import explain
from tradebot_ops.engines.docker.observing.inspection import inspected, layer_dates, try_out
from tradebot_ops.engines.inspection import Binding, Mounted
from tradebot_ops.errors import Unreachable


def container(**host: Any) -> dict[str, Any]:
    return {
        "Id": "abc",
        "Name": "/bot-api-1",
        "Image": "sha256:1",
        "Created": "2026-11-22T12:55:16.1Z",
        "RestartCount": 3,
        "AppArmorProfile": "unconfined",
        "Config": {
            "Image": "tradebot/app:latest",
            "User": "10001:10001",
            "Env": ["A=b=c", "EMPTY="],
            "Entrypoint": None,
            "Cmd": ["python", "-m", "services.api"],
            "StopTimeout": 20,
            "Healthcheck": {"Test": ["CMD", "true"]},
            "Labels": {
                "com.docker.compose.service": "api",
                "com.docker.compose.container-number": "2",
                "io.tradebot.source-hash": "h",
            },
        },
        "State": {
            "Status": "running",
            "ExitCode": 0,
            "Pid": 7,
            "StartedAt": "2026-11-22T12:55:17.751081387Z",
            "FinishedAt": "0001-01-01T00:00:00Z",
            "OOMKilled": True,
            "Health": {
                "Status": "unhealthy",
                "Log": [{"End": "2026-11-22T12:56:17.7Z", "ExitCode": 1, "Output": "refused\n"}],
            },
        },
        "HostConfig": {
            "RestartPolicy": {"Name": "unless-stopped"},
            "LogConfig": {"Type": "json-file", "Config": {"max-size": "10m"}},
            "Memory": 1024,
            "NanoCpus": 500_000_000,
            "PidsLimit": 64,
            "NetworkMode": "bot_default",
            **host,
        },
        "Mounts": [{"Type": "volume", "Name": "bot_data", "Source": "/var/x", "Destination": "/data", "RW": True}],
        "NetworkSettings": {
            "Networks": {"bot_default": {}},
            "Ports": {"8010/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8010"}], "9/tcp": None},
        },
    }


def test_a_container_is_told_in_full() -> None:
    found = inspected(container(CapDrop=["ALL"], ReadonlyRootfs=True, Init=True, SecurityOpt=["no-new-privileges"]))
    assert (found.label, found.status, found.restarts, found.oom_killed) == ("api-2", "running", 3, True)
    assert found.source_hash == "h"
    assert (found.restart_policy, found.log_driver, found.log_options) == (
        "unless-stopped",
        "json-file",
        {"max-size": "10m"},
    )
    assert (found.memory_limit, found.cpu_limit, found.pids_limit) == (1024, 0.5, 64)
    assert found.environment == {"A": "b=c", "EMPTY": ""}
    assert "b=c" not in repr(found), "an environment may hold secrets"
    assert found.command == ("python", "-m", "services.api")
    assert (found.read_only, found.init, found.cap_drop, found.privileged) == (True, True, ("ALL",), False)
    assert found.security_opt == ("no-new-privileges",)
    assert found.mounts == (Mounted("volume", "bot_data", "/data", read_only=False),)
    assert found.bindings == (Binding(8010, "0.0.0.0", 8010),)
    assert (found.health, found.health_log[0].exit_code, found.health_log[0].output) == ("unhealthy", 1, "refused")
    assert found.finished_at is None
    assert found.apparmor == "unconfined"


def test_what_is_not_limited_has_no_limit() -> None:
    found = inspected(container(Memory=0, NanoCpus=0, PidsLimit=None))
    assert (found.memory_limit, found.cpu_limit, found.pids_limit) == (None, None, None)
    assert inspected(container(NanoCpus=0, CpuQuota=150_000, CpuPeriod=100_000)).cpu_limit == 1.5
    assert inspected(container(PidsLimit=-1)).pids_limit is None


def test_a_stopped_container_is_judged_by_the_ports_it_asks_for() -> None:
    raw = container(PortBindings={"6379/tcp": [{"HostIp": "", "HostPort": "6379"}]})
    raw["NetworkSettings"]["Ports"] = {}
    assert inspected(raw).bindings == (Binding(6379, "0.0.0.0", 6379),)


def test_a_one_off_is_marked() -> None:
    raw = container()
    raw["Config"]["Labels"]["com.docker.compose.oneoff"] = "True"
    assert inspected(raw).one_off


def test_an_image_is_as_old_as_its_newest_layer_and_its_base_as_its_oldest() -> None:
    found = layer_dates("app:1", [{"Created": 1_800_000_000}, {"Created": 0}, {"Created": 1_700_000_000}])
    assert found.built == datetime.fromtimestamp(1_800_000_000, UTC)
    assert found.base == datetime.fromtimestamp(1_700_000_000, UTC)
    assert layer_dates("app:1", [{"Created": 0}]).built is None, "reproducible builds write no date"
    assert layer_dates("app:1", []).base is None


class Trying:
    """A client whose engine has every image, and does ``then`` when asked to make a container."""

    def __init__(self, then: Exception) -> None:
        self._then = then
        self.reads = SimpleNamespace(inspect_image=lambda image: {})
        self.writes = SimpleNamespace(create_container=self._create)
        self.deadlines = SimpleNamespace(read=1.0, write=1.0)

    def _create(self, *_: object, **__: object) -> None:
        raise self._then

    @contextmanager
    def translating_errors(self, doing: str, seconds: float) -> Iterator[None]:
        del seconds
        try:
            yield
        except APIError as error:
            raise explain(doing, error) from error
        except OSError as error:
            raise Unreachable(f"{error}.", code="TB-0601") from error


def test_a_container_that_the_engine_refuses_is_an_answer_and_its_silence_is_none() -> None:
    refusing = cast("Client", Trying(APIError("400", explanation="runc: no such cgroup")))
    tried = try_out(refusing, "demo", ["redis:8.0"])
    assert tried.image == "redis:8.0"
    assert tried.refused == "Docker refused while trying out a container: runc: no such cgroup."
    with pytest.raises(Unreachable):
        try_out(cast("Client", Trying(OSError("gone"))), "demo", ["redis:8.0"])
