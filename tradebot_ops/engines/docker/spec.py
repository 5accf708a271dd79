"""One replica as a request to Docker's API. Pure: nothing here talks to an engine.

Containers, networks and volumes carry Compose's labels, so that `docker compose ps`, `logs` and `down`, and the
tools that read them, see the stack as their own.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tradebot_ops.stack.model import Healthcheck, Mount, MountKind, Port, Service, Stack
from tradebot_ops.text.labels import label

PROJECT = "com.docker.compose.project"
SERVICE = "com.docker.compose.service"
NUMBER = "com.docker.compose.container-number"
ONE_OFF = "com.docker.compose.oneoff"
FOLDER = "com.docker.compose.project.working_dir"
SPEC_HASH = "io.tradebot.spec-hash"
CONTENT_HASH = "io.tradebot.content-hash"
#: Which files are mounted one by one, see ``single_files``.
SINGLE_FILES = "io.tradebot.single-files"

Json = dict[str, Any]


@dataclass(frozen=True)
class Target:
    """Where a configuration goes: the API version decides which fields exist, the image's id and which files are
    mounted one by one are labels."""

    api_version: tuple[int, int]
    image_id: str = ""
    single_files: str = ""


def container_name(project: str, service: Service, number: int) -> str:
    return service.host.container_name or f"{project}-{service.name}-{number}"


def owner(labels: Mapping[str, str]) -> tuple[str, int]:
    """The service and the number of the replica that a container with these labels is."""
    return labels.get(SERVICE, ""), int(labels.get(NUMBER) or 1)


def container_labels(stack: Stack, service: Service, number: int, target: Target) -> dict[str, str]:
    depends = ",".join(f"{item.service}:{item.condition.value}:false" for item in service.depends_on)
    return {
        **service.labels,
        PROJECT: stack.project,
        SERVICE: service.name,
        NUMBER: str(number),
        ONE_OFF: "False",
        FOLDER: str(stack.folder),
        "com.docker.compose.project.config_files": ",".join(map(str, stack.files)),
        "com.docker.compose.config-hash": service.spec_hash,
        "com.docker.compose.image": target.image_id,
        "com.docker.compose.depends_on": depends,
        SPEC_HASH: service.spec_hash,
        CONTENT_HASH: service.content_hash,
        **({SINGLE_FILES: target.single_files} if target.single_files else {}),
    }


def container_config(stack: Stack, service: Service, number: int, target: Target) -> Json:
    """The body of `POST /containers/create` for one replica."""
    config: Json = {
        "Image": service.image,
        # A name that says more than an id: workers report themselves under it.
        "Hostname": service.host.hostname or label(service.name, number),
        "Tty": service.host.tty,
        "OpenStdin": service.host.stdin_open,
        "Cmd": list(service.command) or None,
        "Entrypoint": entrypoint(service),
        "Env": [f"{name}={value}" for name, value in service.environment.items()],
        "Labels": container_labels(stack, service, number, target),
        "User": service.user,
        "WorkingDir": service.working_dir,
        "ExposedPorts": {f"{port}/tcp": {} for port in exposed(service)},
        "StopSignal": service.stop_signal,
        "StopTimeout": math.ceil(service.stop_grace),
        "HostConfig": host_config(stack, service, number),
        "NetworkingConfig": {"EndpointsConfig": at_creation(networks(stack, service, number), target.api_version)},
    }
    if service.healthcheck is not None:
        config["Healthcheck"] = healthcheck(service.healthcheck, target.api_version)
    return config


def entrypoint(service: Service) -> list[str] | None:
    """None keeps the image's own. One word without letters takes it away, but the image's command with it: where that
    is wanted, an empty list does."""
    if service.entrypoint is None:
        return None
    return list(service.entrypoint) or ([""] if service.command else [])


def exposed(service: Service) -> list[int]:
    return sorted({*service.expose, *(port.target for port in service.ports)})


def published(service: Service, number: int) -> tuple[Port, ...]:
    """The ports this replica publishes. A host port belongs to one process, so of several replicas to the first."""
    return service.ports if number == 1 else ()


def host_config(stack: Stack, service: Service, number: int) -> Json:
    joined = [stack.networks[key].name for key in service.networks]
    return {
        "Mounts": mounts(stack, service),
        "NetworkMode": joined[0] if joined else "bridge",
        "PortBindings": port_bindings(published(service, number)),
        "RestartPolicy": restart_policy(service.restart),
        "Memory": service.limits.memory or 0,
        "NanoCpus": round((service.limits.cpus or 0) * 1e9),
        "PidsLimit": service.limits.pids,
        "ReadonlyRootfs": service.read_only,
        "CapAdd": list(service.cap_add),
        "CapDrop": list(service.cap_drop),
        "GroupAdd": list(service.group_add),
        "SecurityOpt": list(service.security_opt),
        "Init": service.init or None,
        "ExtraHosts": [f"{name}:{address}" for name, address in service.host.extra_hosts.items()],
        "Ulimits": [{"Name": name, "Soft": soft, "Hard": hard} for name, (soft, hard) in service.host.ulimits.items()],
        "ShmSize": service.host.shm_size or 0,
        "LogConfig": {"Type": service.logging.driver, "Config": dict(service.logging.options)},
    }


def port_bindings(ports: tuple[Port, ...]) -> Json:
    bindings: dict[str, list[dict[str, str]]] = {}
    for port in ports:
        host = {"HostIp": port.host_ip, "HostPort": str(port.published) if port.published else ""}
        bindings.setdefault(f"{port.target}/tcp", []).append(host)
    return bindings


def restart_policy(text: str) -> Json:
    name, _, count = text.partition(":")
    return {"Name": name or "no", "MaximumRetryCount": int(count) if count else 0}


def mounts(stack: Stack, service: Service) -> list[Json]:
    secrets = [file_mount(str(stack.secrets[item.source].file), item.target) for item in service.secrets]
    configs = [file_mount(str(stack.configs[item.source].file), item.target) for item in service.configs]
    return [*(mount(stack, item) for item in service.mounts), *secrets, *configs]


def mount(stack: Stack, item: Mount) -> Json:
    if item.kind is MountKind.TMPFS:
        options = {"SizeBytes": item.size, "Mode": item.mode}
        return {
            "Type": "tmpfs",
            "Target": item.target,
            "TmpfsOptions": {name: value for name, value in options.items() if value is not None},
        }
    source = stack.volumes[item.source].name if item.kind is MountKind.VOLUME else item.source
    return {"Type": item.kind.value, "Source": source, "Target": item.target, "ReadOnly": item.read_only}


def file_mount(source: str, target: str) -> Json:
    return {"Type": "bind", "Source": source, "Target": target, "ReadOnly": True}


def bind_sources(stack: Stack, service: Service) -> Mapping[str, str]:
    """Every host path that must exist before this service starts, with what it is for."""
    wanted = {item.source: f"mounted at {item.target}" for item in service.mounts if item.kind is MountKind.BIND}
    wanted.update({str(stack.secrets[item.source].file): f"secret {item.source}" for item in service.secrets})
    wanted.update({str(stack.configs[item.source].file): f"config {item.source}" for item in service.configs})
    return wanted


def networks(stack: Stack, service: Service, number: int) -> Json:
    """Endpoint settings by the engine's name of each network the replica is on."""
    return {stack.networks[key].name: endpoint(stack, service, number, key) for key in service.networks}


