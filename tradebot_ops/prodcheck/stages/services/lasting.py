"""Conditions under which services keep running and end well: policies, signals, images, and nothing left behind."""

from datetime import datetime, timedelta

from tradebot_ops.engines.base import ImageFacts, Replica
from tradebot_ops.engines.inspection import Inspected
from tradebot_ops.facts import engine, moment
from tradebot_ops.facts.project import stack
from tradebot_ops.facts.replicas import containers, images
from tradebot_ops.prodcheck.check import Severity, Verdict, check, failed, passed, warned
from tradebot_ops.prodcheck.stages.services.wording import NOTHING_RUNS, few
from tradebot_ops.stack.model import Stack

_SHELLS = ("sh", "bash", "ash", "dash")


@check(
    "SVC-05",
    "What crashes is started again",
    asks=(stack.description, containers.replicas),
    source="CIS Docker 5.14 (v1.6: 5.15); design: nobody watches at night",
    needs=("ENG-01",),
    anchor="compose.yaml#restart",
    remedy="tradebot up; it recreates what was started with another policy",
)
def policy(description: Stack, found: tuple[Inspected, ...]) -> Verdict:
    """Without a restart policy one crash ends a service for good."""
    lasting = {name for name, service in description.services.items() if not service.one_shot}
    without = [each.label for each in found if each.service in lasting and each.restart_policy in {"", "no"}]
    if without:
        observed, expected = few(without), "unless-stopped, always or on-failure"
        return failed(f"{len(without)} replicas stay down after a crash.", observed=observed, expected=expected)
    if not found:
        return NOTHING_RUNS
    return passed("Every long-running replica is started again.", observed=f"{len(found)} replicas")


@check(
    "SVC-07",
    "Images are built from the current source",
    asks=(images.state, stack.description, containers.replicas, stack.environment),
    source="brief: Docker images are rebuilt",
    needs=("ENG-01",),
    anchor="services/Dockerfile",
    remedy="tradebot images build; then tradebot up",
)
def built(facts: ImageFacts, description: Stack, found: tuple[Inspected, ...], env: str) -> Verdict:
    """A correction that was written and never built runs nowhere."""
    ours = {name for name, service in description.services.items() if service.build}
    if env == "prod":
        nameless = [each.label for each in found if each.contained and each.service in ours and not each.source_hash]
        if nameless:
            observed, expected = few(nameless), "the hash of their source as a label"
            return failed("Of images nobody knows what source they hold.", observed=observed, expected=expected)
    reasons = {
        "made from other source": facts.outdated,
        "newer than the replicas that run": facts.rebuilt,
        "started from other source": facts.edited,
    }
    old = [f"{name}: {why}" for why, names in reasons.items() for name in sorted(names & ours)]
    if old:
        return warned("Not the current source runs.", observed=few(old), expected="built from this source")
    if not found:
        return NOTHING_RUNS
    return passed("What runs was made from the current source.", observed=", ".join(sorted(ours)))


@check(
    "SVC-08",
    "Services end well when stopped",
    asks=(stack.description, containers.replicas, images.longest_jobs),
    source="design: a stop must not lose work; proved by a drill",
    needs=("ENG-01",),
    anchor="compose.yaml#stop_grace_period",
    remedy="tradebot config show; then raise stop_grace_period in compose.yaml, set init: true, and run `tradebot up`",
)
def stops(description: Stack, found: tuple[Inspected, ...], longest: float | None) -> Verdict:
    """A worker that is killed before it handed its job back leaves the job to its lease; a shell as first process keeps
    the stop signal to itself, and everything under it is killed.
    """
    if not found:
        return NOTHING_RUNS
    deaf = [each.label for each in found if not each.init and each.command[:1] and _is_shell(each.command[0])]
    if deaf:
        return warned("A shell keeps the stop signal to itself.", observed=few(deaf), expected="init or exec form")
    worker = description.services.get("worker")
    if worker is None:
        return passed("Stop signals reach every service.", observed=f"{len(found)} replicas")
    hands_back = float(worker.environment.get("WORKER_GRACE_SECONDS") or 30)
    short = [each.label for each in found if each.service == "worker" and each.stop_grace <= hands_back]
    observed = f"stop_grace_period {worker.stop_grace:g} s, jobs handed back after {hands_back:g} s"
    if short:
        return warned("Workers are killed before they hand back their jobs.", observed=f"{few(short)}; {observed}")
    if longest is not None and longest > worker.stop_grace:
        observed = f"95 % of jobs end within {longest:.0f} s; {observed}"
        return warned("Jobs last longer than a stop waits, and are done again.", observed=observed)
    return passed("Services have the time and the signal to end well.", observed=observed)


def _is_shell(word: str) -> bool:
    return word.rpartition("/")[2] in _SHELLS


@check(
    "SVC-09",
    "Nothing foreign and nothing left over",
    asks=(stack.description, engine.replicas, containers.inspected, moment.now),
    severity=Severity.MINOR,
    source="design: what nobody described answers for nobody",
    needs=("ENG-01",),
    anchor="compose.yaml",
    remedy="tradebot prune; or tradebot up --remove-orphans",
)
def orphans(
    description: Stack, replicas: tuple[Replica, ...], inspected: tuple[Inspected, ...], now: datetime
) -> Verdict:
    """A service that was taken out of the description keeps its ports, its memory and its old code."""
    known = {*description.services, *description.inactive}
    foreign = [each.label for each in replicas if each.service not in known]
    day_ago = now - timedelta(days=1)
    ended = [each for each in inspected if each.one_off and each.status in {"exited", "dead", "created"}]
    old = [each.name for each in ended if (each.finished_at or each.created_at or now) < day_ago]
    if foreign or old:
        return warned("Containers are left that nothing describes.", observed=few([*foreign, *old]), expected="none")
    if not replicas and not inspected:
        return NOTHING_RUNS
    return passed("Everything that exists is described.", observed=f"{len(replicas)} replicas")
