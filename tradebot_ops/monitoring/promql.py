"""Which labels the result of a PromQL expression has, and which metrics and labels it asks for. Pure.

An alert on a label that nothing emits can never fire, and Prometheus does not complain. Following the labels
through an expression finds it: ``by`` and ``on`` may only name labels that are still there.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import promql_parser
from promql_parser import (
    AggModifierType,
    BinaryExpr,
    Call,
    MatchOp,
    MatrixSelector,
    NumberLiteral,
    ParenExpr,
    StringLiteral,
    UnaryExpr,
    VectorMatchCardinality,
    VectorSelector,
)

from tradebot_ops.errors import OpsError
from tradebot_ops.text.sentences import ended

#: The labels of a series; ``None`` where they cannot be known (any label may be there).
Labels = frozenset[str] | None

_SET_OPERATORS = {"and", "unless"}
_KEEPS_LABELS = {"topk", "bottomk", "limitk", "limit_ratio"}
_DURATIONS = re.compile(r"\$(?:__rate_interval|__interval|__range)\b|\$\{(?:__rate_interval|__interval|__range)\}")
_NO_LABELS = {"vector", "time", "pi", "scalar"}


@dataclass(frozen=True)
class Missing:
    """A metric nothing emits (``label`` empty), or a label that is asked for and not there."""

    metric: str
    label: str = ""


@dataclass
class Reading:
    """The demands of an expression: ``labels`` of its result, metrics ``used``, and what is ``missing``."""

    labels: Labels = None
    used: set[str] = field(default_factory=set)
    missing: list[Missing] = field(default_factory=list)


def with_minutes(expression: str) -> str:
    """The expression as Prometheus can be asked: Grafana's own variables, which are durations, replaced by a minute."""
    return _DURATIONS.sub("1m", expression)


def parse(expression: str) -> Any:
    """The syntax tree; Grafana's variables stand for a minute. Raises ``OpsError`` (TB-0103) on a syntax error."""
    try:
        return promql_parser.parse(with_minutes(expression))
    except ValueError as error:
        raise OpsError(f"{expression!r} is not PromQL: {ended(str(error))}", code="TB-0103") from error


def read(expression: str, emitted: Callable[[str], Labels | bool]) -> Reading:
    """Follow the labels through ``expression``.

    ``emitted(metric)`` gives the labels of a metric, ``None`` when they are unknown, or ``False`` when nothing
    emits it. Raises ``OpsError`` (TB-0103) on a syntax error.
    """
    reading = Reading()
    reading.labels = _Follower(reading, emitted).labels(parse(expression))
    return reading


class _Follower:
    def __init__(self, reading: Reading, emitted: Callable[[str], Labels | bool]) -> None:
        self.reading = reading
        self.emitted = emitted

    def labels(self, node: Any) -> Labels:
        """Labels of the node's result; a method for each kind of node."""
        return getattr(self, f"_{type(node).__name__.lower()}")(node)  # type: ignore[no-any-return]

    def _numberliteral(self, _node: Any) -> Labels:
        return frozenset()

    def _stringliteral(self, _node: Any) -> Labels:
        return frozenset()

    def _parenexpr(self, node: Any) -> Labels:
        return self.labels(node.expr)

    _unaryexpr = _parenexpr
    _subqueryexpr = _parenexpr

    def _matrixselector(self, node: Any) -> Labels:
        return self._vectorselector(node.vector_selector)

    def _vectorselector(self, node: Any) -> Labels:
        matchers = node.matchers.matchers
        name = node.name or next((m.value for m in matchers if m.name == "__name__"), "")
        if not name:
            return None  # every series with such labels, as in count by (__name__) ({job="api"})
        self.reading.used.add(name)
        found = self.emitted(name)
        if found is False:
            self.reading.missing.append(Missing(name))
            return None
        labels: Labels = None if found is None or found is True else found
        # `!=` and `!~` are left out: they also match where the label is absent, which older exporters rely on.
        asked = [m.name for m in matchers if m.name != "__name__" and m.op in (MatchOp.Equal, MatchOp.Re)]
        self._want(asked, labels, name)
        return labels

    def _aggregateexpr(self, node: Any) -> Labels:
        inner = self.labels(node.expr)
        if node.modifier is None:
            return inner if str(node.op) in _KEEPS_LABELS else frozenset()
        named = frozenset(node.modifier.labels)
        self._want(named, inner, _metrics(node.expr))
        if str(node.op) in _KEEPS_LABELS:
            return inner
        if node.modifier.type == AggModifierType.By:
            return named
        return None if inner is None else inner - named

    def _binaryexpr(self, node: Any) -> Labels:
        left, right = self.labels(node.lhs), self.labels(node.rhs)
        matching = node.modifier.matching if node.modifier else None
        on = frozenset(matching.labels) if matching and str(matching).startswith("on") else None
        if on is not None:
            self._want(on, left, _metrics(node.lhs))
            self._want(on, right, _metrics(node.rhs))
        operator = str(node.op)
        if operator in _SET_OPERATORS or _is_scalar(node.rhs):
            return left
        if _is_scalar(node.lhs):
            return right
        if operator == "or":
            return None if left is None or right is None else left | right
        grouped = node.modifier is not None and node.modifier.card != VectorMatchCardinality.OneToOne
        return left if on is None or grouped else on

    def _call(self, node: Any) -> Labels:
        name, arguments = node.func.name, list(node.args)
        inner = [self.labels(argument) for argument in arguments]
        if name in _NO_LABELS:
            return frozenset()
        if name in {"absent", "absent_over_time"}:
            return _equal_labels(arguments[0])
        if name in {"label_replace", "label_join"}:
            target = arguments[1].val
            return None if inner[0] is None else inner[0] | {target}
        if name == "histogram_quantile":
            self._want(["le"], inner[1], _metrics(arguments[1]))
            return None if inner[1] is None else inner[1] - {"le"}
        vectors = [labels for argument, labels in zip(arguments, inner, strict=True) if not _is_scalar(argument)]
        return vectors[-1] if vectors else frozenset()

    def _want(self, names: Iterable[str], there: Labels, metric: str) -> None:
        if there is not None:
            self.reading.missing += [Missing(metric, name) for name in sorted(set(names) - there)]


def _is_scalar(node: Any) -> bool:
    if isinstance(node, ParenExpr | UnaryExpr):
        return _is_scalar(node.expr)
    if isinstance(node, BinaryExpr):
        return _is_scalar(node.lhs) and _is_scalar(node.rhs)
    if isinstance(node, Call):
        return node.func.name in {"time", "pi", "scalar"}
    return isinstance(node, NumberLiteral | StringLiteral)


def _equal_labels(node: Any) -> Labels:
    if isinstance(node, MatrixSelector):
        node = node.vector_selector
    if not isinstance(node, VectorSelector):
        return frozenset()
    return frozenset(m.name for m in node.matchers.matchers if m.op == MatchOp.Equal and m.name != "__name__")


def _metrics(node: Any) -> str:
    """The metrics below a node, for a message."""
    inside = Reading()
    _Follower(inside, lambda _name: None).labels(node)
    return ", ".join(sorted(inside.used))
