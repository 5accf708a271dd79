"""Grafana: whether the login works, the data source answers and the dashboards are there."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tradebot_ops.context import Ops
from tradebot_ops.errors import LoginRefused
from tradebot_ops.facts import config_files
from tradebot_ops.facts.fact import NotApplicable, Skip, fact
from tradebot_ops.monitoring.contract import panels

#: As config/grafana/provisioning names it.
DATASOURCE = "prometheus"


@dataclass(frozen=True)
class Shown:
    """``refused`` says that the login did not work, and nothing else is known then. ``fault`` is the data source's;
    ``dashboards`` are the titles of panels by uid, None for a dashboard that is not there."""

    version: str
    refused: str = ""
    fault: str = ""
    dashboards: Mapping[str, tuple[str, ...] | None] = field(default_factory=dict)


@fact(seconds=30)
def shown(ops: Ops) -> Shown:
    """Asked with the stack's own login. Not applicable where Grafana cannot run, or is not chosen."""
    if known := ops.unavailable.get("grafana"):
        raise NotApplicable(Skip.PROFILE, f"Grafana is not part of this stack here: {known.message}")
    if "grafana" not in ops.stack.services:
        raise NotApplicable(Skip.PROFILE, "Grafana is not in the chosen profiles.")
    version = ops.grafana.version()
    try:
        fault = ops.grafana.datasource_fault(DATASOURCE)
        uids = [str(config_files.document(file).get("uid", "")) for file in config_files.dashboards(ops)]
        return Shown(version, fault=fault, dashboards={uid: _titles(ops, uid) for uid in uids})
    except LoginRefused as error:
        return Shown(version, refused=error.message)


def _titles(ops: Ops, uid: str) -> tuple[str, ...] | None:
    found = ops.grafana.dashboard(uid)
    return None if found is None else tuple(str(panel.get("title", "")) for panel in panels(found))
