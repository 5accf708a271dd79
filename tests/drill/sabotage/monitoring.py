"""Stage 7 broken on purpose."""

import json

from tests.drill.sabotage.fault import Act, Fault, editing, stopping
from tests.integration.tradebot import Tradebot

_RULES = "config/prometheus/rules/redis.yml"
_DASHBOARD = "config/grafana/dashboards/trading-bot-dashboard.json"


def reloading(acts: tuple[Act, Act]) -> tuple[Act, Act]:
    """The same, with what is written then read by Prometheus."""

    def then(act: Act) -> Act:
        def both(stack: Tradebot) -> None:
            act(stack)
            stack.ok("monitoring", "reload")
            # Discovery and the rules begin anew with each reload.
            stack.run("prod-check", "--only", "MON-02,MON-03,ALR-07", "--retry-timeout", "60")

        return both

    return then(acts[0]), then(acts[1])


def _without_schema() -> tuple[Act, Act]:
    """Another schema's dashboard: no panels at its top."""

    def inject(stack: Tradebot) -> None:
        file = stack.cwd / _DASHBOARD
        file.with_suffix(".kept").write_text(file.read_text(encoding="utf-8"), encoding="utf-8")
        file.write_text(json.dumps({"uid": "trading-bot", "spec": {"elements": {}}}), encoding="utf-8")

    def mend(stack: Tradebot) -> None:
        (stack.cwd / _DASHBOARD).with_suffix(".kept").replace(stack.cwd / _DASHBOARD)

    return inject, mend


FAULTS = (
    # A silent Prometheus leaves nothing to judge of what only it knows: these are skipped, and fail nobody.
    Fault("Prometheus stopped", "MON-01", "fail", *stopping("prometheus"), also=("ALR-05",)),
    Fault("redis-exporter stopped", "MON-02", "fail", *stopping("redis-exporter"),
          also=("MON-01", "MON-04", "MON-08", "MON-09", "ALR-08")),
    Fault("the workers stopped", "MON-03", "fail", *stopping("worker"),
          also=("MON-02", "MON-08", "MON-09", "ALR-08")),
    Fault("Redis stopped, seen by its exporter", "MON-04", "fail", *stopping("redis"),
          also=("MON-01", "MON-02", "MON-08", "MON-09", "ALR-08")),
    Fault("a rule edited and not loaded", "MON-05", "warn", *editing(_RULES, "> 0.85", "> 0.86")),
    Fault("a rule that fails to evaluate", "MON-06", "fail",
          *reloading(editing(_RULES, "expr: redis_memory_max_bytes{job=\"redis\"} == 0",
                              "expr: up * on (job) group_left () (up or label_replace(up, \"x\", \"y\", \"\", \"\"))")),
          also=("MON-05", "MON-09", "ALR-01", "ALR-02", "ALR-03", "ALR-08"), within=120,
          clean=400),  # its alert looks back over five minutes
    Fault("a panel asks for a renamed metric", "MON-08", "fail",
          *editing(_DASHBOARD, "redis_blocked_clients", "redis_blocked"), also=("MON-09",)),
    Fault("a panel prints a label that is gone", "MON-09", "fail",
          *editing(_DASHBOARD, "max by(queue)(queue_length)", "max by(name)(queue_length)")),
    Fault("nothing notices that targets are gone", "MON-10", "fail",
          *editing(
            "config/prometheus/rules/availability.yml",
            '|node|prometheus|alertmanager|grafana"}[1h]',
            '|node|alertmanager|grafana"}[1h]',
        ),
        also=("MON-05",)),
    Fault("a unit of another tool", "MON-11", "fail", *editing(_DASHBOARD, '"unit": "ops"', '"unit": "per second"')),
    Fault("a dashboard of another schema", "MON-11", "fail", *_without_schema(), also=("MON-08",)),
)  # fmt: skip
