"""Docker's description of a container and of itself, as the protocol's values, and whether it can run one."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from docker.errors import APIError, ImageNotFound, NotFound

from tradebot_ops.docker.build_context import CONTENT_HASH
from tradebot_ops.docker.client import Client, dotted
from tradebot_ops.engines.base import ImageDates
from tradebot_ops.engines.docker.containers import stop_grace
from tradebot_ops.engines.docker.exec import output
from tradebot_ops.engines.docker.observing.observe import parse_time
from tradebot_ops.engines.docker.spec import ONE_OFF, PROJECT, owner
from tradebot_ops.engines.inspection import Binding, EngineInfo, HealthSample, Inspected, Mounted, TriedOut
from tradebot_ops.errors import OpsError

Raw = Mapping[str, Any]

_DAY = 86400

_BOOT_LINKS = (
    "/etc/systemd/system/multi-user.target.wants/docker.service",
    "/etc/systemd/system/sockets.target.wants/docker.socket",
    "/etc/rc2.d/S01docker",
    "/etc/runlevels/default/docker",
)


def inspected(raw: Raw) -> Inspected:
    state, config, host = raw["State"], raw["Config"], raw.get("HostConfig") or {}
    labels = config.get("Labels") or {}
    service, number = owner(labels)
    health, policy = state.get("Health") or {}, host.get("RestartPolicy") or {}
    logs = host.get("LogConfig") or {}
    return Inspected(
        service=service,
        number=number,
        id=raw["Id"],
        name=raw["Name"].lstrip("/"),
        status=state["Status"],
        one_off=labels.get(ONE_OFF, "").lower() == "true",
        exit_code=state["ExitCode"] if state["Status"] in {"exited", "dead", "restarting"} else None,
        pid=state.get("Pid") or None,
        restarts=raw.get("RestartCount", 0),
        oom_killed=bool(state.get("OOMKilled")),
        created_at=parse_time(raw.get("Created", "")),
        started_at=parse_time(state.get("StartedAt", "")),
        finished_at=parse_time(state.get("FinishedAt", "")),
        restart_policy=policy.get("Name") or "no",
        health=health.get("Status") or "none",
        health_test=_words((config.get("Healthcheck") or {}).get("Test")),
        health_log=tuple(_sample(each) for each in health.get("Log") or ()),
        image=config["Image"],
        image_id=raw.get("Image", ""),
        source_hash=labels.get(CONTENT_HASH, ""),
        labels=labels,
        environment=dict(word.partition("=")[::2] for word in config.get("Env") or ()),
        command=(*_words(config.get("Entrypoint")), *_words(config.get("Cmd"))),
        stop_signal=config.get("StopSignal") or "SIGTERM",
        stop_grace=stop_grace(config),
        init=bool(host.get("Init")),
        log_driver=logs.get("Type", ""),
        log_options=logs.get("Config") or {},
        user=config.get("User") or "",
        privileged=bool(host.get("Privileged")),
        cap_add=_words(host.get("CapAdd")),
        cap_drop=_words(host.get("CapDrop")),
        security_opt=_words(host.get("SecurityOpt")),
        apparmor=raw.get("AppArmorProfile") or "",
        read_only=bool(host.get("ReadonlyRootfs")),
        memory_limit=host.get("Memory") or None,
        cpu_limit=_cores(host),
        pids_limit=_pids(host),
        network_mode=host.get("NetworkMode") or "",
        pid_mode=host.get("PidMode") or "",
        ipc_mode=host.get("IpcMode") or "",
        networks=tuple(sorted((raw.get("NetworkSettings") or {}).get("Networks") or {})),
        mounts=tuple(_mounted(each) for each in raw.get("Mounts") or ()),
        bindings=_bindings(raw),
    )


def _words(found: Sequence[str] | str | None) -> tuple[str, ...]:
    return (found,) if isinstance(found, str) else tuple(found or ())


def _sample(raw: Raw) -> HealthSample:
    return HealthSample(parse_time(raw.get("End", "")), raw.get("ExitCode", 0), str(raw.get("Output", "")).strip())


def _cores(host: Raw) -> float | None:
    """NanoCpus, or the quota that older tools set."""
    if host.get("NanoCpus"):
        return float(host["NanoCpus"]) / 1e9
    quota, period = host.get("CpuQuota") or 0, host.get("CpuPeriod") or 100_000
    return quota / period if quota > 0 else None


def _pids(host: Raw) -> int | None:
    limit = host.get("PidsLimit") or 0
    return int(limit) if limit > 0 else None


def _mounted(raw: Raw) -> Mounted:
    source = raw.get("Name") or raw.get("Source", "")
    return Mounted(raw["Type"], source, raw["Destination"], not raw.get("RW", True))


def _bindings(raw: Raw) -> tuple[Binding, ...]:
    """Ports published now; of a stopped container those that it asks for."""
    now = (raw.get("NetworkSettings") or {}).get("Ports") or {}
    wanted = (raw.get("HostConfig") or {}).get("PortBindings") or {}
    return tuple(
        Binding(int(port.partition("/")[0]), each.get("HostIp") or "0.0.0.0", int(each.get("HostPort") or 0))  # noqa: S104
        for port, found in sorted((now or wanted).items())
        for each in found or ()
    )


def info(client: Client) -> EngineInfo:
    """Two questions; raises ``OpsError`` as every verb does."""
    with client.translating_errors("asking about itself", client.deadlines.read):
        asked = datetime.now(UTC)
        found: Raw = client.reads.info()
        answered = datetime.now(UTC)
        version: Raw = client.reads.version()
    local = client.location.local
    enabled, evidence = _at_boot(str(found.get("OperatingSystem", ""))) if local else (None, "the engine is elsewhere")
    return EngineInfo(
        name="docker",
        version=str(found.get("ServerVersion", "")),
        os=str(found.get("OperatingSystem", "")),
        memory=int(found.get("MemTotal") or 0),
        cpus=int(found.get("NCPU") or 0),
        data_root=str(found.get("DockerRootDir", "")),
        on_this_host=local and Path(str(found.get("DockerRootDir", ""))).exists(),
        api=dotted(client.version),
        api_min=str(version.get("MinAPIVersion", "")),
        api_max=str(version.get("ApiVersion", "")),
        api_pinned=client.location.api_version,
        log_driver=str(found.get("LoggingDriver", "")),
        cgroup=str(found.get("CgroupVersion", "")),
        starts_at_boot=enabled,
        boot_evidence=evidence,
        now=parse_time(str(found.get("SystemTime", ""))),
        asked=asked,
        answered=answered,
    )


def _at_boot(system: str) -> tuple[bool | None, str]:
    """Whether an init system starts it: that has a link in a known place; Docker Desktop starts as its user says."""
    if "Desktop" in system:
        return None, f"{system} starts when its user says so"
    link = next((path for path in _BOOT_LINKS if Path(path).is_symlink() or Path(path).exists()), "")
    return bool(link), link or f"none of {', '.join(_BOOT_LINKS)}"


def try_out(client: Client, project: str, images: Sequence[str]) -> TriedOut:
    """See ``TriesOut``."""
    image = next((name for name in images if _present(client, name)), "")
    if not image:
        return TriedOut("")
    try:
        answer = _asked(client, project, image, ["echo", "tradebot"], network_disabled=True)
    except OpsError as error:
        if not isinstance(error.__cause__, APIError):  # the engine is away, which says nothing of what it can run
            raise
        return TriedOut(image, error.message)
    return TriedOut(image, "" if answer == "tradebot" else f"A command in it answered {answer[:80]!r}.")


def ask_outside(client: Client, project: str, image: str, command: Sequence[str]) -> str:
    """See ``StandsOutside``: it is on the engine's default network."""
    return _asked(client, project, image, command, network_disabled=False)


