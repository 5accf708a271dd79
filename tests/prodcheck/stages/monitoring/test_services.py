"""Every level of the check on the monitoring services."""

from tradebot_ops.facts.metrics.monitoring import Answer
from tradebot_ops.model import Level
from tradebot_ops.prodcheck.stages.monitoring.services import ready

READY = (Answer("prometheus", ok=True, detail="ready"), Answer("redis-exporter", ok=True, detail="HTTP 200"))
ABSENT = Answer("grafana", ok=False, detail="In no package.", absent=True, hint="tradebot dash")
SILENT = Answer("alertmanager", ok=False, detail="Connection refused")


def test_ready() -> None:
    verdict = ready(READY)
    assert (verdict.level, verdict.observed) == (Level.PASS, "2 of 2 ready")


def test_one_that_cannot_run_here_is_no_failure_and_no_pass() -> None:
    verdict = ready((*READY, ABSENT))
    assert verdict.level is Level.WARN
    assert "grafana" in verdict.message
    assert verdict.hint == "tradebot dash"
    assert verdict.observed == "2 of 3 ready"


def test_one_that_is_silent_is_named_before_one_that_is_absent() -> None:
    verdict = ready((*READY, ABSENT, SILENT))
    assert verdict.level is Level.FAIL
    assert verdict.message == "Not ready: alertmanager. Alerts are blind: nobody is notified of a fault."
    assert verdict.observed == "alertmanager: Connection refused"
    assert verdict.anchor == "compose.yaml#alertmanager"
