"""Prometheus itself: what it runs with, where it keeps it, and how it fares."""

from tradebot_ops.clients.prometheus import Status
from tradebot_ops.facts.metrics import monitoring, prometheus
from tradebot_ops.facts.metrics.monitoring import Answer
from tradebot_ops.facts.metrics.prometheus import Health, Loaded, Storage
from tradebot_ops.prodcheck.check import Verdict, check, failed, passed, warned, worst
from tradebot_ops.text.lists import few
from tradebot_ops.text.quantities import human_bytes

#: Share of notifications that may be lost: each reload loses one, and Prometheus sends again.
SOME_LOST, MOST_LOST = 0.1, 0.5
#: Notifications that wait, as a share of the queue; samples a second are judged by nobody.
QUEUE_SHARE = 0.5
#: A stack of ours has about 5,000 series; this many cost about 8 GB of memory.
MANY_SERIES = 2_000_000


@check(
    "MON-05",
    "Prometheus runs as it is written",
    asks=(prometheus.status, prometheus.loaded, prometheus.storage, monitoring.prometheus),
    source="brief: config/prometheus; retention of metrics",
    anchor="config/prometheus/prometheus.yml",
    remedy="tradebot monitoring reload",
)
def configuration(status: Status, loaded: Loaded, storage: Storage, _answers: Answer) -> Verdict:
    """A rule that was edited and not loaded is in force for nobody. Asks Prometheus for what it runs with, compares
    that with the files, and looks where the series lie: outside a volume they are gone with the container.
    """
    return worst([_in_force(status, loaded), _kept(storage)])


def _in_force(status: Status, loaded: Loaded) -> Verdict:
    evidence = f"GET /api/v1/status/config, GET /api/v1/rules against {loaded.file}"
    if not status.config_loaded:
        message = "Prometheus refused its last configuration and runs the one before."
        return failed(message, observed="the last reload failed", expected="loaded", evidence=evidence,
                      hint="tradebot alerts lint")  # fmt: skip
    different = [*loaded.places, *(f"rule {name}" for name in loaded.rules)]
    if different or loaded.edited:
        return warned(
            "What Prometheus runs with is not what is written.",
            observed=f"differs: {few(different)}" if different else "the files were edited since they were read",
            expected="as written",
            evidence=evidence,
        )
    return passed("What is written is loaded.", observed="configuration and rules as written", evidence=evidence)


def _kept(storage: Storage) -> Verdict:
    limit = f"{storage.retention_time} or {human_bytes(storage.retention_size)}"
    evidence = f"GET /api/v1/status/flags: {storage.path}, retention {limit}, used {storage.used}, free {storage.free}"
    if not storage.on_volume:
        message = "The series lie in no volume and are lost with the container."
        return failed(message, observed=storage.path, expected="a volume", evidence=evidence,
                      hint="tradebot config show", anchor="compose.yaml#prometheus")  # fmt: skip
    if storage.retention_time in {"", "0s"} and not storage.retention_size:
        return warned("No retention is set: the default of 15 days holds.", observed="none", expected="a time or size",
                      evidence=evidence, hint="tradebot config show", anchor=".env")  # fmt: skip
    need = max(0.0, storage.retention_size - (storage.used or 0.0))
    if storage.free is not None and need > storage.free:
        return warned(
            f"Prometheus may still grow by {human_bytes(int(need))}, and no file system has that much.",
            observed=f"{human_bytes(int(storage.free))} free",
            expected=f"at least {human_bytes(int(need))}",
            evidence=evidence,
            hint="tradebot prune",
            anchor=".env",
        )
    return passed(f"The series are kept for {limit}.", observed=f"retention {limit}", evidence=evidence)


@check(
    "MON-06",
    "Prometheus is well",
    asks=(prometheus.health, monitoring.prometheus),
    source="Prometheus documentation: monitor Prometheus by its own metrics",
    anchor="config/prometheus/rules/monitoring.yml",
    remedy="tradebot logs prometheus --since 30m --level warning",
)
def healthy(health: Health, _answers: Answer) -> Verdict:
    """A rule that cannot be evaluated never fires, a damaged log loses what was measured, and a queue of
    notifications that fills up delays the alarm.
    """
    observed = (
        f"{_number(health.series)} series, {_number(health.samples_per_second)} samples/s, "
        f"{_number(health.failures)} failed evaluations, {_number(health.queue)} notifications waiting"
    )
    evidence = f"its own metrics, 5 and 15 minutes: {health}"
    wrong = [
        fault
        for fault, value in (
            ("rules fail to evaluate", health.failures),
            ("its log was damaged", health.corruptions),
            ("most notifications are lost", (health.dropped or 0) > MOST_LOST),
        )
        if value
    ]
    if wrong:
        return failed(f"Prometheus is not well: {', '.join(wrong)}.", observed=observed, expected="none",
                      evidence=evidence, hint="tradebot monitoring rules")  # fmt: skip
    if health.failures is None or health.corruptions is None or health.series is None:
        message = "Prometheus does not measure itself, so nobody knows how it fares."
        return warned(message, observed=observed, expected="a target of the job prometheus", evidence=evidence,
                      hint="tradebot monitoring targets", anchor="config/prometheus/prometheus.yml")  # fmt: skip
    if (health.dropped or 0) > SOME_LOST:
        message = f"{health.dropped or 0:.0%} of the notifications reached no Alertmanager."
        return warned(message, observed=observed, expected=f"at most {SOME_LOST:.0%}", evidence=evidence,
                      hint="tradebot logs alertmanager --tail 50")  # fmt: skip
    if (health.queue or 0) > QUEUE_SHARE * (health.queue_capacity or 1):
        return warned("Notifications wait for Alertmanager.", observed=observed, expected="a short queue",
                      evidence=evidence, hint="tradebot logs alertmanager --tail 50")  # fmt: skip
    if health.series > MANY_SERIES:
        return warned("Prometheus holds very many series.", observed=observed, expected=f"under {MANY_SERIES:,}",
                      evidence=evidence, hint="tradebot metrics list")  # fmt: skip
    return passed("Prometheus evaluates and records without errors.", observed=observed, evidence=evidence)


def _number(value: float | None) -> str:
    return "unknown" if value is None else f"{value:,.0f}"
