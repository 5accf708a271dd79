"""One replica in the words of Docker's API."""

from dataclasses import replace
from pathlib import Path

import pytest

from tradebot_ops.engines.docker import spec
from tradebot_ops.stack.model import (
    Condition,
    Dependency,
    Healthcheck,
    Host,
    Limits,
    Mount,
    MountKind,
    Network,
    Port,
    SecretFile,
    SecretMount,
    Service,
    Stack,
    Volume,
)

OLD, NEW = (1, 41), (1, 45)
WORKER = Service(
    name="worker",
    image="tradebot/app:latest",
    command=("python", "-m", "services.worker"),
    environment={"LOG_LEVEL": "info"},
    ports=(Port(9091, 9091),),
    mounts=(
        Mount(MountKind.VOLUME, "data", "/data"),
        Mount(MountKind.BIND, "/srv/config", "/etc/app", read_only=True),
        Mount(MountKind.TMPFS, "", "/tmp", size=1024, mode=0o1777),
    ),
    secrets=(SecretMount("api_key", "/run/secrets/api_key"),),
    networks={"front": ("jobs",), "back": ()},
    depends_on=(Dependency("redis", Condition.HEALTHY),),
    healthcheck=Healthcheck(("CMD", "true"), interval=10, timeout=3, retries=3, start_period=60, start_interval=1),
    restart="on-failure:3",
    limits=Limits(memory=2 * 1024**3, cpus=1.5, pids=64),
    user="10001:10001",
    read_only=True,
    cap_drop=("ALL",),
    init=True,
    stop_grace=45,
    spec_hash="abc",
    content_hash="def",
)
STACK = Stack(
    "bot",
    Path("/srv"),
    (Path("/srv/compose.yaml"),),
    {"worker": WORKER},
    networks={"front": Network("bot_front"), "back": Network("shared", external=True)},
    volumes={"data": Volume("bot_data")},
    secrets={"api_key": SecretFile("api_key", Path("/keys/api_key"))},
)


def config(service: Service = WORKER, number: int = 1, api: tuple[int, int] = NEW) -> spec.Json:
    return spec.container_config(STACK, service, number, spec.Target(api, "sha256:1"))


def test_labels_are_those_compose_looks_for() -> None:
    labels = config()["Labels"]
    assert labels["com.docker.compose.project"] == "bot"
    assert labels["com.docker.compose.service"] == "worker"
    assert labels["com.docker.compose.container-number"] == "1"
    assert labels["com.docker.compose.oneoff"] == "False"
    assert labels["com.docker.compose.image"] == "sha256:1"
    assert labels["com.docker.compose.depends_on"] == "redis:service_healthy:false"
    assert labels["com.docker.compose.project.config_files"] == "/srv/compose.yaml"
    assert (labels["io.tradebot.spec-hash"], labels["io.tradebot.content-hash"]) == ("abc", "def")


def test_the_descriptions_own_labels_cannot_take_over_ours() -> None:
    stranger = replace(WORKER, labels={"com.docker.compose.project": "other", "team": "quant"})
    labels = config(stranger)["Labels"]
    assert (labels["com.docker.compose.project"], labels["team"]) == ("bot", "quant")


def test_only_the_first_replica_publishes() -> None:
    assert config()["HostConfig"]["PortBindings"] == {"9091/tcp": [{"HostIp": "127.0.0.1", "HostPort": "9091"}]}
    assert config(number=2)["HostConfig"]["PortBindings"] == {}
    assert config(number=2)["ExposedPorts"] == {"9091/tcp": {}}


def test_any_free_port_is_left_to_the_engine() -> None:
    anywhere = replace(WORKER, ports=(Port(9091, 0),))
    assert config(anywhere)["HostConfig"]["PortBindings"]["9091/tcp"][0]["HostPort"] == ""


def test_old_engines_get_no_field_they_do_not_know() -> None:
    assert "StartInterval" not in config(api=OLD)["Healthcheck"]
    assert config(api=NEW)["Healthcheck"]["StartInterval"] == 1_000_000_000
    assert list(config(api=OLD)["NetworkingConfig"]["EndpointsConfig"]) == ["bot_front"]
    assert list(config(api=NEW)["NetworkingConfig"]["EndpointsConfig"]) == ["bot_front", "shared"]


def test_aliases_are_said_explicitly() -> None:
    endpoint = config(number=2)["NetworkingConfig"]["EndpointsConfig"]["bot_front"]
    assert endpoint["Aliases"] == ["bot-worker-2", "worker", "jobs"]


def test_mounts_name_volumes_in_full_and_bind_files_read_only() -> None:
    volume, bind, tmpfs, secret = config()["HostConfig"]["Mounts"]
    assert (volume["Type"], volume["Source"]) == ("volume", "bot_data")
    assert (bind["Source"], bind["ReadOnly"]) == ("/srv/config", True)
    assert tmpfs["TmpfsOptions"] == {"SizeBytes": 1024, "Mode": 0o1777}
    assert secret == {"Type": "bind", "Source": "/keys/api_key", "Target": "/run/secrets/api_key", "ReadOnly": True}


def test_limits_are_in_the_engines_units() -> None:
    host = config()["HostConfig"]
    assert (host["Memory"], host["NanoCpus"], host["PidsLimit"]) == (2147483648, 1_500_000_000, 64)
    assert host["RestartPolicy"] == {"Name": "on-failure", "MaximumRetryCount": 3}


@pytest.mark.parametrize(
    ("entrypoint", "expected"),
    [(None, None), ((), [""]), (("/bin/tini", "--"), ["/bin/tini", "--"])],
)
def test_an_empty_entrypoint_clears_the_images_own(entrypoint: tuple[str, ...] | None, expected: object) -> None:
    assert config(replace(WORKER, entrypoint=entrypoint))["Entrypoint"] == expected


def test_an_empty_entrypoint_without_a_command_leaves_the_images_command() -> None:
    assert config(replace(WORKER, command=(), entrypoint=()))["Entrypoint"] == []


def test_what_a_container_is_besides_its_service() -> None:
    host = Host("my.bot", "bot", {"a": "192.0.2.7"}, {"nofile": (1, 2)}, 1024, tty=True, stdin_open=True)
    made = config(replace(WORKER, host=host))
    assert (made["Hostname"], made["Tty"], made["OpenStdin"]) == ("bot", True, True)
    assert made["HostConfig"]["ExtraHosts"] == ["a:192.0.2.7"]
    assert made["HostConfig"]["Ulimits"] == [{"Name": "nofile", "Soft": 1, "Hard": 2}]
    assert made["HostConfig"]["ShmSize"] == 1024
    endpoints = made["NetworkingConfig"]["EndpointsConfig"].values()
    assert all("my.bot" in endpoint["Aliases"] for endpoint in endpoints)


def test_sources_are_named_with_their_purpose() -> None:
    assert spec.bind_sources(STACK, WORKER) == {
        "/srv/config": "mounted at /etc/app",
        "/keys/api_key": "secret api_key",
    }
