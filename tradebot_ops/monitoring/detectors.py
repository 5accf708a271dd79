"""Critical rules that would stay silent if what they measure were gone. Pure.

The metrics of a source are covered when some alert fires once the source's targets are down (`up == 0`) and some once
they are gone (`absent(up)`, or what was there within the hour `unless` it is); or when its series are counted with 0
for none (`sum(…) or vector(0)`). One metric alone is covered by an `absent` of its own.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from promql_parser import (
    AggregateExpr,
    BinaryExpr,
    Call,
    MatchOp,
    MatrixSelector,
    NumberLiteral,
    ParenExpr,
    SubqueryExpr,
    UnaryExpr,
    VectorSelector,
)

from tradebot_ops.monitoring.contract import Metric
from tradebot_ops.monitoring.promql import parse
from tradebot_ops.monitoring.rules import alerts_of, rules_of


@dataclass(frozen=True)
class Blind:
    """``alert`` does not fire, and no other does, when ``metric`` of ``job`` is gone."""

    alert: str
    metric: str
    job: str

    def __str__(self) -> str:
        return f"{self.alert}: nothing fires when {self.metric} of {self.job} is gone"


@dataclass(frozen=True)
class Coverage:
    """Which alerts fire when a source, or one metric, is gone; and those that ask for nothing and fire always."""

    by_source: Mapping[str, frozenset[str]]
    by_metric: Mapping[str, frozenset[str]]
    always: frozenset[str]


@dataclass(frozen=True)
class _Use:
    """One selector. ``how``: ``plain``, ``down`` (`== 0`), ``absent``, ``gone`` (remembered and missing), ``counted``
    (0 for none) or ``gate`` (its loss lets the alert through)."""

    metric: str
    matchers: tuple[tuple[str, str], ...]
    how: str


def blind(documents: Sequence[Mapping[str, Any]], metrics: Sequence[Metric]) -> list[Blind]:
    """Failures that no rule would notice, by the rules' order. Raises ``OpsError`` TB-0103 for what is no PromQL."""
    recorded = _recorded(documents)
    jobs = _Jobs(metrics)
    twins = _twins(documents, jobs)
    found = [
        Blind(rule["alert"], use.metric, job)
        for rule in alerts_of(documents)
        if rule["labels"].get("severity") == "critical"
        for use in _followed(rule["expr"], recorded)
        if use.how in {"plain", "down"}
        for job in sorted(jobs.of(use))
        if not twins.covers(use.metric, job)
    ]
    return list(dict.fromkeys(found))


def signals(documents: Sequence[Mapping[str, Any]], metrics: Sequence[Metric]) -> dict[str, dict[str, frozenset[str]]]:
    """Metrics that each critical alert asks for, with their sources; without those that only keep it quiet."""
    recorded, jobs = _recorded(documents), _Jobs(metrics)
    found: dict[str, dict[str, frozenset[str]]] = {}
    for rule in alerts_of(documents):
        if rule["labels"].get("severity") != "critical":
            continue
        asked = found.setdefault(rule["alert"], {})
        for use in _followed(rule["expr"], recorded):
            if use.how != "gate":
                asked[use.metric] = asked.get(use.metric, frozenset()) | jobs.of(use)
    return found


def coverage(documents: Sequence[Mapping[str, Any]], metrics: Sequence[Metric]) -> Coverage:
    """The alerts that notice what is gone, read from their expressions."""
    jobs = _Jobs(metrics)
    twins = _twins(documents, jobs)
    by_source = {job: frozenset(twins.down[job] | twins.gone[job] | twins.counted[job]) for job in jobs.every}
    by_metric = {
        name: frozenset(twins.metrics[name]).union(*(by_source[job] for job in jobs.of(_Use(name, (), "plain"))))
        for metric in metrics
        for name in metric.series()
    }
    asking = {rule["alert"]: list(_uses(parse(rule["expr"]), "plain")) for rule in alerts_of(documents)}
    return Coverage(by_source, by_metric, frozenset(alert for alert, uses in asking.items() if not uses))


