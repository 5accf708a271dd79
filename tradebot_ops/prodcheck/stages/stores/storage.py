"""Both data stores: their files outlive the replica, have room, and memory is set as described; the schema fits."""

import contextlib
from collections.abc import Mapping

from tradebot_ops import units
from tradebot_ops.facts.project import stack
from tradebot_ops.facts.stores import postgres, redis, storage
from tradebot_ops.prodcheck.check import Severity, Verdict, check, failed, passed, warned, worst
from tradebot_ops.stack.model import Stack
from tradebot_ops.text.quantities import quantity

LITTLE_WARN, LITTLE_FAIL = 0.2, 0.1


@check(
    "DAT-10",
    "Data outlives its replica, with room to grow, and memory is as described",
    asks=(storage.redis_folder, storage.postgres_folder, stack.description, redis.config, postgres.settings),
    severity=Severity.CRITICAL,
    source="brief: persistent volumes",
    needs=("DAT-01", "DAT-05"),
    anchor="compose.yaml#volumes",
    remedy="tradebot up",
)
def lasting(
    of_redis: storage.Folder,
    of_postgres: storage.Folder,
    stack: Stack,
    config: Mapping[str, str],
    settings: Mapping[str, postgres.Setting],
) -> Verdict:
    """Data in a container's own layer is gone with the next `up` that recreates it. A setting that is described and
    not in force is one that everybody counts on and nobody has.
    """
    folders = (of_redis, of_postgres)
    differing = _not_in_force(stack, config, settings)
    shown: dict[str, str] = {
        "observed": "; ".join(f"{folder.service} {quantity(folder.free, 'bytes')} free ({folder.free_share:.0%})"
                              for folder in folders) + ("; " + "; ".join(differing) if differing else ""),
        "expected": f"on a volume, more than {LITTLE_WARN:.0%} free, memory as described",
        "evidence": "; ".join(f"{folder.command}: on {folder.mounted_on or 'the replica itself'}"
                              for folder in folders),
    }  # fmt: skip
    gone = [folder.service for folder in folders if not folder.lasting]
    least = min(folder.free_share for folder in folders)
    found = []
    if gone:
        hint = "Mount a volume where the data lies (compose.yaml), then: tradebot up"
        found.append(failed(f"The data of {' and '.join(gone)} goes with the replica.", **shown, hint=hint))
    if least < LITTLE_WARN:
        full = failed if least < LITTLE_FAIL else warned
        found.append(full(f"Only {least:.0%} of the disk is free.", **shown, hint="tradebot prune"))
    if differing:
        found.append(failed("What is described is not in force.", **shown))
    return worst(found) if found else passed("Data outlives its replica, with room to grow.", **shown)


def _not_in_force(stack: Stack, config: Mapping[str, str], settings: Mapping[str, postgres.Setting]) -> list[str]:
    """Sentences' parts such as "shared_buffers 128MB, described 262144kB"."""
    pairs = [("maxmemory", config.get("maxmemory", ""), redis.declared(stack).get("maxmemory"))]
    declared = postgres.declared(stack)
    pairs += [(name, settings[name].value, declared.get(name)) for name in ("shared_buffers", "max_connections")]
    return [
        f"{name} {now}, described {described}"
        for name, now, described in pairs
        if described is not None and _bytes(now) != _bytes(described)
    ]


def _bytes(value: str) -> str:
    with contextlib.suppress(ValueError):
        return str(units.size(value))
    return value
