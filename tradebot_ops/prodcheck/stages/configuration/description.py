"""The description: it can be read, it is in force, its sizes fit together, and its images stay what they are."""

from collections.abc import Iterator

from tradebot_ops.engines.inspection import EngineInfo, Inspected
from tradebot_ops.facts import engine
from tradebot_ops.facts.fact import Skip
from tradebot_ops.facts.metrics.monitoring import PROFILE
from tradebot_ops.facts.project import described, stack
from tradebot_ops.facts.project.described import Drift, Reading
from tradebot_ops.facts.replicas import containers
from tradebot_ops.model import Level
from tradebot_ops.prodcheck.check import Severity, Verdict, check, failed, passed, skipped, unseen, warned, worst
from tradebot_ops.stack.model import Service, Stack
from tradebot_ops.text.lists import few
from tradebot_ops.text.quantities import human_bytes

GB = 1024**3
#: What the brief reserves for the services of the monitoring together.
MONITORING = 2 * GB
#: The part of its limit that Redis may fill, and the least and most that Postgres may take as its cache.
REDIS_SHARE, LEAST_CACHE, MOST_CACHE = 0.8, 0.15, 0.40


@check(
    "CFG-01",
    "The description is whole",
    asks=(described.reading,),
    severity=Severity.CRITICAL,
    source="design: a missing file becomes an empty folder in Docker",
    anchor="compose.yaml",
    remedy="tradebot config validate",
)
def whole(found: Reading) -> Verdict:
    """Every variable has a value, everything that is named exists, and what is mounted as a file is one."""
    if found.problems:
        message = f"The description has {len(found.problems)} problems."
        evidence = "\n".join(found.problems)
        ending = "tradebot config validate"
        hint = found.hint if ending in found.hint else f"{found.hint} Then: {ending}".lstrip()
        observed = found.problems[0]
        return failed(message, observed=observed, expected="none", evidence=evidence, hint=hint, anchor=found.anchor)
    return passed("The description is whole.", observed=f"{found.services} services, {found.mounts} mounts")


@check(
    "CFG-06",
    "What runs is what is written",
    asks=(described.drift,),
    source="design: a change that was never applied is no change",
    needs=("ENG-01", "CFG-01"),
    anchor="compose.yaml",
    remedy="tradebot drift; then tradebot up",
)
def in_force(found: Drift) -> Verdict:
    """The hash of each replica's specification and of the files mounted into it, against those of the description; and
    what Prometheus and Alertmanager say they loaded, against their files.
    """
    evidence = "\n".join(f"not compared: {why}" for why in found.unseen)
    if found.description:
        message = f"{len(found.description)} replicas were started from another description."
        return failed(message, observed=few(found.description), expected="as described", evidence=evidence)
    if found.contents or found.loaded:
        names = [*(f"{label}: mounted files" for label in found.contents), *found.loaded]
        message = "Edited configuration is not in force."
        return warned(message, observed=few(names), expected="loaded", evidence=evidence)
    if not found.replicas:
        return skipped(Skip.PREREQUISITE, "No replica runs.")
    if found.unseen:
        message = "What some services loaded could not be compared with their files."
        hint = "tradebot monitoring status"
        return unseen(message, observed=few(found.unseen), expected="compared", evidence=evidence, hint=hint)
    return passed("What runs is what is written.", observed=f"{found.replicas} replicas")


@check(
    "CFG-07",
    "Memory settings make sense together",
    asks=(stack.description, engine.info),
    source="brief: capacity; Redis and Postgres advice on memory",
    needs=("ENG-01", "CFG-01"),
    anchor=".env.production.example#REDIS_MAXMEMORY",
    remedy="tradebot config show; then change the sizes that it lists, and run `tradebot up`",
    at_most={"dev": Level.WARN},
)
def sizes(description: Stack, info: EngineInfo) -> Verdict:
    """Workers, stores and monitoring share one memory: what each may take must fit beside the others, and no store may
    be set to fill its own limit, for then the kernel kills it.
    """
    return worst([_together(description, info.memory), *map(_store, _stores(description))])


