"""Powers of a replica over this host if an attacker took it over."""

from collections.abc import Iterator, Mapping

from tradebot_ops.engines.inspection import Inspected, Mounted
from tradebot_ops.facts.fact import Skip
from tradebot_ops.facts.replicas import containers, processes
from tradebot_ops.facts.replicas.processes import Rights
from tradebot_ops.prodcheck.check import Severity, Verdict, check, failed, passed, skipped, warned, worst
from tradebot_ops.text.lists import few

#: The numbers of its section 5, and 4.1, are those of this version.
BENCHMARK = "CIS Docker Benchmark v1.6.0"
_NO_NEW_PRIVILEGES = ("no-new-privileges", "no-new-privileges:true", "no-new-privileges=true")
_SOCKETS = ("/var/run/docker.sock", "/run/docker.sock", "/run/containerd/containerd.sock")
#: Folders of the host from which it can be taken over, or its secrets read.
_HOST_FOLDERS = (
    "/boot",
    "/dev",
    "/etc",
    "/lib",
    "/proc",
    "/root",
    "/sys",
    "/usr",
    "/var/lib/docker",
    "/var/run",
    "/run",
)
_NOT_AS_ROOT = "Give tradebot a user of its own on this host; as that user: tradebot up"
#: They measure the host, and may read it.
_MEASURES_HOST = frozenset({"node-exporter"})


@check(
    "SEC-05",
    "Replicas hold no right that they do not need",
    asks=(containers.replicas, processes.rights),
    severity=Severity.CRITICAL,
    source=f"{BENCHMARK}: 4.1, 5.2, 5.4, 5.5, 5.11, 5.12, 5.13, 5.22, 5.26, 5.29",
    needs=("ENG-01",),
    anchor="compose.yaml#x-service",
    remedy="tradebot up; it recreates what was started with other rights; user, cap_drop, security_opt, read_only and "
    "deploy.resources.limits in compose.yaml hold them",
)
def hardened(found: tuple[Inspected, ...], rights: Mapping[str, tuple[Rights, ...]]) -> Verdict:
    """A hole in a service is as bad as what the service may do. Of containers the engine is asked for every right;
    of processes, the kernel, whose user they really are.
    """
    running = [each for each in found if each.status == "running"]
    if not running:
        return skipped(Skip.PREREQUISITE, "No replica runs.")
    open_ = {each.label: list(_open(each)) for each in running}
    missing = {each.label: list(_missing(each, rights.get(each.label, ()))) for each in running}
    evidence = "\n".join(_rights(each, rights.get(each.label, ())) for each in running)
    shown = {"expected": "none", "evidence": evidence}
    holes = [f"{label} {', '.join(what)}" for label, what in open_.items() if what]
    verdicts = [failed(f"{hole}.", observed=hole, **shown) for hole in holes]
    if any(missing.values()):
        hint = "" if any(each.contained for each in running) else _NOT_AS_ROOT
        verdicts.append(warned(_summary(missing), observed=_each(missing), hint=hint, **shown))
    if verdicts:
        return worst(verdicts)
    observed = f"{len(running)} replicas"
    return passed("Replicas hold no right that they do not need.", observed=observed, evidence=evidence)


def _open(each: Inspected) -> Iterator[str]:
    """Settings that make a container no container."""
    options = {option.replace("=", ":", 1) for option in each.security_opt}
    if each.privileged:
        yield "is privileged (5.5)"
    if "seccomp:unconfined" in options:
        yield "has no seccomp profile (5.22)"
    if "apparmor:unconfined" in options:
        yield "has no AppArmor profile (5.2)"


def _missing(each: Inspected, rights: tuple[Rights, ...]) -> Iterator[str]:
    if _root(each, rights):
        yield "run as root (4.1)"
    if not each.contained:
        return
    if not any(option in _NO_NEW_PRIVILEGES for option in each.security_opt):
        yield "may gain rights (5.26)"
    if "ALL" not in {word.upper() for word in each.cap_drop}:
        yield "keep capabilities (5.4)"
    if not each.read_only:
        yield "may write their root (5.13)"
    if each.pids_limit is None:
        yield "have no limit of processes (5.29)"
    if each.memory_limit is None:
        yield "have no limit of memory (5.11)"
    if each.cpu_limit is None:
        yield "have no limit of CPU (5.12)"


