"""Strategies: which the workers know, and whether one knows its future."""

from collections.abc import Sequence
from typing import Any

from tradebot_ops.context import Ops
from tradebot_ops.errors import OpsError
from tradebot_ops.model import Finding, Level, Report, Section, Table
from tradebot_ops.operations.change import change
from tradebot_ops.operations.jobs.jobs import payload_of, until_ended
from tradebot_ops.operations.jobs.parameters import Parameter, parameters
from tradebot_ops.operations.jobs.types import known_types
from tradebot_ops.progress import OnProgress, ignore_progress
from tradebot_ops.text.sentences import agreed, ended
from tradebot_ops.text.suggest import did_you_mean

CHECK = "check_strategy"
#: What begins the name of one that is left out, among the plug-ins that could not be loaded.
_QUARANTINED = "strategy "
_CHOICE = "strategy="


def listed(ops: Ops) -> Report:
    """Every strategy with its parameters; a warning for each that is broken and left out."""
    document, findings = known_types(ops)
    known = _known(document)
    rows = tuple((name, " ".join(f"{each.name}={each.default}" for each in own)) for name, own in known.items())
    broken = tuple(
        Finding(Level.WARN, each["name"], f"The {each['name']} cannot be loaded: {ended(each['error'])}")
        for each in document["quarantined"]
        if each["name"].startswith(_QUARANTINED)
    )
    data = {
        "strategies": {name: [vars(each) for each in own] for name, own in known.items()},
        "quarantined": [each for each in document["quarantined"] if each["name"].startswith(_QUARANTINED)],
    }
    table = Table(("strategy", "parameters"), rows)
    lines = ("Does one look ahead: tradebot strategies check STRATEGY",)
    return Report(data=data, findings=(*findings, *broken), sections=(Section(tables=(table,)), Section(lines=lines)))


def check(
    ops: Ops, name: str, pairs: Sequence[str], symbol: str | None, on_progress: OnProgress = ignore_progress
) -> Report:
    """Have a worker take a strategy's future away, and compare what it decides about the past.

    Its faults are failed findings. Raises ``OpsError`` TB-0274 for one that no worker knows, TB-0602 after the timeout.
    """
    known = _known(ops.api.job_types())
    if name not in known:
        hint = " ".join(filter(None, (did_you_mean(name, list(known)), f"Known: {', '.join(known)}.")))
        raise OpsError(f"There is no strategy '{name}'.", code="TB-0274", hint=hint)
    payload = {**payload_of(pairs), "strategy": name} | ({"symbol": symbol} if symbol else {})
    with change(ops, "strategies check", name, on_progress=on_progress, lease=False):
        job = ops.api.submit(CHECK, payload)
    return _judged(until_ended(ops, job["id"]))


def _judged(job: dict[str, Any]) -> Report:
    hint = f"tradebot jobs show {job['id']}"
    if job["state"] != "succeeded":
        why = str(job["error"]["message"]) if job.get("error") else f"the job is {job['state']}"
        message = f"The strategy could not be tried: {ended(why)}"
        return Report(data=job, findings=(Finding(Level.FAIL, "strategies.check", message, hint=hint),))
    result = job["result"]
    findings = tuple(
        Finding(Level.FAIL, f"strategies.{fault['kind']}", fault["message"], hint=hint) for fault in result["faults"]
    )
    where = agreed(f"{result['bars']} bars of {result['symbol'] or 'made-up prices'}")
    lines = [] if findings else [f"{result['strategy']} knows its past alone, as far as {where} show."]
    lines.append(
        f"Its future was taken away or replaced at {result['cuts']} of {where}; it held on "
        f"{_percent(result['exposure'])} of them."
    )
    return Report(data=result, findings=findings, sections=(Section(lines=tuple(lines)),))


def _percent(share: float | None) -> str:
    return "an unknown part" if share is None else f"{100 * share:.0f} %"


def _known(document: dict[str, Any]) -> dict[str, list[Parameter]]:
    """Each strategy with the parameters that are its own."""
    schema: dict[str, Any] = next((each["schema"] for each in document["job_types"] if each["name"] == CHECK), {})
    found = parameters(schema)
    if len(found) == 1 and "strategy" in schema.get("properties", {}):  # one alone leaves no choice
        only = next(each for each in found[0][1] if each.name == "strategy")
        return {only.type: [each for each in found[0][1] if each.name not in {"strategy", "symbol", "interval"}]}
    return {title.removeprefix(_CHOICE): rows for title, rows in found if title}
