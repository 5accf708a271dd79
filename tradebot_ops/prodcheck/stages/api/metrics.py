"""The API's metrics: complete, moving, and not too many."""

from tradebot_ops.facts import api
from tradebot_ops.facts.api import OURS, Moved, Shown
from tradebot_ops.facts.metrics import config_files
from tradebot_ops.facts.metrics.samples import mismatch
from tradebot_ops.monitoring.contract import Metric
from tradebot_ops.prodcheck.check import Severity, Verdict, check, failed, passed, warned
from tradebot_ops.text.lists import few

MANY_SERIES = 400
MOST_SERIES = 500


@check(
    "API-03",
    "The API shows every metric it promises",
    asks=(api.metrics, config_files.metrics),
    severity=Severity.CRITICAL,
    source="brief: the API exposes /metrics",
    needs=("API-01",),
    anchor="config/prometheus/service-metrics.yml",
    remedy="tradebot metrics contract",
)
def complete(shown: Shown, metrics: tuple[Metric, ...]) -> Verdict:
    """Reads /metrics with Prometheus' own parser and compares names, types and labels with what is declared: an
    alert on a metric that has another name or label never fires.
    """
    if shown.unreadable:
        message = "Prometheus cannot read what the API shows at /metrics."
        return failed(message, observed="unreadable", expected="Prometheus' text format", evidence=shown.unreadable)
    families = shown.families
    wanted = [metric for metric in metrics if metric.source == "api" and not metric.late]
    wrong = [problem for metric in wanted if (problem := mismatch(metric, families))]
    evidence = f"GET /metrics: {len(families)} families\n" + "\n".join(wrong[:10])
    if wrong:
        message = f"{len(wrong)} of {len(wanted)} metrics are not as declared."
        return failed(message, observed=few(wrong, 3), expected="as declared", evidence=evidence)
    return passed("The API shows every metric it promises.", observed=f"{len(wanted)} metrics", evidence=evidence)


@check(
    "API-04",
    "The API counts each request once",
    asks=(api.moved,),
    severity=Severity.CRITICAL,
    source="geolens#1240: a registry per process",
    needs=("API-03",),
    anchor="services/api/middleware/metrics.py",
    remedy="tradebot restart api",
)
def counts(moved: Moved) -> Verdict:
    """Ten requests that nobody else sends must raise their counter and their histogram by exactly ten, and no counter
    may ever fall. A frozen counter makes an outage look like a quiet night; one per process makes it saw.
    """
    observed = f"counter +{moved.counted:g}, histogram +{moved.timed:g}, {len(moved.fell)} fell"
    evidence = f"{moved.sent} × {OURS[0]} {OURS[1]} (HTTP {OURS[2]}), then /metrics five times"
    expected = f"+{moved.sent} each, none falls"
    if moved.fell:
        message = f"Counters fall from one read to the next: {few(moved.fell, 3)}."
        hint = "Run one process per container, or set PROMETHEUS_MULTIPROC_DIR; then: tradebot restart api"
        return failed(message, observed=observed, expected=expected, evidence=evidence, hint=hint)
    if moved.counted != moved.sent or moved.timed != moved.sent:
        message = f"Of {moved.sent} requests the API counted {moved.counted:g} and timed {moved.timed:g}."
        return failed(message, observed=observed, expected=expected, evidence=evidence)
    return passed("The API counts each request once.", observed=observed, evidence=evidence)


@check(
    "API-05",
    "Requests are counted by route, not by address",
    asks=(api.metrics,),
    source="Prometheus documentation: do not overuse labels",
    needs=("API-03",),
    anchor="services/api/middleware/metrics.py",
    remedy="tradebot metrics list",
)
def disciplined(shown: Shown) -> Verdict:
    """Every value of a label is a series kept for weeks: with addresses for labels anybody who asks for made-up ones
    fills Prometheus' memory.
    """
    family = shown.families.get("http_requests_total")
    series = list(family.values) if family else []
    endpoints = {dict(labels).get("endpoint", "") for _, labels in series}
    raw = sorted(each for each in endpoints if any(_is_value(part) for part in each.split("/")))
    observed = f"{len(series)} series, {len(endpoints)} routes"
    evidence = f"http_requests_total at /metrics, endpoints: {few(sorted(endpoints), 20)}"
    expected = f"route templates, under {MOST_SERIES} series"
    if len(series) >= MOST_SERIES or raw:
        message = f"Requests are counted under {len(raw)} addresses instead of routes." if raw else "Too many series."
        return failed(message, observed=observed, expected=expected, evidence=evidence)
    if len(series) >= MANY_SERIES:
        return warned("There are many series of requests.", observed=observed, expected=expected, evidence=evidence)
    return passed("Requests are counted by route.", observed=observed, evidence=evidence)


def _is_value(part: str) -> bool:
    """A number or an id where a template would have a name in braces."""
    return part.isdigit() or (len(part) >= 32 and all(letter in "0123456789abcdef-" for letter in part.lower()))
