"""Room: memory, processors and disk of the engine's host against what the stack may use, and the pressure on them."""

from tradebot_ops.engines.inspection import EngineInfo
from tradebot_ops.facts import engine, host
from tradebot_ops.facts.project import stack
from tradebot_ops.prodcheck.check import Severity, Verdict, check, failed, passed, warned, worst
from tradebot_ops.stack.model import Service, Stack
from tradebot_ops.text.quantities import human_bytes

GB = 1024**3
LEAST_MEMORY, LEAST_CPUS, LEAST_DISK = 32 * GB, 8, 500 * GB
#: What the limits together may take, so that the host itself and the page cache have the rest.
SPARE = 1.2
SHRINK = "tradebot scale workers 1; or lower WORKER_MEMORY_LIMIT in .env and run `tradebot up`, or add memory"


@check(
    "ENG-03",
    "Memory for every limit",
    asks=(engine.info, stack.description, stack.environment),
    severity=Severity.CRITICAL,
    source="brief: 32 GB of RAM at least, 64 GB recommended",
    needs=("ENG-01",),
    anchor="compose.yaml#limits",
    remedy=SHRINK,
)
def memory(info: EngineInfo, description: Stack, env: str) -> Verdict:
    """Limits that together exceed the memory let the kernel kill a service when all of them are busy at once, which is
    when a market moves.
    """
    wanted = sum((service.limits.memory or 0) * service.replicas for service in _lasting(description))
    observed = f"{human_bytes(info.memory)} of memory, {human_bytes(wanted)} of limits"
    if info.memory < wanted:
        return failed("The limits exceed the memory.", observed=observed, expected=f"at least {human_bytes(wanted)}")
    if env == "dev":
        return passed("The limits fit into the memory.", observed=observed)
    if info.memory < LEAST_MEMORY:
        judge = failed if env == "prod" else warned
        return judge("There is less memory than production needs.", observed=observed, expected="at least 32 GB")
    if info.memory < wanted * SPARE:
        expected = f"at least {human_bytes(int(wanted * SPARE))}"
        return warned("The limits leave the host too little memory.", observed=observed, expected=expected)
    return passed("The limits fit into the memory.", observed=observed)


@check(
    "ENG-04",
    "Processors for every limit",
    asks=(engine.info, stack.description, stack.environment),
    source="brief: 8 CPU cores at least, 16 recommended",
    needs=("ENG-01",),
    anchor="compose.yaml#limits",
    remedy="tradebot scale workers 1; or lower `cpus` in compose.yaml and run `tradebot up`, or add processors",
)
def processors(info: EngineInfo, description: Stack, env: str) -> Verdict:
    """Processors can be shared, so too few of them make everything slow rather than fail; but no engine starts a
    service that may use more than there are.
    """
    lasting = _lasting(description)
    wanted = sum((service.limits.cpus or 0.0) * service.replicas for service in lasting)
    observed = f"{info.cpus} processors, limits of {wanted:g}"
    large = [service.name for service in lasting if (service.limits.cpus or 0) > info.cpus]
    if large and info.name != "local":  # which enforces no limit
        return failed(f"{', '.join(large)} may use more processors than there are.", observed=observed)
    if env == "prod" and info.cpus < LEAST_CPUS:
        return failed("There are fewer processors than production needs.", observed=observed, expected="at least 8")
    if info.cpus < wanted or (env != "dev" and info.cpus < LEAST_CPUS):
        return warned("The limits exceed the processors: under load, services wait for one another.", observed=observed)
    return passed("The limits fit the processors.", observed=observed)


def _lasting(description: Stack) -> list[Service]:
    """Without those that end by themselves before the others start."""
    return [service for service in description.services.values() if not service.one_shot]


@check(
    "ENG-05",
    "Disk space and inodes",
    asks=(host.disk, host.days_until_full, stack.environment),
    severity=Severity.CRITICAL,
    source="brief: 500 GB of SSD; a full disk stops Postgres, Redis' AOF and Prometheus at once",
    needs=("ENG-01",),
    anchor="compose.yaml#PROMETHEUS_RETENTION",
    remedy="tradebot prune; then enlarge the disk or shorten PROMETHEUS_RETENTION",
)
def disk(found: host.Disk, days: float | None, env: str) -> Verdict:
    """A full disk is the one fault that takes every store at once, and it is seen coming for days: by what is free, and
    by the trend of the last seven days. Running out of inodes looks the same to whoever writes.
    """
    evidence = (
        f"statvfs {found.path}: {found.free} of {found.total} bytes, {found.inodes_free} of {found.inodes} inodes"
    )
    return worst(
        [
            _share("space", found.free, found.total, evidence),
            *([_share("inodes", found.inodes_free, found.inodes, evidence)] if found.inodes else []),
            *([_trend(days)] if days is not None else []),
            *([_size(found.total)] if env == "prod" else []),
        ]
    )


def _share(what: str, free: int, total: int, evidence: str) -> Verdict:
    share = free / total if total else 0.0
    amount = f"{human_bytes(free)} of {human_bytes(total)}" if what == "space" else f"{free} of {total} inodes"
    observed, expected = f"{amount} free ({100 * share:.0f} %)", "more than 20 % free"
    if share <= 0.10:
        return failed(f"The disk has hardly any {what} left.", observed=observed, expected=expected, evidence=evidence)
    if share <= 0.20:
        return warned(f"The disk has little {what} left.", observed=observed, expected=expected, evidence=evidence)
    return passed(f"The disk has {what}.", observed=observed, evidence=evidence)


def _trend(days: float) -> Verdict:
    observed, expected = f"full in {days:.0f} days", "more than 14 days"
    if days < 3:
        return failed("The disk is full within three days at this pace.", observed=observed, expected=expected)
    if days <= 14:
        return warned("The disk is full within two weeks at this pace.", observed=observed, expected=expected)
    return passed("The disk lasts for weeks at this pace.", observed=observed)


def _size(total: int) -> Verdict:
    observed = human_bytes(total)
    if total < LEAST_DISK:
        return failed("The disk is smaller than production needs.", observed=observed, expected="at least 500 GB")
    return passed("The disk is as large as production needs.", observed=observed)


@check(
    "ENG-12",
    "No pressure on the host",
    asks=(host.pressure,),
    source="kernel: pressure stall information; Redis and Postgres advise against swap",
    needs=("ENG-01",),
    anchor="compose.yaml#limits",
    remedy="tradebot status; then scale down what works most, or move other work off this host",
)
def pressure(found: host.Pressure) -> Verdict:
    """The share of time in which work waited for a processor, memory or the disk: what makes everything slow at once
    without any single service being at fault. A store in swap answers in the time of a disk.
    """
    observed = ", ".join(f"{name} {100 * share:.0f} %" for name, share in found.some.items())
    evidence = "; ".join(f"/proc/pressure/{name} some avg300={100 * share:.2f}" for name, share in found.some.items())
    peak = max(found.some.values(), default=0.0)
    swapped = [f"{name} {human_bytes(size)}" for name, size in found.swap.items() if size > 16 << 20]
    expected = "under 20 % each, and no store in swap"
    if peak > 0.60:
        return failed("Work waits most of the time.", observed=observed, expected=expected, evidence=evidence)
    if swapped:
        observed = f"{observed}; in swap: {', '.join(swapped)}"
        return warned("A store is partly in swap.", observed=observed, expected=expected, evidence=evidence)
    if peak > 0.20:
        return warned("Work waits often.", observed=observed, expected=expected, evidence=evidence)
    return passed("Work hardly waits for anything.", observed=observed, evidence=evidence)
