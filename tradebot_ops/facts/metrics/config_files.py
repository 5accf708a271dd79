"""The files that configure monitoring, as the stack mounts them: rules, dashboards, declared metrics."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from tradebot_ops.context import Ops
from tradebot_ops.errors import OpsError
from tradebot_ops.facts.fact import fact
from tradebot_ops.facts.metrics import usage
from tradebot_ops.monitoring.contract import (
    Metric,
    Use,
    dashboard_uses,
    declared_metrics,
    rule_uses,
)
from tradebot_ops.monitoring.detector_table import Table, table_of
from tradebot_ops.text import yaml_


def folder(ops: Ops, service: str) -> Path:
    """The folder of a service's configuration on this host, as the stack mounts it."""
    mounts = ops.stack.services[service].mounts if service in ops.stack.services else ()
    for mount in mounts:
        if mount.target == f"/etc/{service}":
            return Path(mount.source)
    return ops.stack.folder / "config" / service


def declared(ops: Ops) -> list[Metric]:
    """Every metric that the stack says something emits."""
    here = folder(ops, "prometheus")
    files = ("service-metrics.yml", "exporter-metrics.yml")
    return [metric for name in files for metric in declared_metrics(mapping(here / name))]


def uses(ops: Ops) -> list[Use]:
    """Every expression of rules and dashboards, and what `tradebot optimize` asks itself."""
    found = [use for document in rule_documents(ops) for use in rule_uses(document)] + usage.uses()
    return found + [use for file in dashboards(ops) for use in dashboard_uses(document(file))]


def rule_documents(ops: Ops) -> list[dict[str, Any]]:
    """Every parsed rule file, by name."""
    return [mapping(file) for file in sorted((folder(ops, "prometheus") / "rules").glob("*.yml"))]


def dashboards(ops: Ops) -> list[Path]:
    return sorted((ops.stack.folder / "config" / "grafana" / "dashboards").glob("*.json"))


def document(file: Path) -> dict[str, Any]:
    """A dashboard's JSON; raises ``OpsError`` TB-0861 with line and column."""
    try:
        return dict(_parsed(file, _stamp(file), json.loads))
    except ValueError as error:
        raise OpsError(f"{file} is not JSON: {error}.", code="TB-0861", hint="tradebot dashboards lint") from None


def mapping(file: Path) -> dict[str, Any]:
    """A configuration file; an empty one is an empty mapping. Raises ``OpsError`` TB-0862 with the place."""
    try:
        found = _parsed(file, _stamp(file), yaml_.load) or {}
        why = "" if isinstance(found, dict) else "it is no mapping"
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        found, why = {}, " ".join(str(error).split())
    if why:
        raise OpsError(f"{file} cannot be read: {why}.", code="TB-0862", hint="tradebot alerts lint")
    return dict(found)


def _stamp(file: Path) -> tuple[int, ...]:
    found = file.stat()
    return found.st_mtime_ns, found.st_size, found.st_ino


@lru_cache(maxsize=128)
def _parsed(file: Path, stamp: tuple[int, ...], parse: Callable[[str], Any]) -> Any:
    """Of each state of a file once: one run reads the rules for half a dozen questions. Nobody may change it."""
    del stamp
    return parse(file.read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Dashboard:
    """One dashboard's file and its parsed JSON."""

    file: Path
    document: Mapping[str, Any]


@fact()
def dashboard_documents(ops: Ops) -> tuple[Dashboard, ...]:
    return tuple(Dashboard(file, document(file)) for file in dashboards(ops))


@fact()
def written_rules(ops: Ops) -> tuple[Mapping[str, Any], ...]:
    """The parsed rule files."""
    return tuple(rule_documents(ops))


@fact()
def detectors(ops: Ops) -> Table:
    """The table of detectors; an empty one where a project has none."""
    file = folder(ops, "prometheus") / "detectors.yml"
    return table_of(mapping(file) if file.exists() else {})


@fact()
def metrics(ops: Ops) -> tuple[Metric, ...]:
    """Every metric that the stack says something emits."""
    return tuple(declared(ops))
