"""The dashboards: every panel would show something, in a unit that Grafana knows."""

from tradebot_ops.facts.metrics import config_files, monitoring, panels
from tradebot_ops.facts.metrics.config_files import Dashboard
from tradebot_ops.facts.metrics.monitoring import Answer
from tradebot_ops.facts.metrics.panels import Asked, Panels
from tradebot_ops.monitoring.dashboards import faults
from tradebot_ops.prodcheck.check import Severity, Verdict, check, failed, passed, warned
from tradebot_ops.text.lists import few

_DASHBOARD = "config/grafana/dashboards/trading-bot-dashboard.json"


@check(
    "MON-08",
    "Every panel has data",
    asks=(panels.panels, monitoring.prometheus),
    source="brief: metrics appear; dashboard with 12 panels",
    anchor=_DASHBOARD,
    remedy="tradebot metrics contract",
)
def filled(found: Panels, _answers: Answer) -> Verdict:
    """Runs the query of every panel over the last 15 minutes. An empty panel looks like a quiet system, and is one
    whose metric was renamed or is not measured any more. Metrics of a bot are absent where none is watched.
    """
    asked = [each for each in found.asked if each.series or each.error or not each.metrics <= found.late]
    unknown = [each for each in asked if each.error or each.metrics - found.known - found.present]
    empty = [each for each in asked if not each.series and each not in unknown]
    quiet = sum(each.series > 0 and not each.filled for each in asked)
    count = len(asked)
    observed = f"{count - len(unknown) - len(empty)} of {count} queries have data"
    observed += f", {quiet} of them nothing but gaps" if quiet else ""
    if not count:
        return failed("No dashboard has a panel.", observed="0 queries", expected="12 panels")
    if unknown:
        message = f"Nothing emits what these ask for: {_places(unknown)}."
        return failed(message, observed=observed, expected="all", evidence=_evidence(unknown))
    if empty:
        message = f"No data within 15 minutes: {_places(empty)}."
        return warned(message, observed=observed, expected="all", evidence=_evidence(empty),
                      hint="tradebot monitoring targets")  # fmt: skip
    return passed(
        "Every panel has data.", observed=observed, evidence="GET /api/v1/query_range, 15 minutes, each query"
    )


def _places(asked: list[Asked]) -> str:
    """A panel of several queries is named once."""
    return few(dict.fromkeys(each.where for each in asked))


def _evidence(asked: list[Asked]) -> str:
    return "\n".join(f"{each.where}: {each.expression}: {each.error or f'{each.series} series'}" for each in asked[:5])


@check(
    "MON-11",
    "Grafana can show the dashboards",
    asks=(config_files.dashboard_documents,),
    severity=Severity.MINOR,
    source="Grafana documentation: dashboard JSON model; units of @grafana/data",
    anchor=_DASHBOARD,
    remedy="tradebot dashboards lint",
)
def readable(dashboards: tuple[Dashboard, ...]) -> Verdict:
    """Dashboards must be the classic JSON that provisioning takes, with panels and a schema version. A unit that
    Grafana does not know is printed as a bare word behind each value.
    """
    wrong = [f"{each.file.name}: {fault}" for each in dashboards for fault in faults(each.document)]
    names = few(each.file.name for each in dashboards)
    if not dashboards:
        return failed("There is no dashboard.", observed="0 files", expected="config/grafana/dashboards/*.json")
    if wrong:
        message = "Grafana would not show a dashboard as it is meant."
        return failed(
            message, observed=few(wrong), expected="panels, schemaVersion, known units", evidence="\n".join(wrong)
        )
    return passed("Grafana can show the dashboards.", observed=f"{len(dashboards)} read: {names}")
