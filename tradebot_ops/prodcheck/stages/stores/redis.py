"""Redis: it answers, it has room, and it has nothing to complain about."""

from collections.abc import Mapping
from typing import Any

from tradebot_ops.clients.redis import RoundTrip
from tradebot_ops.facts.stores import redis
from tradebot_ops.prodcheck.check import Severity, Verdict, check, failed, passed, warned, worst
from tradebot_ops.text.quantities import quantity
from tradebot_ops.text.sentences import shortened

FULL_WARN, FULL_FAIL = 0.75, 0.9
#: Below this much, fragmentation is a ratio of small numbers.
FRAGMENTED, FRAGMENTED_BYTES = 1.5, 100 * 1024 * 1024


@check(
    "DAT-01",
    "Redis keeps a value and answers soon",
    asks=(redis.round_trip, redis.pings),
    severity=Severity.CRITICAL,
    source="brief: Redis health",
    anchor="compose.yaml#redis",
    remedy="tradebot logs redis --tail 50",
)
def keeps(trip: RoundTrip, pings: tuple[float, ...]) -> Verdict:
    """A value is written with the password in force, read back and left to expire: what a job's way through the queue
    needs. A PING that takes long holds up every worker, because Redis does one thing at a time.
    """
    slowest = redis.p99(pings)
    observed = f"round trip {quantity(trip.seconds, 's')}, p99 of {len(pings)} PINGs {quantity(slowest, 's')}"
    evidence = f"SET, GET, PEXPIRE of a key of our own: read back {trip.read_back}, expired {trip.expired}"
    expected = f"read back, expired, p99 up to {quantity(redis.SOON_S, 's')}"
    if not trip.read_back or not trip.expired:
        lost = "did not return the value that was written" if not trip.read_back else "did not let a key expire"
        return failed(f"Redis {lost}.", observed=observed, expected=expected, evidence=evidence)
    if slowest > redis.SOON_S:
        return warned("Redis answers slowly.", observed=observed, expected=expected, evidence=evidence)
    return passed("Redis keeps a value and answers soon.", observed=observed, expected=expected, evidence=evidence)


@check(
    "DAT-02",
    "Redis has a limit, room below it, and drops nothing",
    asks=(redis.info,),
    severity=Severity.CRITICAL,
    source="Redis: eviction; rq#1280, bullmq#1827: a queue must not be evicted",
    needs=("DAT-01",),
    anchor="compose.yaml#--maxmemory-policy",
    remedy="tradebot up redis",
)
def has_room(info: Mapping[str, Any]) -> Verdict:
    """Jobs wait in Redis. With another policy than noeviction it drops them silently when memory is short; without a
    limit the kernel kills it instead.
    """
    limit, used = int(info["maxmemory"]), int(info["used_memory"])
    policy, evicted = str(info["maxmemory_policy"]), int(info["evicted_keys"])
    share = used / limit if limit else 0.0
    ratio, wasted = float(info["mem_fragmentation_ratio"]), int(info.get("mem_fragmentation_bytes", 0))
    shown: dict[str, str] = {
        "observed": f"{quantity(used, 'bytes')} of {quantity(limit, 'bytes')}, {policy}, {evicted} evicted",
        "expected": f"a limit, at most {FULL_WARN:.0%} used, noeviction, 0 evicted",
        "evidence": f"INFO: maxmemory {limit}, used_memory {used}, mem_fragmentation_ratio {ratio}",
    }
    found = []
    if not limit:
        found.append(failed("Redis has no memory limit.", **shown))
    if policy != "noeviction":
        found.append(failed(f"Redis drops keys when memory is short: {policy}.", **shown))
    if evicted:
        found.append(failed(f"Redis dropped {evicted} keys since it started.", **shown))
    if share > FULL_WARN:
        full = failed if share > FULL_FAIL else warned
        hint = "Raise REDIS_MAXMEMORY and run `tradebot up`, or see who waits: tradebot jobs list"
        found.append(full(f"Redis uses {share:.0%} of its limit.", **shown, hint=hint))
    if ratio > FRAGMENTED and wasted > FRAGMENTED_BYTES:
        found.append(warned(f"Redis' memory is fragmented, {ratio:g} times what it holds.", **shown))
    return worst(found) if found else passed("Redis has room and drops nothing.", **shown)


@check(
    "DAT-14",
    "Redis watches its own delays and has nothing to complain about",
    asks=(redis.doctors, redis.config),
    severity=Severity.MINOR,
    source="Redis: latency monitoring",
    needs=("DAT-01",),
    anchor="compose.yaml#redis",
    remedy="tradebot exec redis -- redis-cli latency doctor",
)
def doctors_content(doctors: redis.Doctors, config: Mapping[str, str]) -> Verdict:
    """Redis knows best what held it up: a fork, a slow disk, a command over a large key. It remembers that only while
    latency-monitor-threshold is above 0.
    """
    threshold = int(config.get("latency-monitor-threshold", "0") or 0)
    shown: dict[str, str] = {
        "observed": f"latency-monitor-threshold {threshold} ms",
        "expected": "above 0 ms, and no advice",
        "evidence": "\n".join(
            f"{name} DOCTOR: {shortened(words, redis.LONGEST)}"
            for name, words in (("LATENCY", doctors.latency), ("MEMORY", doctors.memory))
        ),
    }
    found = []
    if threshold <= 0:
        hint = "Add --latency-monitor-threshold 100 to the command of redis and run `tradebot up`."
        found.append(warned("Redis does not remember what delayed it.", **shown, hint=hint))
    elif "latency" in doctors.advice:
        found.append(warned("LATENCY DOCTOR has advice.", **shown))
    if "memory" in doctors.advice:
        found.append(warned("MEMORY DOCTOR has advice.", **shown))
    return worst(found) if found else passed("Redis has nothing to complain about.", **shown)
