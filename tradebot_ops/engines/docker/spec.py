"""What one replica means in the words of Docker's API. Pure: nothing here talks to an engine.

Containers, networks and volumes carry Compose's labels, so that `docker compose ps`, `logs` and `down`, and the
tools that read them, see the stack as their own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tradebot_ops.stack.model import Healthcheck, Mount, MountKind, Port, SecretMount, Service, Stack

PROJECT = "com.docker.compose.project"
SERVICE = "com.docker.compose.service"
NUMBER = "com.docker.compose.container-number"
ONE_OFF = "com.docker.compose.oneoff"
SPEC_HASH = "io.tradebot.spec-hash"

Json = dict[str, Any]


@dataclass(frozen=True)
class Target:
    """Where a configuration goes: the API version decides which fields exist, the image's id is a label."""

    api_version: tuple[int, int]
    image_id: str = ""


def container_name(project: str, service: str, number: int) -> str:
    return f"{project}-{service}-{number}"


def network_name(stack: Stack, key: str) -> str:
    """The engine's name of a network; external ones keep their own."""
    network = stack.networks.get(key)
    return scoped(stack, key, network.name if network else "", external=bool(network and network.external))


def volume_name(stack: Stack, key: str) -> str:
    """The engine's name of a volume; external ones keep their own."""
    volume = stack.volumes.get(key)
    return scoped(stack, key, volume.name if volume else "", external=bool(volume and volume.external))


def scoped(stack: Stack, key: str, name: str, *, external: bool) -> str:
    if external or (name and name != key):
        return name or key
    return f"{stack.project}_{key}"


def project_labels(stack: Stack) -> dict[str, str]:
    return {PROJECT: stack.project}


def container_labels(stack: Stack, service: Service, number: int, image_id: str) -> dict[str, str]:
    depends = ",".join(f"{item.service}:{item.condition.value}:false" for item in service.depends_on)
    return {
        **service.labels,
        **project_labels(stack),
        SERVICE: service.name,
        NUMBER: str(number),
        ONE_OFF: "False",
        "com.docker.compose.project.working_dir": str(stack.folder),
        "com.docker.compose.project.config_files": ",".join(map(str, stack.files)),
        "com.docker.compose.config-hash": service.spec_hash,
        "com.docker.compose.image": image_id,
        "com.docker.compose.depends_on": depends,
        SPEC_HASH: service.spec_hash,
    }


def container_config(stack: Stack, service: Service, number: int, target: Target) -> Json:
    """The body of `POST /containers/create` for one replica."""
    config: Json = {
        "Image": service.image,
        "Cmd": list(service.command) or None,
        "Entrypoint": None if service.entrypoint is None else list(service.entrypoint) or [""],
        "Env": [f"{name}={value}" for name, value in service.environment.items()],
        "Labels": container_labels(stack, service, number, target.image_id),
        "User": service.user,
        "WorkingDir": service.working_dir,
        "ExposedPorts": {f"{port}/tcp": {} for port in exposed(service)},
        "StopSignal": service.stop_signal,
        "StopTimeout": round(service.stop_grace),
        "HostConfig": host_config(stack, service, number),
        "NetworkingConfig": {"EndpointsConfig": first_network(stack, service, number)},
    }
    if service.healthcheck is not None:
        config["Healthcheck"] = healthcheck(service.healthcheck, target.api_version)
    return config


def exposed(service: Service) -> list[int]:
    return sorted({*service.expose, *(port.target for port in service.ports)})


def published(service: Service, number: int) -> tuple[Port, ...]:
    """The ports this replica publishes. A host port belongs to one process, so of several replicas to the first."""
    return service.ports if number == 1 else ()


def host_config(stack: Stack, service: Service, number: int) -> Json:
    networks = list(service.networks)
    return {
        "Mounts": mounts(stack, service),
        "NetworkMode": network_name(stack, networks[0]) if networks else "bridge",
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
    secrets = [
        file_mount(str(stack.secrets[item.source].file), secret_target("/run/secrets", item)) for item in service.secrets
    ]
    configs = [file_mount(str(stack.configs[item.source].file), secret_target("", item)) for item in service.configs]
    return [*(mount(stack, item) for item in service.mounts), *secrets, *configs]


def mount(stack: Stack, item: Mount) -> Json:
    source = volume_name(stack, item.source) if item.kind is MountKind.VOLUME else item.source
    found: Json = {"Type": item.kind.value, "Target": item.target, "ReadOnly": item.read_only}
    if item.kind is not MountKind.TMPFS:
        found["Source"] = source
    return found


def secret_target(folder: str, item: SecretMount) -> str:
    """Where a secret or config appears: an absolute target as it is, a name inside the usual folder."""
    target = item.target or item.source
    return target if target.startswith("/") else f"{folder}/{target}"


def file_mount(source: str, target: str) -> Json:
    return {"Type": "bind", "Source": source, "Target": target, "ReadOnly": True}


def bind_sources(stack: Stack, service: Service) -> Mapping[str, str]:
    """Every host path that must exist before this service starts, with what it is for."""
    wanted = {item.source: f"mounted at {item.target}" for item in service.mounts if item.kind is MountKind.BIND}
    wanted.update({str(stack.secrets[item.source].file): f"secret {item.source}" for item in service.secrets})
    wanted.update({str(stack.configs[item.source].file): f"config {item.source}" for item in service.configs})
    return wanted


def first_network(stack: Stack, service: Service, number: int) -> Json:
    """The endpoint made at creation; before API 1.44 there can be only one, so the others are connected later."""
    for key in service.networks:
        return {network_name(stack, key): endpoint(stack, service, number, key)}
    return {}


def endpoint(stack: Stack, service: Service, number: int, key: str) -> Json:
    """Aliases are explicit: the engine gives none by itself, and the service's name must resolve."""
    names = [container_name(stack.project, service.name, number), service.name, *service.networks[key]]
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