def _stores(description: Stack) -> Iterator[Service]:
    for service in description.services.values():
        if service.probe and service.probe.protocol in {"redis", "postgres"} and service.needs_memory:
            yield service


def _together(description: Stack, memory: int) -> Verdict:
    workers = sum(each.replicas * (each.limits.memory or 0) for each in description.services.values() if each.scalable)
    stores = sum(each.needs_memory or 0 for each in _stores(description))
    monitored = any(PROFILE in each.profiles for each in description.services.values())
    needed = workers + stores + (MONITORING if monitored else 0)
    observed = f"{human_bytes(needed)} of {human_bytes(memory)}"
    evidence = f"workers {human_bytes(workers)}, stores {human_bytes(stores)}, monitoring {human_bytes(MONITORING)}"
    if needed > memory:
        message = "Workers, stores and monitoring may use more memory than there is."
        hint = "Lower WORKER_REPLICAS or WORKER_MEMORY_LIMIT in .env, then: tradebot up"
        return failed(message, observed=observed, expected="it fits", evidence=evidence, hint=hint)
    return passed("Memory settings make sense together.", observed=observed, evidence=evidence)


def _store(service: Service) -> Verdict:
    used, limit = service.needs_memory or 0, service.limits.memory
    if not limit:
        return warned(f"{service.name} has no memory limit.", observed="none", expected="a limit")
    share, observed = used / limit, f"{service.name} {human_bytes(used)} of {human_bytes(limit)}"
    if service.probe and service.probe.protocol == "redis":
        message, expected = "Redis is allowed to fill its own limit.", f"at most {REDIS_SHARE:.0%}"
        hint = "Raise REDIS_MEMORY_LIMIT or lower REDIS_MAXMEMORY in .env, then: tradebot up"
        if share >= 1:
            return failed(message, observed=observed, expected="below the limit", hint=hint)
        if share > REDIS_SHARE:
            return warned("Redis has little room to save.", observed=observed, expected=expected, hint=hint)
    elif not LEAST_CACHE <= share <= MOST_CACHE:
        hint = "Set POSTGRES_SHARED_BUFFERS or POSTGRES_MEMORY_LIMIT in .env, then: tradebot up"
        expected = f"{LEAST_CACHE:.0%} to {MOST_CACHE:.0%}"
        message = "The cache of Postgres does not suit its limit."
        return warned(message, observed=observed, expected=expected, hint=hint)
    return passed(f"{service.name} has room.", observed=observed)


@check(
    "CFG-10",
    "Images are pinned",
    asks=(stack.description, containers.containers),
    source="CIS Docker 4.x; design: a tag moves",
    needs=("ENG-01", "CFG-01"),
    anchor="compose.yaml#image",
    remedy="tradebot images list; then name a version, or better its digest, behind `image:` in compose.yaml",
)
def pinned(description: Stack, found: tuple[Inspected, ...]) -> Verdict:
    """`latest` is another program tomorrow. An image that is built here is known by the hash of its source instead."""
    others = {each.image for each in description.services.values() if not each.build}
    others |= {each.image for each in found}
    others -= {each.image for each in found if each.source_hash}
    loose = sorted(image for image in others if _tag(image) in {"", "latest"} and "@" not in image)
    if loose:
        return failed(f"{len(loose)} images may change any day.", observed=few(loose), expected="a version or digest")
    tagged = sorted(image for image in others if "@sha256:" not in image)
    if tagged:
        message = f"{len(tagged)} images have a version and no digest."
        return warned(message, observed=few(tagged), expected="name:version@sha256:…")
    return passed("Images are pinned.", observed=f"{len(others)} images of others by digest")


def _tag(image: str) -> str:
    return image.partition("@")[0].rpartition("/")[2].partition(":")[2]
