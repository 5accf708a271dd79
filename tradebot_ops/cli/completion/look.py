"""Look up the names of what a stack has and does, for the next press of the Tab key."""

from collections.abc import Iterable, Mapping
from typing import Any

from tradebot_ops.cli.completion.cache import Cache
from tradebot_ops.clients.alertmanager import Silence
from tradebot_ops.context import Ops
from tradebot_ops.facts.alerting import alertmanager, runbooks
from tradebot_ops.facts.asking import Facts
from tradebot_ops.facts.fact import NotHere, Unknown, fact
from tradebot_ops.model import Report, Section, Table

#: Seconds that all of it may take: what is not known then stays as it was.
WITHIN_S = 5.0
#: The newest jobs, of each kind.
JOBS = 200

Found = Iterable[tuple[str, str]]


@fact()
def services(ops: Ops) -> Found:
    return [(name, "") for name in ops.stack.services]


@fact()
def replicas(ops: Ops) -> Found:
    return [(each.label, each.state.value) for each in ops.engine.list()]


@fact()
def workers(ops: Ops) -> Found:
    return [(each.label, each.state.value) for each in ops.engine.list() if each.service == "worker"]


@fact()
def projects(ops: Ops) -> Found:
    folder = ops.host_state.folder
    return [(each.name, "") for each in sorted(folder.iterdir()) if each.is_dir()] if folder.is_dir() else []


@fact()
def jobs(ops: Ops) -> Found:
    return [(each["id"], f"{each['type']}, {each['state']}") for each in ops.api.jobs(None, None, JOBS)["jobs"]]


@fact()
def dead_jobs(ops: Ops) -> Found:
    return [(each["id"], f"{each['type']}: {each['message']}") for each in ops.api.jobs("dead", None, JOBS)["jobs"]]


@fact()
def groups(ops: Ops) -> Found:
    return [(each["fingerprint"], f"{each['jobs']} dead: {each['message']}") for each in ops.api.dead_groups()]


@fact()
def job_types(ops: Ops) -> list[dict[str, Any]]:
    return list(ops.api.job_types()["job_types"])


@fact(of=(job_types,))
def types(ops: Ops, job_types: Iterable[Mapping[str, Any]]) -> Found:
    del ops
    return [(each["name"], "") for each in job_types]


@fact(of=(job_types,))
def parameters(ops: Ops, job_types: Iterable[Mapping[str, Any]]) -> Found:
    """``symbol=`` of every type."""
    del ops
    schemas = [each["schema"] for each in job_types]
    parts = [part for schema in schemas for part in (schema, *schema.get("$defs", {}).values())]
    named = {f"{name}=": str(about.get("description", "")) for part in parts for name, about in _fields(part)}
    return sorted(named.items())


def _fields(schema: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    return list(schema.get("properties", {}).items())


@fact()
def alerts(ops: Ops) -> Found:
    return [(name, "") for name in runbooks.names(ops)]


@fact(of=(alertmanager.silences,))
def silences(ops: Ops, silences: Iterable[Silence]) -> Found:
    del ops
    return [(each.id, each.comment) for each in silences if each.state != "expired"]


@fact()
def breakers(ops: Ops) -> Found:
    return [(each["name"], "open" if each["open"] else "closed") for each in ops.api.breakers()]


@fact()
def schedules(ops: Ops) -> Found:
    return [(each["name"], f"{each['type']} {each['cron']}") for each in ops.api.schedules()]


@fact()
def checks(ops: Ops) -> Found:
    from tradebot_ops.prodcheck.catalogue import catalogue

    del ops
    return [(check.id, check.title) for stage in catalogue() for check in stage.checks]


@fact()
def attestations(ops: Ops) -> Found:
    from tradebot_ops.facts.project.attestations import KNOWN

    del ops
    return list(KNOWN.items())


@fact()
def terms(ops: Ops) -> Found:
    from tradebot_ops.glossary import lookup

    return [(name, kind.name) for kind, names in lookup.known(ops)[0] for name in names]


#: By the kind that a parameter asks for.
KINDS = {
    "alert": alerts,
    "attestation": attestations,
    "breaker": breakers,
    "check": checks,
    "dead job": dead_jobs,
    "group": groups,
    "job": jobs,
    "parameter": parameters,
    "project": projects,
    "replica": replicas,
    "schedule": schedules,
    "service": services,
    "silence": silences,
    "term": terms,
    "type": types,
    "worker": workers,
}


def look(ops: Ops, cache: Cache) -> Report:
    """Remember the names that each source knows; those of one that does not answer stay as they were."""
    facts = Facts(ops, within=WITHIN_S)
    facts.start(KINDS.values())
    names, rows = cache.known().names, []
    for kind, each in KINDS.items():
        answer = facts.value(each)
        if isinstance(answer, Unknown | NotHere):
            rows.append((kind, "", answer.why))
        else:
            names[kind] = list(answer)
            rows.append((kind, str(len(names[kind])), ""))
    cache.store(names)
    table = Table(("kind", "names", "not known because"), tuple(rows))
    return Report(data={kind: len(found) for kind, found in names.items()}, sections=(Section(tables=(table,)),))
