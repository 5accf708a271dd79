"""Redis: what it holds is on the disk, now and after the next start."""

import contextlib
from collections.abc import Mapping
from typing import Any

from tradebot_ops import units
from tradebot_ops.facts.project import stack
from tradebot_ops.facts.stores import redis, storage
from tradebot_ops.prodcheck.check import Severity, Verdict, check, failed, passed, warned, worst
from tradebot_ops.stack.model import Stack

#: Settings that decide what is left after a restart, with Redis' own defaults.
DECIDES = {"appendonly": "no", "appendfsync": "everysec", "save": "3600 1 300 100 60 10000", "maxmemory": "0",
           "maxmemory-policy": "noeviction"}  # fmt: skip
#: Without an append-only log the last snapshot is all that is left: one of yesterday is a day of jobs.
OLD_SAVE_S = 3600


@check(
    "DAT-03",
    "Redis writes what it holds to disk",
    asks=(redis.info, redis.config, storage.redis_folder),
    severity=Severity.CRITICAL,
    source="Redis: persistence",
    needs=("DAT-01",),
    anchor="compose.yaml#--appendonly",
    remedy="tradebot logs redis --tail 50",
)
def persists(info: Mapping[str, Any], config: Mapping[str, str], folder: storage.Folder) -> Verdict:
    """Without the append-only log a restart of Redis empties the queue. A write that fails is reported nowhere else
    until then.
    """
    log = config["appendonly"] == "yes"
    states = {name: str(info.get(name, "ok")) for name in
              ("aof_last_write_status", "aof_last_bgrewrite_status", "rdb_last_bgsave_status")}  # fmt: skip
    age = int(info.get("server_time_usec", 0)) // 1_000_000 - int(info["rdb_last_save_time"])
    shown: dict[str, str] = {
        "observed": f"appendonly {config['appendonly']}, " + ", ".join(sorted(set(states.values()))),
        "expected": "appendonly yes, every write ok, on a volume",
        "evidence": "INFO persistence: " + ", ".join(f"{name} {value}" for name, value in states.items()),
    }
    found = []
    if not log and not config.get("save"):
        hint = "tradebot restart redis puts the described setting in force again."
        found.append(failed("Redis keeps nothing: neither an append-only log nor snapshots.", **shown, hint=hint))
    elif not log:
        found.append(failed("The append-only log is off.", **shown, hint="tradebot restart redis"))
    found += [failed(f"{name} is {value}.", **shown) for name, value in states.items() if value != "ok"]
    if not folder.lasting:
        found.append(failed(f"{folder.path} goes with the replica.", **shown))
    if config.get("save") and int(info["rdb_changes_since_last_save"]) and age > OLD_SAVE_S:
        found.append(warned(f"The last snapshot is {age // 60} min old.", **shown))
    return worst(found) if found else passed("Redis writes what it holds to disk.", **shown)


@check(
    "DAT-13",
    "Redis will start again as it runs now",
    asks=(stack.description, redis.config, storage.append_only_files),
    severity=Severity.MAJOR,
    source="Redis: CONFIG SET is forgotten at the next start",
    needs=("DAT-01",),
    anchor="compose.yaml#redis",
    remedy="tradebot restart redis",
)
def starts_again(stack: Stack, config: Mapping[str, str], files: tuple[str, ...]) -> Verdict:
    """A setting that was changed by hand holds until the next start, which is when it is needed. The files of the log
    must be there, or that start begins with nothing.
    """
    declared = DECIDES | {name: value for name, value in redis.declared(stack).items() if name in DECIDES}
    other = [
        f"{name} is {config.get(name, '')!r}, next {value!r}"
        for name, value in declared.items()
        if _same(config.get(name, "")) != _same(value)
    ]
    shown: dict[str, str] = {
        "observed": "; ".join(other) or f"{len(files)} files of the log",
        "expected": "the command line's settings, and the files of the log",
        "evidence": f"CONFIG GET; files: {', '.join(files[:5]) or 'none'}",
    }
    found = []
    if other:
        found.append(failed(f"{len(other)} settings in force are not those of the next start.", **shown))
    if declared["appendonly"] == "yes" and not any(name.endswith((".aof", ".manifest")) for name in files):
        hint = "tradebot exec redis -- redis-cli bgrewriteaof"
        found.append(failed("The append-only log has no files.", **shown, hint=hint))
    return worst(found) if found else passed("Redis will start again as it runs now.", **shown)


def _same(value: str) -> str:
    """512mb and 536870912 are one size; the rest is compared as written."""
    with contextlib.suppress(ValueError):
        return str(units.size(value))
    return value
