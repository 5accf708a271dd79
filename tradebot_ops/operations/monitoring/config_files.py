"""The files that configure monitoring, as the stack mounts them: rules, dashboards, declared metrics."""

import json
from pathlib import Path
from typing import Any

import yaml

from tradebot_ops.context import Ops
from tradebot_ops.errors import OpsError
from tradebot_ops.monitoring.contract import (
    Metric,
    Use,
    dashboard_uses,
    declared_metrics,
    rule_uses,
)


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
    return [metric for name in files for metric in declared_metrics(_yaml(here / name) or {})]


def uses(ops: Ops) -> list[Use]:
    """Every expression of rules and dashboards."""
    rules = sorted((folder(ops, "prometheus") / "rules").glob("*.yml"))
    found = [use for file in rules for use in rule_uses(_yaml(file) or {})]
    return found + [use for file in dashboards(ops) for use in dashboard_uses(document(file))]


def dashboards(ops: Ops) -> list[Path]:
    return sorted((ops.stack.folder / "config" / "grafana" / "dashboards").glob("*.json"))


def document(file: Path) -> dict[str, Any]:
    """A dashboard's JSON; raises ``OpsError`` TB-0861 with line and column."""
    try:
        return dict(json.loads(file.read_text(encoding="utf-8")))
    except ValueError as error:
        raise OpsError(f"{file} is not JSON: {error}.", code="TB-0861", hint="tradebot dashboards lint") from None


def _yaml(file: Path) -> Any:
    try:
        return yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        where = " ".join(str(error).split())
        raise OpsError(f"{file} cannot be read: {where}.", code="TB-0862", hint="tradebot alerts lint") from None
