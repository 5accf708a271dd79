"""Job types and their parameters: what can be submitted, and how."""

from collections.abc import Sequence
from typing import Any

from tradebot_ops.clients import job_types
from tradebot_ops.context import Ops
from tradebot_ops.errors import OpsError
from tradebot_ops.model import Finding, Level, Report, Section, Table
from tradebot_ops.operations.jobs.parameters import Parameter, parameters
from tradebot_ops.text.sentences import ended
from tradebot_ops.text.suggest import did_you_mean

#: The types that only `prod-check` submits.
_OWN = {"failing_canary"}

Type = dict[str, Any]


def listed(ops: Ops) -> Report:
    """Every type, as ``known_types`` gives them."""
    document, findings = known_types(ops)
    shown = [each for each in document["job_types"] if each["name"] not in _OWN]
    rows = tuple((each["name"], " ".join(_names(each)), f"{each['timeout_s']:g} s") for each in shown)
    broken = [
        Finding(Level.WARN, each["name"], f"{each['name']} cannot be loaded: {ended(each['error'])}")
        for each in document["quarantined"]
    ]
    return Report(
        data=document,
        findings=(*findings, *broken),
        sections=(
            Section(tables=(Table(("type", "parameters", "may take"), rows),)),
            Section(lines=("What they mean: tradebot jobs types TYPE",)),
        ),
    )


def known_types(ops: Ops) -> tuple[dict[str, Any], tuple[Finding, ...]]:
    """The document of types: from the API, which knows the plug-ins of the workers; else those of this installation,
    and a finding that says so.
    """
    try:
        return ops.api.job_types(), ()
    except OpsError as away:
        message = f"{away.message.rstrip('.')}: these are the types of this installation."
        return job_types.here(), (Finding(Level.INFO, "jobs.types.here", message),)


def described(ops: Ops, name: str) -> Report:
    """The parameters of one type. Raises ``OpsError`` TB-0226 where there is none of that name."""
    found = _find(ops, name)
    tables = [
        Table(("parameter", "type", "default", "meaning"), tuple(map(_row, rows)), title=title)
        for title, rows in parameters(found["schema"])
        if rows
    ]
    lines = () if tables else (f"{name} takes no parameters.",)
    return Report(data=found, sections=(Section(f"Parameters of {name}", lines=lines, tables=tuple(tables)),))


def _find(ops: Ops, name: str) -> Type:
    """Looks here first, which needs nothing that runs; a plug-in may be installed with the workers alone."""
    here: dict[str, Type] = {each["name"]: each for each in job_types.here()["job_types"]}
    if name in here:
        return here[name]
    try:
        there: dict[str, Type] = {each["name"]: each for each in ops.api.job_types()["job_types"]}
    except OpsError:
        there, where = here, " here, and no API answers that may know more"
    else:
        where = ""
    if name in there:
        return there[name]
    raise unknown_type(name, sorted(there.keys() - _OWN), where)


def unknown_type(name: str, known: Sequence[str], where: str = "") -> OpsError:
    """The error for a type that nobody knows, with the one that may have been meant."""
    hint = " ".join(filter(None, (did_you_mean(name, known), f"Known: {', '.join(known)}.")))
    return OpsError(f"There is no job type '{name}'{where}.", code="TB-0226", hint=hint)


def _names(found: Type) -> list[str]:
    return [each.name for _, rows in parameters(found["schema"]) for each in rows]


def _row(each: Parameter) -> tuple[str, ...]:
    return each.name, each.type, each.default, each.meaning
