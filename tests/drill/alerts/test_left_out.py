"""Whoever writes a rule says how a drill raises its alert, or why none does."""

from collections.abc import Iterable

from tests.config.test_rules import rules
from tests.drill import test_alerts
from tests.drill.alerts import test_slow, test_work
from tests.drill.alerts.left_out import LEFT_OUT
from tests.drill.faults import Fault

LINES: Iterable[Iterable[Fault]] = (test_alerts.FAULTS, *test_slow.LINES, *test_work.LINES)


def test_every_alert_is_drilled_or_left_out_for_a_reason() -> None:
    drilled = {alert for faults in LINES for fault in faults for alert in fault.alerts}
    every = {rule["alert"] for rule in rules() if "alert" in rule}
    assert drilled | LEFT_OUT.keys() == every
    assert drilled & LEFT_OUT.keys() == set()
