"""Alerts: RedisDown."""

from tradebot_ops.context import Ops
from tradebot_ops.facts.alerting import runbooks as pages
from tradebot_ops.glossary.kind import Kind
from tradebot_ops.model import Section
from tradebot_ops.operations.alerts import runbooks


def _explained(ops: Ops, alert: str) -> Section:
    return runbooks.show(ops, alert).sections[0]


KIND = Kind("alert", pages.names, _explained)
