"""The table of detectors, ``config/prometheus/detectors.yml``, held against the rules. Pure.

What a row says is read from the expressions again: which metrics a critical alert asks for, and that the twins it
names fire when the source of these is away.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tradebot_ops.monitoring.contract import Metric
from tradebot_ops.monitoring.detectors import Coverage, coverage, signals
from tradebot_ops.monitoring.rules import alerts_of

Document = Mapping[str, Any]


@dataclass(frozen=True)
class Table:
    """``signals`` by critical alert; the alerts that notice by source (`job`) and by metric."""

    signals: Mapping[str, frozenset[str]]
    of_source: Mapping[str, tuple[str, ...]]
    of_metric: Mapping[str, tuple[str, ...]]


def table_of(document: Document) -> Table:
    """The parsed file; what is null or missing counts as empty."""
    conditions = document.get("conditions") or {}
    return Table(
        {alert: frozenset((row or {}).get("signals") or ()) for alert, row in conditions.items()},
        {source: _twins(rows) for source, rows in (document.get("sources") or {}).items()},
        {metric: _twins(rows) for metric, rows in (document.get("metrics") or {}).items()},
    )


def _twins(rows: Sequence[Mapping[str, str]] | None) -> tuple[str, ...]:
    return tuple(str(row.get("twin") or "") for row in rows or ())


def wrong_rows(table: Table, documents: Sequence[Document], metrics: Sequence[Metric]) -> list[str]:
    """Sentences about each row that the rules contradict, and each critical alert that the table lacks."""
    asked = signals(documents, metrics)
    known = coverage(documents, metrics)
    names = {rule["alert"] for rule in alerts_of(documents)}
    return [
        *_of_conditions(table, {alert: frozenset(found) for alert, found in asked.items()}),
        *(
            f"{source}: the metrics of {', '.join(alerts)} come from it, and no row says who notices when it is away"
            for source, alerts in _sources(asked).items()
            if not table.of_source.get(source)
        ),
        *_of_twins(table.of_source, names, known, known.by_source),
        *_of_twins(table.of_metric, names, known, known.by_metric),
    ]


def _of_conditions(table: Table, asked: Mapping[str, frozenset[str]]) -> Iterator[str]:
    for alert in asked.keys() - table.signals.keys():
        yield f"{alert}: a critical alert without a row"
    for alert in table.signals.keys() - asked.keys():
        yield f"{alert}: a row without a critical alert"
    for alert in asked.keys() & table.signals.keys():
        if missing := asked[alert] - table.signals[alert]:
            yield f"{alert}: asks for {', '.join(sorted(missing))}, which its row leaves out"
        if idle := table.signals[alert] - asked[alert]:
            yield f"{alert}: its row names {', '.join(sorted(idle))}, which it does not ask for"


def _sources(asked: Mapping[str, Mapping[str, frozenset[str]]]) -> Mapping[str, list[str]]:
    found: dict[str, list[str]] = {}
    for alert, metrics in asked.items():
        for source in sorted(frozenset().union(*metrics.values())):
            found.setdefault(source, []).append(alert)
    return found


def _of_twins(
    rows: Mapping[str, Sequence[str]], names: set[str], known: Coverage, by: Mapping[str, frozenset[str]]
) -> Iterator[str]:
    for gone, twins in rows.items():
        for twin in twins:
            if twin not in names:
                yield f"{gone}: its twin {twin or '(none)'} is no alert"
            elif twin not in by.get(gone, frozenset()) | known.always:
                yield f"{gone}: its twin {twin} does not fire when that is gone"
