"""Grafana: whether the login works, the data source answers and the dashboards are there."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

from tradebot_ops.clients import probe
from tradebot_ops.context import Ops
from tradebot_ops.errors import LoginRefused
from tradebot_ops.facts.fact import Effect, NotApplicable, Skip, fact
from tradebot_ops.facts.metrics import config_files
from tradebot_ops.monitoring.contract import panels
from tradebot_ops.settings import Secret

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


@dataclass(frozen=True)
class Entry:
    """``anonymous`` is the HTTP status without a login, ``sign_up`` and ``anonymous_set`` are settings in force."""

    anonymous: int
    anonymous_set: str
    sign_up: str


@fact(seconds=30)
def shown(ops: Ops) -> Shown:
    """Asked with the stack's own login. Not applicable where Grafana cannot run, or is not chosen."""
    _expect_grafana(ops)
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


def _expect_grafana(ops: Ops) -> None:
    if known := ops.unavailable.get("grafana"):
        raise NotApplicable(Skip.PROFILE, f"Grafana is not part of this stack here: {known.message}")
    if "grafana" not in ops.stack.services:
        raise NotApplicable(Skip.PROFILE, "Grafana is not in the chosen profiles.")


@fact(seconds=20)
def entry(ops: Ops) -> Entry:
    """Who gets in without being let in: asked as a stranger, and of the settings in force."""
    _expect_grafana(ops)
    sign_up = ops.grafana.setting("users", "allow_sign_up")
    anonymous_set = ops.grafana.setting("auth.anonymous", "enabled")
    address = ops.engine.endpoint("grafana", 3000)
    return Entry(
        probe.status(address.host, address.port, "/api/org", trust=ops.trust("grafana")), anonymous_set, sign_up
    )


@fact(seconds=30, effect=Effect.WRITES)
def newcomer_edits(ops: Ops) -> bool:
    """Whether a new user may make a dashboard: tried with one that is made for it, and removed."""
    _expect_grafana(ops)
    name, password = f"tradebot-check-{secrets.token_hex(4)}", Secret(secrets.token_urlsafe(24))
    made = ops.grafana.add_user(name, password)
    try:
        ops.grafana_as(name, password).edit(name, name)
    except LoginRefused:
        return False
    else:
        ops.grafana.remove_dashboard(name)
        return True
    finally:
        ops.grafana.remove_user(made)