def detached_from(
    stack: Stack, service: Service, attached: Mapping[str, Mapping[str, Any]], existing: Mapping[str, str]
) -> str:
    """The first network that the service is to be on and a container is not; empty when it is on all.

    ``attached`` is what the engine says of the container, ``existing`` has the id of each network by name: one that
    was removed and made again has another. Of a container that was never started the engine knows no ids yet.
    """
    for name in (stack.networks[key].name for key in service.networks):
        if name not in attached or name not in existing:
            return name
        if (attached[name] or {}).get("NetworkID", "") not in {"", existing[name]}:
            return name
    return ""


def at_creation(endpoints: Json, api_version: tuple[int, int]) -> Json:
    """The endpoints that can be made with the container: before API 1.44 that is one, the others follow."""
    return endpoints if api_version >= (1, 44) else dict(list(endpoints.items())[:1])


def endpoint(stack: Stack, service: Service, number: int, key: str) -> Json:
    """Aliases are explicit: the engine gives none by itself, and the service's name must resolve."""
    names = [container_name(stack.project, service, number), service.name, *service.networks[key]]
    return {"Aliases": list(dict.fromkeys(names))}


def healthcheck(check: Healthcheck, api_version: tuple[int, int]) -> Json:
    config: Json = {
        "Test": list(check.test),
        "Interval": nanoseconds(check.interval),
        "Timeout": nanoseconds(check.timeout),
        "Retries": check.retries,
        "StartPeriod": nanoseconds(check.start_period),
    }
    if check.start_interval is not None and api_version >= (1, 44):
        config["StartInterval"] = nanoseconds(check.start_interval)
    return config


def nanoseconds(seconds: float) -> int:
    return round(seconds * 1e9)