def _asked(client: Client, project: str, image: str, command: Sequence[str], *, network_disabled: bool) -> str:
    """The container is a one-off of the project: ``prune`` finds it if this process is killed."""
    api = client.writes
    with client.translating_errors("trying out a container", client.deadlines.write):
        made = api.create_container(
            image,
            command=["60"],
            entrypoint=["sleep"],
            labels={PROJECT: project, ONE_OFF: "True"},
            network_disabled=network_disabled,
        )["Id"]
        try:
            api.start(made)
            question = api.exec_create(made, list(command))["Id"]
            return output(client, question).decode(errors="replace").strip()
        finally:
            _discard(client, made)


def _present(client: Client, image: str) -> bool:
    with client.translating_errors(f"looking for the image {image}", client.deadlines.read):
        try:
            client.reads.inspect_image(image)  # type: ignore[no-untyped-call]
        except ImageNotFound:
            return False
        return True


def _discard(client: Client, made: str) -> None:
    try:
        client.writes.remove_container(made, force=True, v=True)
    except NotFound:
        return


def image_dates(client: Client, images: Sequence[str]) -> tuple[ImageDates, ...]:
    """Layers without a date, and the zero that reproducible builds write, say nothing."""
    with client.translating_errors("asking for the age of images", client.deadlines.read):
        present = [name for name in images if _present(client, name)]
        histories = {name: client.reads.history(name) for name in present}  # type: ignore[no-untyped-call]
        return tuple(layer_dates(name, layers) for name, layers in histories.items())


def layer_dates(image: str, layers: Sequence[Raw]) -> ImageDates:
    """From its layers, the newest first."""
    times = [int(layer.get("Created") or 0) for layer in layers]
    newest, oldest = max(times, default=0), times[-1] if times else 0
    return ImageDates(image, _date(newest), _date(oldest))


def _date(seconds: int) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if seconds > _DAY else None