def _recorded(documents: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    return {rule["record"]: rule["expr"] for rule in rules_of(documents) if rule.get("record")}


def _twins(documents: Sequence[Mapping[str, Any]], jobs: "_Jobs") -> "_Twins":
    twins = _Twins()
    for rule in alerts_of(documents):
        for use in _uses(parse(rule["expr"]), "plain"):
            twins.note(rule["alert"], use, jobs.of(use))
    return twins


def _names() -> defaultdict[str, set[str]]:
    return defaultdict(set)


@dataclass
class _Twins:
    """The alerts that notice: jobs whose targets are down, gone or counted, and single metrics that are gone."""

    down: defaultdict[str, set[str]] = field(default_factory=_names)
    gone: defaultdict[str, set[str]] = field(default_factory=_names)
    counted: defaultdict[str, set[str]] = field(default_factory=_names)
    metrics: defaultdict[str, set[str]] = field(default_factory=_names)

    def note(self, alert: str, use: _Use, jobs: frozenset[str]) -> None:
        if use.how == "absent" and use.metric != "up":
            self.metrics[use.metric].add(alert)
        for job in jobs:
            if use.how == "counted":
                self.counted[job].add(alert)
            elif use.metric == "up" and use.how == "down":
                self.down[job].add(alert)
            elif use.metric == "up" and use.how in {"absent", "gone"}:
                self.gone[job].add(alert)

    def covers(self, metric: str, job: str) -> bool:
        return bool(self.metrics[metric] or self.counted[job] or (self.down[job] and self.gone[job]))


class _Jobs:
    """Which sources a selector may mean."""

    def __init__(self, metrics: Sequence[Metric]) -> None:
        self.every = frozenset(metric.source for metric in metrics)
        self._of: dict[str, set[str]] = {}
        for metric in metrics:
            for name in metric.series():
                self._of.setdefault(name, set()).add(metric.source)

    def of(self, use: _Use) -> frozenset[str]:
        possible = frozenset(self._of.get(use.metric, self.every))
        for sign, value in use.matchers:
            possible = frozenset(job for job in possible if _fits(sign, value, job))
        return possible


def _fits(sign: str, value: str, job: str) -> bool:
    same = job == value if sign in {"=", "!="} else re.fullmatch(value, job) is not None
    return not same if sign.startswith("!") else same


def _followed(expression: str, recorded: Mapping[str, str], seen: frozenset[str] = frozenset()) -> Iterator[_Use]:
    """The selectors of an expression, those of recordings instead of their names."""
    for use in _uses(parse(expression), "plain"):
        if use.metric in recorded and use.metric not in seen and use.how in {"plain", "down"}:
            yield from _followed(recorded[use.metric], recorded, seen | {use.metric})
        else:
            yield use


def _uses(node: Any, how: str) -> Iterator[_Use]:
    if isinstance(node, VectorSelector):
        matchers = node.matchers.matchers
        name = node.name or next((m.value for m in matchers if m.name == "__name__"), "")
        if name and name not in {"ALERTS", "ALERTS_FOR_STATE"}:
            yield _Use(name, tuple((_sign(m.op), m.value) for m in matchers if m.name == "job"), how)
    elif isinstance(node, MatrixSelector):
        yield from _uses(node.vector_selector, how)
    elif isinstance(node, BinaryExpr):
        yield from _of_binary(node, how)
    elif isinstance(node, Call):
        inside = "absent" if node.func.name in {"absent", "absent_over_time"} else how
        for argument in node.args:
            yield from _uses(argument, inside)
    elif isinstance(
        node,
        ParenExpr | UnaryExpr | SubqueryExpr | AggregateExpr,
    ):
        yield from _uses(node.expr, how)


def _sign(op: Any) -> str:
    """As it is written; the parser's constants can be compared, and are no keys of a mapping."""
    if op == MatchOp.Equal:
        return "="
    if op == MatchOp.Re:
        return "=~"
    return "!=" if op == MatchOp.NotEqual else "!~"


def _of_binary(node: Any, how: str) -> Iterator[_Use]:
    operator = str(node.op)
    left, right = how, how
    if operator == "or" and _constant(node.rhs):
        left = "counted"
    elif operator == "unless":
        left, right = ("gone" if _remembers(node.lhs) else how), "gate"
    elif operator == "==" and isinstance(node.rhs, NumberLiteral) and node.rhs.val == 0 and how == "plain":
        left = "down"
    yield from _uses(node.lhs, left)
    yield from _uses(node.rhs, right)


def _constant(node: Any) -> bool:
    while isinstance(node, ParenExpr):
        node = node.expr
    return isinstance(node, Call) and node.func.name == "vector"


def _remembers(node: Any) -> bool:
    """Whether it looks back to what was there: ``max by (job) (last_over_time(up[1h]))``."""
    while isinstance(node, ParenExpr | AggregateExpr):
        node = node.expr
    return isinstance(node, Call) and node.func.name in {
        "last_over_time",
        "max_over_time",
        "count_over_time",
    }
