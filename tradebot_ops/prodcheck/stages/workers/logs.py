"""Log lines of workers about their jobs."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from tradebot_ops.facts import moment
from tradebot_ops.facts.replicas.logs import Entry
from tradebot_ops.facts.work import workers
from tradebot_ops.prodcheck.check import Verdict, check, failed, passed, warned
from tradebot_ops.text.sentences import shortened

JSON_SHARE = 0.9
BURST = 5
RECENT = timedelta(minutes=15)
#: What a worker calls the line about an attempt that ended, and what that line must say.
ABOUT_JOBS = frozenset({"job done", "job failed"})
SAYS = ("timestamp", "level", "job_id", "job_type", "attempt", "status", "seconds")


@check(
    "WRK-08",
    "Workers write what became of each job",
    asks=(workers.log, moment.now),
    source="brief: structured logging",
    anchor="services/common/logging.py",
    remedy="tradebot logs worker --since 15m",
)
def written(log: Sequence[Entry], now: datetime) -> Verdict:
    """Every line is JSON, and those about jobs say which job, which attempt and how it went. A burst of exceptions that
    nobody foresaw is an outage that has begun.
    """
    entries = [entry for entry in log if entry.text.strip()]
    records = [(entry.line, entry.fields) for entry in entries if entry.fields is not None]
    about = [record for _, record in records if record.get("event") in ABOUT_JOBS]
    lacking = sorted({name for record in about for name in SAYS if name not in record})
    traces = sum("exception" in record for line, record in records if line.at is None or line.at > now - RECENT)
    observed = f"{len(records)} of {len(entries)} lines are JSON, {len(about)} about jobs, {traces} exceptions"
    strange = [shortened(entry.text, 200) for entry in entries if entry.fields is None]
    evidence = "\n".join(strange[:5] or [shortened(entry.text, 200) for entry in entries[-2:]])
    if not entries:
        return warned("Workers have written nothing.", observed="no line", expected="JSON lines", evidence="no line")
    if len(records) < JSON_SHARE * len(entries):
        hint = "Set LOG_FORMAT=json, then: tradebot up"
        message = "Workers do not write JSON."
        return failed(message, observed=observed, expected="every line", evidence=evidence, hint=hint)
    if lacking:
        message = f"Lines about jobs lack {', '.join(lacking)}."
        return failed(message, observed=observed, expected=", ".join(SAYS), evidence=evidence)
    if traces >= BURST:
        message = f"{traces} exceptions that nobody foresaw within 15 minutes."
        return failed(message, observed=observed, expected=f"under {BURST}", evidence=evidence)
    if strange or traces:
        message = "Some lines of workers are not JSON, or hold an exception."
        return warned(message, observed=observed, expected="only JSON, no exception", evidence=evidence)
    return passed("Workers write what became of each job.", observed=observed, evidence=evidence)
