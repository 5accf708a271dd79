"""An inspected container as the protocol's Replica."""

from typing import Any

import pytest

from tradebot_ops.engines.base import Health, State
from tradebot_ops.engines.docker.observing.observe import published_of, replica_of, stats_of


def container(**state: Any) -> dict[str, Any]:
    return {
        "Id": "abc",
        "Name": "/bot-api-1",
        "Image": "sha256:1",
        "RestartCount": 3,
        "HostConfig": {"RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 3}},
        "Config": {
            "Image": "tradebot/app:latest",
            "Labels": {
                "com.docker.compose.service": "api",
                "com.docker.compose.container-number": "1",
                "io.tradebot.spec-hash": "s",
                "io.tradebot.content-hash": "c",
            },
        },
        "State": {
            "Status": "running",
            "ExitCode": 0,
            "Pid": 7,
            "StartedAt": "2026-11-22T12:55:17.751081387Z",
            "OOMKilled": False,
            **state,
        },
        "NetworkSettings": {"Ports": {}},
    }


def test_a_running_container_has_a_process_and_no_exit_code() -> None:
    found = replica_of(container(Health={"Status": "healthy"}))
    assert (found.service, found.number, found.name) == ("api", 1, "bot-api-1")
    assert (found.state, found.health, found.pid, found.exit_code) == (State.RUNNING, Health.HEALTHY, 7, None)
    assert found.started_at is not None
    assert found.started_at.microsecond == 751081


@pytest.mark.parametrize(
    ("status", "code", "state"),
    [
        ("created", 0, State.CREATED),
        ("restarting", 1, State.RESTARTING),
        ("paused", 0, State.PAUSED),
        ("exited", 0, State.EXITED),
        ("exited", 1, State.FAILED),  # its three retries are used up
        ("dead", 1, State.FAILED),
    ],
)
def test_states_are_the_protocols_words(status: str, code: int, state: State) -> None:
    assert replica_of(container(Status=status, ExitCode=code, Pid=0)).state is state


def test_the_engines_zero_time_means_never() -> None:
    assert replica_of(container(Status="created", StartedAt="0001-01-01T00:00:00Z")).started_at is None


def test_contents_read_since_the_start_replace_those_on_the_label() -> None:
    assert replica_of(container()).content_hash == "c"
    assert replica_of(container(), {"abc": "newer"}).content_hash == "newer"


def test_a_port_open_to_everybody_is_reached_on_this_host_once() -> None:
    raw = container()
    bindings = [{"HostIp": "0.0.0.0", "HostPort": "8010"}, {"HostIp": "::", "HostPort": "8011"}]
    raw["NetworkSettings"]["Ports"] = {"8010/tcp": bindings, "53/udp": bindings, "9/tcp": None}
    (port,) = published_of(raw)
    assert (port.target, str(port.address)) == (8010, "127.0.0.1:8010")


def sample(at: str, cpu: int, **memory: Any) -> dict[str, Any]:
    return {"read": at, "cpu_stats": {"cpu_usage": {"total_usage": cpu}}, "memory_stats": memory}


def test_use_is_cores_between_samples_and_memory_without_the_cache() -> None:
    before = sample("2026-11-22T12:00:00Z", 1_000_000_000, usage=1)
    for name in ("inactive_file", "total_inactive_file"):  # cgroup v2 and v1
        after = sample("2026-11-22T12:00:02Z", 2_000_000_000, usage=100, stats={name: 40}, limit=500)
        stats = stats_of("abc", before, after, host_memory=1000)
        assert stats is not None
        assert (stats.cpu, stats.memory, stats.memory_limit) == (0.5, 60, 500)


def test_a_limit_as_large_as_the_host_is_none() -> None:
    after = sample("2026-11-22T12:00:02Z", 0, usage=100, limit=1000)
    stats = stats_of("abc", sample("2026-11-22T12:00:00Z", 0, usage=1), after, host_memory=1000)
    assert stats is not None
    assert stats.memory_limit is None


def test_a_container_that_stopped_has_no_figures() -> None:
    assert stats_of("abc", sample("2026-11-22T12:00:00Z", 0), sample("2026-11-22T12:00:01Z", 0), 1000) is None
