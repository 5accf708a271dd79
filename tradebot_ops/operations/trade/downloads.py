"""Prices of exchanges, through the API: a job downloads what is new, and says what was not taken."""

from dataclasses import asdict, dataclass
from typing import Any

from tradebot_ops.context import Ops
from tradebot_ops.model import Finding, Level, Report, Section, Table
from tradebot_ops.operations.change import change
from tradebot_ops.operations.jobs.jobs import until_ended
from tradebot_ops.operations.trade.data import COLUMNS, EXAMPLES, reason_of, row_of
from tradebot_ops.progress import OnProgress, Phase, ProgressEvent
from tradebot_ops.text.sentences import ended

JOB_TYPE = "download_candles"


@dataclass(frozen=True)
class Wanted:
    """Bars of a symbol at an exchange; ``since`` is a day, None for what follows on those stored."""

    exchange: str
    symbol: str
    interval: str
    since: str | None = None


def download(ops: Ops, wanted: Wanted, on_progress: OnProgress) -> Report:
    """Have it downloaded. Raises ``OpsError`` TB-0602 for a job that takes longer than the timeout: it runs on."""
    payload = {name: value for name, value in asdict(wanted).items() if value is not None}

    def watch(job: dict[str, Any]) -> None:
        if job.get("note"):
            on_progress(ProgressEvent(wanted.symbol, Phase.STARTING, job["note"]))

    named = (wanted.exchange, wanted.symbol, wanted.interval)
    with change(ops, "data download", *named, on_progress=on_progress, lease=False):
        job = until_ended(ops, ops.api.submit(JOB_TYPE, payload)["id"], watch)
    done = job["state"] == "succeeded"
    on_progress(ProgressEvent(wanted.symbol, Phase.DONE if done else Phase.FAILED))
    return _report(wanted, job) if done else _failed(wanted, job)


def _failed(wanted: Wanted, job: dict[str, Any]) -> Report:
    finding = Finding(
        Level.FAIL,
        "data.download",
        f"{wanted.symbol} was not downloaded from {wanted.exchange}: {ended(reason_of(job))}",
        hint=f"Look further: tradebot jobs show {job['id']}",
    )
    return Report(data={"job": job["id"], "state": job["state"], "result": None}, findings=(finding,))


def _report(wanted: Wanted, job: dict[str, Any]) -> Report:
    result = job["result"]
    series = str(result["series"])
    sections = [Section(tables=(Table(("series", *COLUMNS[1:]), (row_of(series, result),)),))]
    if examples := result["rejected_examples"][:EXAMPLES]:
        rows = tuple((each["day"] or "", each["reason"]) for each in examples)
        sections.append(Section(tables=(Table(("bar", "rejected because"), rows),)))
    if flags := result["flags"][:EXAMPLES]:
        odd = tuple((flag["day"].replace("T", " "), flag["kind"], flag["detail"]) for flag in flags)
        sections.append(Section(tables=(Table(("bar", "odd", "detail"), odd),)))
    sections.append(Section(lines=_next(wanted, series)))
    data = {"job": job["id"], "state": job["state"], "result": result}
    return Report(data=data, sections=tuple(sections))


def _next(wanted: Wanted, series: str) -> tuple[str, ...]:
    also = "" if wanted.interval == "1d" else f" interval={wanted.interval}"
    fresh = f"{JOB_TYPE} exchange={wanted.exchange} symbol={wanted.symbol}{also}"
    return (
        f"Next: tradebot jobs submit backtest symbol={series}{also} strategy=sma_cross fast=10 slow=30 --wait",
        f"To keep it up to date: tradebot jobs submit {fresh} --every '5 * * * *'",
    )
