"""Settings in running processes: the environment they work for, and how they write logs."""

from collections.abc import Mapping

from tradebot_ops.engines.base import Replica
from tradebot_ops.facts import engine
from tradebot_ops.facts.fact import Skip
from tradebot_ops.facts.project import stack
from tradebot_ops.facts.replicas import environments, logs
from tradebot_ops.facts.replicas.environments import Reported
from tradebot_ops.facts.replicas.logs import Entry
from tradebot_ops.prodcheck.check import Severity, Verdict, check, failed, passed, skipped, warned
from tradebot_ops.settings.declared import ENVIRONMENTS
from tradebot_ops.stack.model import Stack
from tradebot_ops.text.lists import few
from tradebot_ops.text.sentences import shortened

LINES = 20
ENOUGH = 0.9
SAYS = ("timestamp", "level", "event")


@check(
    "CFG-05",
    "Services work for the declared environment",
    asks=(environments.reported, stack.environment),
    severity=Severity.CRITICAL,
    source="brief: ENVIRONMENT=production, DEBUG off",
    needs=("ENG-01", "CFG-01"),
    anchor=".env.production.example#ENVIRONMENT",
    remedy="tradebot up --env prod; in another environment: tradebot up",
)
def declared(found: Reported, env: str) -> Verdict:
    """The setting in a file proves nothing: the API is asked what it believes, and every replica for what it was
    started with. Switches for developers show secrets and restart by themselves.
    """
    wanted = found.declared if env == "dev" else ENVIRONMENTS[env]
    wrong = [f"{label}: {value}" for label, value in found.replicas.items() if value != wanted]
    if found.api != wanted:
        wrong.insert(0, f"/health: {found.api or 'nothing'}")
    if found.declared != wanted:
        wrong.insert(0, f"the setting: {found.declared}")
    if wrong:
        hint = f"tradebot up --env {env}"
        return failed("Services work for another environment.", observed=few(wrong), expected=wanted, hint=hint)
    if found.debugging:
        judge = warned if env == "dev" else failed
        hint = "Remove DEBUG and --reload from compose.yaml and .env, then: tradebot up"
        message = "Replicas run with switches for developers."
        return judge(message, observed=few(found.debugging), expected="none", hint=hint)
    observed = f"{wanted}: /health and {len(found.replicas)} replicas"
    return passed("Services work for the declared environment.", observed=observed)


@check(
    "CFG-08",
    "Services write JSON",
    asks=(logs.recent, engine.replicas, stack.description),
    source="brief: LOG_FORMAT=json, structured logging",
    needs=("ENG-01", "CFG-01"),
    anchor=".env.production.example#LOG_FORMAT",
    remedy="tradebot logs api worker --tail 20; then set LOG_FORMAT=json and run `tradebot up`",
)
def structured(recent: Mapping[str, tuple[Entry, ...]], replicas: tuple[Replica, ...], description: Stack) -> Verdict:
    """The last lines of the API and of each worker since their start are JSON with time, level and event: anything
    else cannot be searched when it matters.
    """
    ours = {name for name, service in description.services.items() if service.build and not service.one_shot}
    running = [each for each in replicas if each.service in ours and each.state.alive]
    if not running:
        return skipped(Skip.PREREQUISITE, "No replica of the API or of a worker runs.")
    last = {each.label: _written(recent.get(each.label, ()), each)[-LINES:] for each in running}
    lines = [entry for entries in last.values() for entry in entries]
    strange = [entry for entry in lines if not _complete(entry)]
    observed = f"{len(lines) - len(strange)} of {len(lines)} lines of {len(running)} replicas"
    evidence = "\n".join(shortened(entry.text, 200) for entry in strange[:5])
    if strange:
        judge = warned if len(lines) - len(strange) >= ENOUGH * len(lines) else failed
        message = "Services write lines that are not JSON with time, level and event."
        return judge(message, observed=observed, expected="every line", evidence=evidence)
    if silent := [label for label, entries in last.items() if not entries]:
        message = "Some replicas wrote nothing since they started."
        return warned(message, observed=few(silent), expected=f"{LINES} lines", hint="tradebot logs --tail 50")
    return passed("Services write JSON.", observed=observed)


def _written(entries: tuple[Entry, ...], replica: Replica) -> tuple[Entry, ...]:
    return tuple(each for each in logs.since(entries, replica.started_at) if each.text.strip())


def _complete(entry: Entry) -> bool:
    return entry.fields is not None and all(name in entry.fields for name in SAYS)
