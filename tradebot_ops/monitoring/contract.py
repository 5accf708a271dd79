"""The metric contract: alerts, recordings and panels may only ask for what something emits. Pure.

A renamed label kills an alert in silence: it still loads, and never fires again. :func:`check` follows every
expression and names what dies, and every metric that nobody looks at.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tradebot_ops.monitoring.promql import Labels, read
from tradebot_ops.monitoring.rules import rules_of

#: What Prometheus itself adds to every series it scrapes, and the series it makes up.
TARGET_LABELS = frozenset({"job", "instance"})
_ABOUT_SCRAPES = (
    "up",
    "scrape_duration_seconds",
    "scrape_samples_scraped",
    "scrape_samples_post_metric_relabeling",
    "scrape_series_added",
)
_ANY_LABELS = ("ALERTS", "ALERTS_FOR_STATE")
_TEMPLATE_LABEL = re.compile(r"\$labels\.(\w+)")


@dataclass(frozen=True)
class Metric:
    """One declared metric. ``type`` is counter, gauge, histogram or summary; ``source`` says who emits it.

    ``labels`` are its own, without those of the target and without ``le``. A ``late`` one is absent until the event
    that it reports.
    """

    name: str
    type: str
    labels: frozenset[str] = frozenset()
    source: str = ""
    late: bool = False

    def series(self) -> dict[str, frozenset[str]]:
        """The series it appears as, each with its labels."""
        labels = self.labels | TARGET_LABELS
        if self.type == "histogram":
            plain = {f"{self.name}_sum": labels, f"{self.name}_count": labels}
            return plain | {f"{self.name}_bucket": labels | {"le"}}
        if self.type == "summary":
            plain = {f"{self.name}_sum": labels, f"{self.name}_count": labels}
            return plain | {self.name: labels | {"quantile"}}
        return {self.name: labels}


@dataclass(frozen=True)
class Use:
    """An expression and where it stands. ``records`` is the name a recording rule gives to its result;
    ``shows`` are labels that a text around the expression prints, ``adds`` those that the rule sets itself."""

    where: str
    expression: str
    records: str = ""
    shows: frozenset[str] = frozenset()
    adds: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Broken:
    """``where`` asks for a metric that nothing emits (``label`` empty) or for a label that it does not have."""

    where: str
    metric: str
    label: str = ""

    def __str__(self) -> str:
        if self.label:
            return f"{self.where} asks for label {self.label} of {self.metric}, which has no such label"
        return f"{self.where} asks for {self.metric}, which nothing emits"


@dataclass(frozen=True)
class Contract:
    broken: tuple[Broken, ...]
    unused: tuple[Metric, ...]


def check(uses: Iterable[Use], metrics: Iterable[Metric]) -> Contract:
    """Metrics that are used and not emitted, or not used. Raises ``OpsError`` (TB-0103) for what is no PromQL."""
    uses, metrics = tuple(uses), tuple(metrics)
    emitted = _Emitted(uses, metrics)
    broken: dict[Broken, None] = {}
    used: set[str] = set()
    for use in uses:
        reading = read(use.expression, emitted)
        used |= reading.used
        broken |= {Broken(use.where, missing.metric, missing.label): None for missing in reading.missing}
        if reading.labels is not None:
            absent = use.shows - reading.labels - use.adds
            broken |= {Broken(use.where, "its own result", label): None for label in sorted(absent)}
    unused = tuple(metric for metric in metrics if not used & set(metric.series()))
    return Contract(tuple(broken), unused)


def missing(metrics: Iterable[Metric], emitted: Mapping[str, frozenset[str]]) -> list[str]:
    """Gaps of ``emitted`` (series name -> label names) of one source against its declared ``metrics``, in words.

    A labelled metric is no exception: ours have their children from the start, and so have those of the exporters.
    A late one is: its absence says that nothing has happened yet.
    """
    lacks = []
    for metric in metrics:
        for name, labels in metric.series().items():
            if name not in emitted and metric.late:
                continue
            if name not in emitted:
                lacks.append(f"{metric.source} emits no {name}")
                continue
            lacks += [f"{name} of {metric.source} has no label {each}" for each in sorted(labels - emitted[name])]
    return lacks


def rule_uses(document: Mapping[str, Any]) -> list[Use]:
    """Every expression of a parsed rule file, with the labels that its annotations print."""
    uses = []
    for rule in rules_of([document]):
        if name := rule.get("record"):
            uses.append(Use(f"recording {name}", rule["expr"], records=name))
        elif name := rule.get("alert"):
            texts = " ".join(map(str, [*rule["annotations"].values(), *rule["labels"].values()]))
            shown = frozenset(_TEMPLATE_LABEL.findall(texts))
            uses.append(Use(f"alert {name}", rule["expr"], shows=shown, adds=frozenset(rule["labels"])))
    return uses


def panels(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Every panel of a parsed Grafana dashboard that shows something: those inside rows too, rows themselves not."""
    found: list[Mapping[str, Any]] = []
    for panel in document.get("panels", []):
        found += panels(panel) if panel.get("type") == "row" else [panel]
    return found


def late(declared: Iterable[Metric]) -> frozenset[str]:
    """Series whose absence is no fault: what they report has not happened, or is not there to be reported."""
    return frozenset(name for metric in declared if metric.late for name in metric.series())


def dashboard_uses(document: Mapping[str, Any]) -> list[Use]:
    """Every query of a parsed Grafana dashboard, with the labels that its legend prints."""
    uses = []
    for panel in panels(document):
        for target in panel.get("targets", []):
            shown = frozenset(re.findall(r"\{\{\s*(\w+)\s*\}\}", target.get("legendFormat", "")))
            where = f"panel {panel.get('id')} {panel.get('title', '')!r}"
            if "expr" in target:
                uses.append(Use(where, target["expr"], shows=shown))
    return uses


def declared_metrics(document: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> list[Metric]:
    """Metrics from a parsed declaration: source -> metric -> ``{type, labels, late}``, all optional."""
    return [
        Metric(name, facts.get("type", "gauge"), frozenset(facts.get("labels", ())), source, facts.get("late", False))
        for source, metrics in document.items()
        for name, facts in metrics.items()
    ]


class _Emitted:
    """Labels by series name: declared, made by Prometheus, or recorded by a rule (followed on demand)."""

    def __init__(self, uses: Iterable[Use], metrics: Iterable[Metric]) -> None:
        self.known: dict[str, Labels] = dict.fromkeys(_ABOUT_SCRAPES, TARGET_LABELS)
        self.known |= dict.fromkeys(_ANY_LABELS, None)
        for metric in metrics:
            self.known |= metric.series()
        self.recorded = {use.records: use.expression for use in uses if use.records}

    def __call__(self, name: str) -> Labels | bool:
        if name in self.known:
            return self.known[name]
        if name not in self.recorded:
            return False
        self.known[name] = None  # a recording that reads itself would never end
        self.known[name] = read(self.recorded[name], self).labels
        return self.known[name]
