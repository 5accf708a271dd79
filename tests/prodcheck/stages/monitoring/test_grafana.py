"""Every level of the check on Grafana."""

import pytest

from tradebot_ops.facts.metrics.grafana import Shown
from tradebot_ops.model import Level
from tradebot_ops.prodcheck.stages.monitoring.grafana import PANELS, shows


@pytest.mark.parametrize(
    ("shown", "level", "message"),
    [
        (Shown("11", dashboards={"trading-bot": PANELS}), Level.PASS, "Grafana shows the dashboard."),
        (Shown("11", refused="Grafana refused."), Level.FAIL, "Grafana refuses the stack's login."),
        (Shown("11", fault="connection refused"), Level.FAIL, "Grafana does not get to Prometheus."),
        (Shown("11", dashboards={"trading-bot": None}), Level.FAIL, "A dashboard is not provisioned."),
        (Shown("11"), Level.FAIL, "There is no dashboard."),
        (Shown("11", dashboards={"trading-bot": PANELS[1:]}), Level.FAIL, "Panels are missing: Active Workers."),
    ],
)
def test_shows(shown: Shown, level: Level, message: str) -> None:
    verdict = shows(shown)
    assert (verdict.level, verdict.message) == (level, message)
