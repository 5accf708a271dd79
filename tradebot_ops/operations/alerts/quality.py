"""Acknowledgements of alerts by people, and how good each alert is by them."""

from collections.abc import Mapping, Sequence
from typing import Any

from tradebot_ops.context import Ops
from tradebot_ops.errors import OpsError
from tradebot_ops.facts.alerting.alert_store import BY_DESIGN
from tradebot_ops.facts.metrics.kpi import waits
from tradebot_ops.model import Report, Section, Table
from tradebot_ops.operations.change import change
from tradebot_ops.operations.logs import seconds_ago
from tradebot_ops.progress import OnProgress, ignore_progress
from tradebot_ops.text.quantities import quantity
from tradebot_ops.text.sentences import agreed


def acknowledge(
    ops: Ops,
    name: str,
    words: Sequence[str],
    reason: str,
    since: str | None,
    *,
    false_positive: bool,
    on_progress: OnProgress = ignore_progress,
) -> Report:
    """Acknowledge what fires under this name, or fired last; with ``since`` also earlier firings.

    Raises ``OpsError``: TB-0204 for what is no time, TB-0227 for what is no label, TB-0228 where nothing is stored.
    """
    labels = dict(_label(word) for word in words)
    since_s = None if since is None else seconds_ago(since, ops.clock())
    with change(ops, "alerts ack", name, *words, on_progress=on_progress, lease=False):
        firings = ops.api.acknowledge(name, labels, reason, since_s, false_positive=false_positive)
    if not firings:
        which = " ".join((name, *words))
        raise OpsError(f"No alert {which} ever arrived.", code="TB-0228", hint="tradebot alerts history")
    rows = tuple((each["name"], _second(each["starts_at"]), _end(each), _where(each["labels"])) for each in firings)
    verdict = "acknowledged as false" if false_positive else "acknowledged"
    sentence = agreed(f"{len(firings)} firings {verdict} by {firings[0]['by']}.")
    table = Table(("alert", "fired (UTC)", "ended", "where"), rows)
    return Report(data={"acknowledged": firings}, sections=(Section(tables=(table,)), Section(lines=(sentence,))))


def _label(word: str) -> tuple[str, str]:
    name, sign, value = word.partition("=")
    if not (name and sign):
        raise OpsError(
            f"'{word}' is no LABEL=VALUE.",
            code="TB-0227",
            hint="tradebot alerts ack WorkerInstanceDown instance=worker-2:9102",
        )
    return name, value


def _where(labels: Mapping[str, str]) -> str:
    return " ".join(f"{key}={value}" for key, value in labels.items() if key not in {"alertname", "severity"})


def _end(firing: Mapping[str, Any]) -> str:
    return _second(firing["ended_at"]) if firing["ended_at"] else "not yet"


def _second(moment: str) -> str:
    return moment[:19].replace("T", " ")


def stats(ops: Ops, name: str | None, since: str) -> Report:
    """Figures of each alert that fired since then; those that fire by design only by name.

    Raises ``OpsError`` TB-0204 for what is no time.
    """
    found = ops.api.alert_stats(seconds_ago(since, ops.clock()), name)
    pending = waits(ops)
    alerts = [
        each | {"accuracy": _accuracy(each), "pending_s": pending.get(each["name"])}
        for each in found
        if name is not None or each["name"] not in BY_DESIGN
    ]
    if not alerts:
        line = f"No alert{'' if name is None else f' {name}'} fired since {since}."
        return Report(data={"alerts": []}, sections=(Section(lines=(line,)),))
    columns = ("alert", "severity", "fired", "acked", "false", "to detect", "to end")
    table = Table(columns, tuple(_row(each) for each in alerts))
    return Report(data={"alerts": alerts}, sections=(Section(tables=(table,)), Section(lines=_lines(alerts))))


def _row(alert: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        alert["name"],
        alert["severity"],
        str(alert["fired"]),
        str(alert["acknowledged"]),
        str(alert["false_positives"]),
        quantity(_detected(alert), "s"),
        quantity(alert["ended_median_s"], "s"),
    )


def _accuracy(alert: Mapping[str, Any]) -> float | None:
    """The share that was right, of what people acknowledged."""
    judged = alert["acknowledged"]
    return 1 - alert["false_positives"] / judged if judged else None


def _detected(alert: Mapping[str, Any]) -> float | None:
    """From the first symptom: the API knows of an alert once it fires, and its rule waits before."""
    known = (alert["received_median_s"], alert["pending_s"])
    return None if None in known else sum(known)


def _lines(alerts: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    fired, judged, wrong = (sum(each[key] for each in alerts) for key in ("fired", "acknowledged", "false_positives"))
    accuracy = f", {1 - wrong / judged:.1%} of them right" if judged else ""
    lines = (
        agreed(f"{judged} of {fired} firings acknowledged{accuracy}."),
        "Times are medians: to detect from the first symptom until it was stored, to end from when it fired.",
    )
    open_ = [each["name"] for each in alerts if each["acknowledged"] < each["fired"]]
    return (*lines, f"What was it? tradebot alerts ack {open_[0]}") if open_ else lines
