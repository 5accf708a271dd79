"""Workers themselves: heard, measured, and within their memory."""

from collections.abc import Sequence

from tradebot_ops.facts.metrics import config_files
from tradebot_ops.facts.metrics.samples import mismatch
from tradebot_ops.facts.work import queue, workers
from tradebot_ops.facts.work.queue import Lost
from tradebot_ops.facts.work.workers import LATE_S, Beat, Shown, Worker
from tradebot_ops.monitoring.contract import Metric
from tradebot_ops.prodcheck.check import Severity, Verdict, check, failed, passed, warned
from tradebot_ops.text.lists import few
from tradebot_ops.text.quantities import human_bytes

MUCH_MEMORY, TOO_MUCH_MEMORY = 0.8, 0.95


@check(
    "WRK-01",
    "Each worker is heard, and nobody else",
    asks=(workers.replicas, workers.beats),
    severity=Severity.CRITICAL,
    source="brief: worker health",
    needs=("API-01",),
    anchor="compose.yaml#worker",
    remedy="tradebot restart worker",
)
def heard(replicas: Sequence[Worker], beats: Sequence[Beat]) -> Verdict:
    """A worker says once a second that it takes jobs; one that hangs cannot. A heartbeat that belongs to no replica is
    a worker that nobody drains, scales or updates.
    """
    by_name = {beat.name: beat for beat in beats}
    wrong = [problem for each in replicas if (problem := _silent(each, by_name))]
    known = {name for each in replicas for name in each.names}
    wrong += [f"{beat.name} is heard, and is no replica of this project" for beat in beats if beat.name not in known]
    observed = f"{len(replicas)} replicas, {len(beats)} heartbeats"
    evidence = "GET /workers: " + "; ".join(f"{each.name} {each.state}, {each.age:.1f} s ago" for each in beats)
    expected = f"one per replica, not older than {LATE_S:g} s"
    if not replicas:
        hint = "tradebot up; tradebot scale workers 2"
        return failed("No worker runs.", observed=observed, expected="at least one", evidence=evidence, hint=hint)
    if wrong:
        message = f"Not every worker is heard as it should be: {few(wrong, 3)}."
        return failed(message, observed=observed, expected=expected, evidence=evidence)
    return passed("Each worker is heard.", observed=observed, evidence=evidence)


def _silent(replica: Worker, by_name: dict[str, Beat]) -> str:
    beat = next((by_name[name] for name in replica.names if name in by_name), None)
    if beat is None:
        return f"{replica.label} sends no heartbeat"
    return "" if beat.fresh else f"{replica.label} was last heard {beat.age:.0f} s ago"


@check(
    "WRK-02",
    "Each worker shows its metrics at its own port",
    asks=(workers.shown, config_files.metrics),
    severity=Severity.CRITICAL,
    source="brief: worker metrics on 9091",
    needs=("ENG-01",),
    anchor="config/prometheus/service-metrics.yml",
    remedy="tradebot metrics worker --all",
)
def measured(shown: Sequence[Shown], metrics: tuple[Metric, ...]) -> Verdict:
    """Each replica is asked where Prometheus asks it, not only the one whose port is published, and what it shows is
    compared with what is declared. A replica that nobody measures can fail unseen.
    """
    promised = [metric for metric in metrics if metric.source == "worker"]
    wrong = [problem for each in shown for problem in _missing(each, promised)]
    observed = f"{len(shown)} replicas, {len(promised)} metrics each"
    evidence = "\n".join(f"{each.label}: {each.unreadable or f'{len(each.families)} families'}" for each in shown)
    expected = "every declared metric of every worker"
    if not shown:
        return failed("No worker runs.", observed=observed, expected=expected, hint="tradebot up")
    if wrong:
        message = f"{len({label for label, _ in wrong})} of {len(shown)} workers do not show what they promise."
        listed = few([f"{label}: {problem}" for label, problem in wrong], 3)
        return failed(message, observed=listed, expected=expected, evidence=evidence)
    return passed("Each worker shows its metrics.", observed=observed, evidence=evidence)


def _missing(shown: Shown, promised: Sequence[Metric]) -> list[tuple[str, str]]:
    if shown.unreadable:
        return [(shown.label, shown.unreadable)]
    found = (mismatch(metric, shown.families) for metric in promised)
    return [(shown.label, problem) for problem in found if problem]


@check(
    "WRK-10",
    "No job is lost, and workers have memory to spare",
    asks=(queue.lost, workers.shown, workers.memory_limit),
    severity=Severity.CRITICAL,
    source="brief: no job is lost",
    needs=("WRK-02",),
    anchor="compose.yaml#worker",
    remedy="tradebot jobs list --state running; tradebot restart worker",
)
def kept(lost: Sequence[Lost], shown: Sequence[Shown], limit: int | None) -> Verdict:
    """A job whose worker went away is found by its lease and taken over within seconds; one that nobody takes over is
    lost. Workers near their memory limit are those that go away.
    """
    used = {each.label: value for each in shown if (value := each.value("worker_memory_bytes")) is not None}
    fullest = max(used, key=lambda label: used[label], default="")
    share = used[fullest] / limit if fullest and limit else 0.0
    memory = f"{fullest} uses {human_bytes(int(used[fullest]))}" if fullest else "memory unknown"
    memory += f", {100 * share:.0f} % of its limit" if limit else ", without a limit"
    observed = f"{len(lost)} lost, {memory}"
    evidence = "\n".join(f"{each.id} ({each.type}) on {each.worker}, since {each.since:.0f} s" for each in lost[:10])
    expected = f"0 lost, at most {100 * MUCH_MEMORY:.0f} % of the limit"
    if lost:
        message = f"{len(lost)} jobs are held by workers that have stopped to work on them."
        return failed(message, observed=observed, expected=expected, evidence=evidence)
    if share > MUCH_MEMORY:
        hint = "Give them more, or let jobs use less: tradebot optimize plan"
        say = failed if share > TOO_MUCH_MEMORY else warned
        message = f"{fullest} has hardly any memory left."
        return say(message, observed=observed, expected=expected, evidence=evidence, hint=hint)
    return passed("No job is lost.", observed=observed, evidence=evidence or "no lease has run out")
