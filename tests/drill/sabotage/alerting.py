"""Stage 8 broken on purpose."""

from datetime import UTC, datetime, timedelta

from tests.drill.sabotage.fault import Act, Fault, editing, ops_of, stopping
from tests.drill.sabotage.monitoring import reloading
from tests.integration.tradebot import Tradebot
from tradebot_ops.clients.alertmanager import Matcher

_ROUTES = "config/alertmanager/alertmanager.yml"
_CRITICAL = {"alertname": "Sabotage", "severity": "critical"}


def _critical() -> tuple[Act, Act]:
    """An alert that nothing but the fault raises."""

    def post(stack: Tradebot, lasting: timedelta) -> None:
        ops_of(stack).alertmanager.post(_CRITICAL, {"summary": "Sabotage."}, datetime.now(UTC) + lasting)

    return lambda stack: post(stack, timedelta(minutes=10)), lambda stack: post(stack, timedelta(0))


def _long_silence() -> tuple[Act, Act]:
    def inject(stack: Tradebot) -> None:
        until = datetime.now(UTC) + timedelta(days=30)
        ops_of(stack).alertmanager.silence([Matcher("alertname", "Sabotage")], until, "nobody", "for ever")

    def mend(stack: Tradebot) -> None:
        client = ops_of(stack).alertmanager
        for silence in client.silences():
            if silence.state == "active" and silence.comment == "for ever":
                client.unsilence(silence.id)

    return inject, mend


FAULTS = (
    Fault("an alert of the brief removed", "ALR-01", "fail",
          *reloading(editing("config/prometheus/rules/redis.yml", "alert: RedisMemoryHigh", "alert: RedisMemoryLarge")),
          also=("ALR-02", "ALR-03")),
    Fault("a runbook that does not exist", "ALR-02", "warn",
          *editing("config/prometheus/rules/redis.yml", "runbooks/RedisDown.md", "runbooks/RedisGone.md"),
          also=("MON-05", "ALR-03")),
    Fault("a threshold that its test refutes", "ALR-03", "fail",
          *editing("config/prometheus/rules/redis.yml", "> 0.85", "> 0.99"), also=("MON-05",), within=120),
    Fault("critical led to nobody", "ALR-04", "fail",
          *reloading(editing(_ROUTES, '    - matchers: [alertname="RecentOutage"]\n',
                             '    - matchers: [alertname=~"RecentOutage|.*"]\n')),
        also=("ALR-05",),
    ),
    Fault("Alertmanager stopped", "MON-01", "fail", *stopping("alertmanager"), also=("MON-02", "MON-09", "ALR-08")),
    Fault("API stopped", "ALR-05", "fail", *stopping("api"),
          also=("MON-02", "MON-03", "MON-08", "MON-09", "ALR-07", "ALR-08", "ALR-09")),
    Fault("Watchdog led to nobody", "ALR-07", "warn",
          *reloading(editing(_ROUTES, '    - matchers: [alertname="Watchdog"]\n      receiver: store',
                             '    - matchers: [alertname="Watchdog"]\n      receiver: nobody'))),
    Fault("something critical fires", "ALR-08", "fail", *_critical()),
    Fault("a silence for a month", "ALR-08", "warn", *_long_silence()),
)  # fmt: skip