def _root(each: Inspected, rights: tuple[Rights, ...]) -> bool:
    """As the kernel has it, where it was asked: images that start as root may drop that before they serve."""
    if rights:
        return any(process.root for process in rights)
    return each.user.partition(":")[0] in {"", "root", "0"}


def _summary(missing: Mapping[str, list[str]]) -> str:
    count = sum(bool(what) for what in missing.values())
    return f"{count} of {len(missing)} replicas hold rights that they do not need."


def _each(missing: Mapping[str, list[str]]) -> str:
    """By what is missing, as that is what one edits."""
    by_item: dict[str, list[str]] = {}
    for label, what in missing.items():
        for item in what:
            by_item.setdefault(item, []).append(label)
    return "; ".join(f"{item}: {few(labels)}" for item, labels in by_item.items())


def _rights(each: Inspected, rights: tuple[Rights, ...]) -> str:
    kernel = ", ".join(
        f"{process.name} uid {process.user} CapEff {process.capabilities:x}"
        f"{' no_new_privs' if process.no_new_privileges else ''}"
        for process in rights[:4]
    )
    if not each.contained:
        return f"{each.label}: a process of this host as {each.user}: {kernel or 'not seen'}"
    return (
        f"{each.label}: user {each.user or 'root'}, cap_drop {' '.join(each.cap_drop) or 'none'}, cap_add"
        f" {' '.join(each.cap_add) or 'none'}, {' '.join(each.security_opt) or 'no security_opt'}, apparmor"
        f" {each.apparmor or 'none'}, read_only {each.read_only}, pids {each.pids_limit}, memory {each.memory_limit},"
        f" cpus {each.cpu_limit}; {kernel or 'its processes are not of this host'}"
    )


@check(
    "SEC-06",
    "Containers see neither the engine nor the host",
    asks=(containers.containers,),
    severity=Severity.CRITICAL,
    source=f"{BENCHMARK}: 5.6, 5.10, 5.16, 5.17, 5.32",
    needs=("ENG-01",),
    anchor="compose.yaml#volumes",
    remedy="tradebot up; after taking the mount or the namespace out of compose.yaml",
)
def apart(found: tuple[Inspected, ...]) -> Verdict:
    """Whoever reaches the engine's socket is root on this host, and so is who may write its folders; in the host's
    namespaces a container reads others' traffic, processes and shared memory.
    """
    if not found:
        return skipped(Skip.PREREQUISITE, "No replica runs.")
    wrong = [f"{each.label} {what}" for each in found for what in _host_parts(each)]
    evidence = "\n".join(map(_parts_of, found))
    if wrong:
        message = f"{len(wrong)} parts of the host are open to containers."
        return failed(message, observed=few(wrong, 5), expected="none", evidence=evidence)
    return passed(
        "Containers see neither the engine nor the host.", observed=f"{len(found)} containers", evidence=evidence
    )


def _parts_of(each: Inspected) -> str:
    binds = [f"{mount.source}:{mount.target}:{_mode(mount)}" for mount in each.mounts if mount.kind == "bind"]
    spaces = f"network {each.network_mode}, pid {each.pid_mode or 'own'}, ipc {each.ipc_mode or 'own'}"
    return f"{each.label}: {', '.join(binds) or 'no bind mount'}; {spaces}"


def _mode(mount: Mounted) -> str:
    return "ro" if mount.read_only else "rw"


def _host_parts(each: Inspected) -> Iterator[str]:
    for mount in each.mounts:
        if mount.kind == "bind":
            yield from _host_mount(each, mount)
    for kind, mode, number in (
        ("network", each.network_mode, "5.10"),
        ("process", each.pid_mode, "5.16"),
        ("IPC", each.ipc_mode, "5.17"),
    ):
        if mode == "host":
            yield f"is in the host's {kind} namespace ({number})"


def _host_mount(each: Inspected, mount: Mounted) -> Iterator[str]:
    source = mount.source.rstrip("/") or "/"
    if source in _SOCKETS or source.endswith("/docker.sock"):
        yield f"has the engine's socket {source} (5.32)"
    elif (source == "/" or source in _HOST_FOLDERS or source.startswith("/etc/")) and not (
        mount.read_only and each.service in _MEASURES_HOST
    ):
        yield f"has the host's {source} (5.6)"
