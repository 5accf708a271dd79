"""Health: every replica answers each time it is asked, none restarts, none was killed for memory."""

from collections.abc import Mapping
from datetime import datetime

from tradebot_ops.engines.base import Event, Health, Replica, State
from tradebot_ops.engines.inspection import Inspected
from tradebot_ops.facts import engine, moment
from tradebot_ops.facts.project import stack
from tradebot_ops.facts.replicas import containers, services
from tradebot_ops.facts.replicas.condition import Condition
from tradebot_ops.prodcheck.check import Severity, Verdict, check, failed, passed, warned
from tradebot_ops.prodcheck.stages.services.wording import NOTHING_RUNS, few
from tradebot_ops.stack.model import Service, Stack
from tradebot_ops.text.sentences import shortened

YOUNG_SECONDS = 60
SIGKILLED = 137
#: Seconds before an end in which a stop or a kill that was requested explains it.
ASKED_SECONDS = 120
BAD = frozenset({"unhealthy", "restarting", "failed", "stopped", "paused"})


@check(
    "SVC-02",
    "Every replica is healthy, three times in a row",
    asks=(services.looks, stack.description, containers.inspected),
    severity=Severity.CRITICAL,
    source="brief: System Uptime 99.9 %",
    needs=("ENG-01",),
    anchor="compose.yaml#healthcheck",
    remedy="tradebot status; then tradebot logs SERVICE --tail 50",
)
def healthy(looks: tuple[tuple[Condition, ...], ...], description: Stack, inspected: tuple[Inspected, ...]) -> Verdict:
    """Each service is asked in its own protocol three times within seconds: once may be luck, and a service that
    flickers is found. A service that nothing asks may be dead for days.
    """
    bad: dict[str, str] = {}
    for look in looks:
        for each in look:
            if each.word in BAD or each.replica.health is Health.UNHEALTHY:
                bad[each.replica.label] = _how(each)
    if bad:
        logs = {each.label: each.health_log[-1].output for each in inspected if each.health_log and each.label in bad}
        evidence = "\n".join(f"{name}: {shortened(text, 300)}" for name, text in logs.items())
        observed = few([f"{name} {why}" for name, why in bad.items()])
        return failed(f"{len(bad)} replicas are not healthy.", observed=observed, expected="healthy", evidence=evidence)
    unasked = [service.name for service in description.services.values() if not service.one_shot and _unasked(service)]
    if unasked:
        return warned("Nothing asks these services whether they are well.", observed=few(unasked), expected="a probe")
    if not looks or not looks[-1]:
        return failed("Nothing runs.", observed="no replicas", hint="tradebot up")
    return passed("Every replica was healthy each time.", observed=f"{len(looks[-1])} replicas, {len(looks)} looks")


def _how(each: Condition) -> str:
    if each.word in BAD:
        return f"{each.word}: {each.detail}" if each.detail else each.word
    return "answers, and the engine's own health check fails"


def _unasked(service: Service) -> bool:
    check = service.healthcheck
    return service.probe is None and (check is None or check.test[:1] == ("NONE",))


@check(
    "SVC-03",
    "No replica restarts again and again",
    asks=(services.looks, moment.now),
    source="design: a crash loop looks healthy between two crashes",
    needs=("ENG-01",),
    anchor="compose.yaml#restart",
    remedy="tradebot status; then tradebot logs SERVICE --tail 50",
)
def steady(looks: tuple[tuple[Condition, ...], ...], now: datetime) -> Verdict:
    """A restart loses what was in memory. A service that restarts every minute passes most health checks."""
    first = {each.replica.label: each.replica.restarts for each in looks[0]}
    last = [each.replica for each in looks[-1]]
    growing = [each.label for each in last if each.restarts > first.get(each.label, each.restarts)]
    growing += [each.label for each in last if each.state is State.RESTARTING and each.label not in growing]
    if growing:
        return failed(f"{len(growing)} replicas keep restarting.", observed=few(growing), expected="no restarts")
    running = [each for each in last if each.state is State.RUNNING and each.started_at]
    if not running:
        return NOTHING_RUNS
    ages = {each.label: (now - each.started_at).total_seconds() for each in running if each.started_at}
    again = [f"{each.label} {each.restarts}" for each in running if each.restarts and ages[each.label] < 86400]
    if again:
        return warned("Replicas restarted within a day.", observed=few(again), expected="no restarts")
    young = [f"{name} {age:.0f} s" for name, age in ages.items() if age < YOUNG_SECONDS]
    if young:
        return warned("Replicas started within the last minute.", observed=few(young), expected="up for 60 s")
    return passed("No replica restarted.", observed=f"{len(last)} replicas")


@check(
    "SVC-04",
    "Nothing was killed for memory",
    asks=(engine.replicas, services.events, services.oom_kills),
    severity=Severity.CRITICAL,
    source="Docker: OOMKilled; cgroup memory.events",
    needs=("ENG-01",),
    anchor="compose.yaml#limits",
    remedy="tradebot status; then raise the service's memory limit, or find the job: tradebot jobs list",
)
def memory(found: tuple[Replica, ...], events: tuple[Event, ...], kills: Mapping[str, int]) -> Verdict:
    """A killed process has no chance to write or to hand back its job. The engine flags the main process only, so the
    kernel's own count of each container is read as well.
    """
    flagged = [each.label for each in found if each.oom_killed]
    reported = [event.label for event in events if event.action == "oom"]
    counted = [f"{name} ({count} processes)" for name, count in kills.items() if count]
    killed = list(dict.fromkeys([*flagged, *reported, *counted]))
    evidence = f"OOMKilled: {len(flagged)}; oom events of a day: {len(reported)}; containers with a count: {len(kills)}"
    if killed:
        return failed("The kernel killed for memory.", observed=few(killed), expected="none", evidence=evidence)
    ours = {each.label for each in found}
    shot = {each.label for each in events if each.label in ours and _shot(each, events)}
    if shot:
        why = "Replicas ended by SIGKILL, as the kernel does for memory."
        return warned(why, observed=few(sorted(shot)), expected="none", evidence=evidence)
    if not found:
        return NOTHING_RUNS
    return passed("Nothing was killed for memory.", observed="none within a day", evidence=evidence)


def _shot(end: Event, events: tuple[Event, ...]) -> bool:
    """Ended by SIGKILL, and nobody asked the engine for it: the kernel reports it nowhere."""
    if end.action != "die" or end.exit_code != SIGKILLED:
        return False
    asked = [each.at for each in events if each.action == "kill" and each.label == end.label]
    return not any(0 <= (end.at - at).total_seconds() <= ASKED_SECONDS for at in asked)
