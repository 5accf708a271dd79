"""Every service as it is now: what the engine says, and what the service itself answers."""

from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from tradebot_ops.context import START_MONITORING, Ops
from tradebot_ops.engines.base import Replica, State, Stats
from tradebot_ops.facts.replicas.condition import condition_of
from tradebot_ops.facts.work.drained import drained
from tradebot_ops.facts.work.halted import halted
from tradebot_ops.model import Finding, Level, Report, Section, Table
from tradebot_ops.monitoring.chain import ALERTING
from tradebot_ops.text.labels import Labelled
from tradebot_ops.text.quantities import age, ago, human_bytes
from tradebot_ops.text.sentences import ended

_HINTS = {"missing": "tradebot up", "stopped": "tradebot up", "orphan": "tradebot up --remove-orphans"}
_GOOD = {"ready", "running", "done"}
UNAVAILABLE = "unavailable"
#: A worker with the order to take no jobs: nothing is wrong with it, and yet it is to be seen.
DRAINED = "drained"
_FINE = {*_GOOD, UNAVAILABLE, DRAINED}
_ALIVE = {"ready", "running", "unhealthy", "starting", "restarting", "paused", "orphan", DRAINED}


@dataclass(frozen=True)
class Row(Labelled):
    """One replica, judged: ``condition`` is the word people read, ``detail`` why."""

    service: str
    number: int
    condition: str
    detail: str
    replica: Replica | None
    stats: Stats | None = None
    endpoint: str = ""
    hint: str = ""


def status(ops: Ops, wanted: Collection[str] = (), *, cpu: bool = False, only: bool = False) -> Report:
    """Look at everything at once; ``wanted`` names the services that must be there, all when empty.

    With ``only`` no others are looked at. Each question ends by itself, and a silent service is shown as such."""
    found = [replica for replica in ops.engine.list() if not only or replica.service in wanted]
    running = [replica for replica in found if replica.state is State.RUNNING]
    with ThreadPoolExecutor(max_workers=len(found) + 3) as pool:
        measured = pool.submit(ops.engine.stats, running, cpu=cpu)
        orders = pool.submit(drained, ops, running)
        halt = pool.submit(halted, ops, running)
        rows = list(pool.map(lambda replica: _row(ops, replica), found))
        rows = [_ordered_to_rest(row, orders.result()) for row in rows]
        by_id = {stats.id: stats for stats in measured.result()}
    rows += _missing(ops, found, wanted or ops.stack.services.keys())
    return _report(ops, _ordered(ops, rows), by_id, halt.result())


def _row(ops: Ops, replica: Replica) -> Row:
    found = condition_of(ops, replica)
    endpoint = ", ".join(f"{p.address}" for p in replica.published)
    return Row(replica.service, replica.number, found.word, found.detail, replica, endpoint=endpoint)


def _ordered_to_rest(row: Row, drained: Mapping[str, str]) -> Row:
    why = drained.get(row.label)
    return row if why is None or row.condition not in _GOOD else replace(row, condition=DRAINED, detail=why)


def _missing(ops: Ops, found: Sequence[Replica], wanted: Collection[str]) -> list[Row]:
    """Replicas the stack wants and the engine does not have."""
    rows = []
    for service in (ops.stack.services[name] for name in wanted):
        there = [replica for replica in found if replica.service == service.name]
        taken = {replica.number for replica in there}
        if not there and (known := ops.unavailable.get(service.name)):
            rows.append(Row(service.name, 1, UNAVAILABLE, known.message.rstrip("."), None))
            continue
        free = (number for number in range(1, service.replicas + len(there) + 1) if number not in taken)
        rows += [
            Row(service.name, next(free), "missing", "it should run and does not exist", None)
            for _ in range(service.replicas - len(there))
        ]
    return rows


def _ordered(ops: Ops, rows: Sequence[Row]) -> list[Row]:
    order = {name: place for place, name in enumerate(ops.stack.services)}
    return sorted(rows, key=lambda row: (order.get(row.service, len(order)), row.number))


def _report(ops: Ops, rows: Sequence[Row], stats: dict[str, Stats], halt: Mapping[str, Any] | None) -> Report:
    measured = any(each.cpu is not None for each in stats.values())
    columns = ("service", "state", "endpoint", "memory", *(["cpu"] if measured else []), "up", "restarts", "detail")
    table = Table(
        columns,
        tuple(
            _cells(row, stats.get(row.replica.id) if row.replica else None, ops.clock(), measured=measured)
            for row in rows
        ),
    )
    # The `up` that found that a service cannot run here warns of it; from then on its row is enough.
    wrong = [row for row in rows if row.condition not in _FINE]
    nothing = not any(row.condition in _ALIVE for row in rows)
    engine = f"Project {ops.settings.project} on the {ops.engine.name} engine ({ops.choice.why})."
    return Report(
        data={
            "project": ops.settings.project,
            "engine": {"name": ops.engine.name, "why": ops.choice.why},
            "running": not nothing,
            "halt": dict(halt) if halt else None,
            "services": [_data(row, stats.get(row.replica.id) if row.replica else None) for row in rows],
        },
        findings=_halted(halt, ops.clock()) + _findings(wrong, nothing) + (() if nothing else _blind(rows)),
        sections=(Section(lines=(engine,), tables=(table,)), *_absent(rows)),
    )


def _halted(halt: Mapping[str, Any] | None, now: datetime) -> tuple[Finding, ...]:
    if not halt or not halt["halted"]:
        return ()
    message = f"HALTED by {halt['by']} {ago(halt['at'], now)} ago, no job is taken or started: {ended(halt['reason'])}"
    return (Finding(Level.WARN, "status.halted", message, hint="tradebot resume"),)


def _absent(rows: Sequence[Row]) -> tuple[Section, ...]:
    """Below the table, which it would make too wide: why some services cannot run here."""
    lines = tuple(f"{row.service} is unavailable: {row.detail}." for row in rows if row.condition == UNAVAILABLE)
    return (Section(lines=lines),) if lines else ()


def _findings(wrong: Sequence[Row], nothing: bool) -> tuple[Finding, ...]:
    if nothing:
        return (Finding(Level.FAIL, "status.down", "Nothing runs.", hint="tradebot up"),)
    return tuple(
        Finding(
            Level.WARN if row.condition in {"orphan", "starting"} else Level.FAIL,
            f"status.{row.condition}",
            f"{row.service} {row.number} is {row.condition}: {row.detail or 'the engine gives no reason'}.",
            hint=row.hint or _HINTS.get(row.condition) or f"tradebot logs {row.service} --tail 50",
        )
        for row in wrong
    )


def _blind(rows: Sequence[Row]) -> tuple[Finding, ...]:
    """No alert can report this: without these services, only whoever looks at the status learns of a fault."""
    away = {row.service: row for row in rows if row.service in ALERTING and row.condition not in _GOOD}
    return tuple(
        Finding(
            Level.WARN if row.condition in {UNAVAILABLE, "starting"} else Level.FAIL,
            "status.blind",
            f"Alerts are blind: {name} is {row.condition}, so {ALERTING[name]}.",
            hint=START_MONITORING,
        )
        for name, row in away.items()
    )


def _cells(row: Row, stats: Stats | None, now: datetime, *, measured: bool) -> tuple[str, ...]:
    replica = row.replica
    return (
        row.label,
        row.condition,
        row.endpoint,
        human_bytes(stats.memory) if stats else "",
        *([_percent(stats)] if measured else []),
        age(now - replica.started_at) if replica and replica.started_at and replica.state is State.RUNNING else "",
        str(replica.restarts) if replica else "",
        "" if row.condition in {*_GOOD, UNAVAILABLE} else row.detail,
    )


def _percent(stats: Stats | None) -> str:
    return f"{100 * stats.cpu:.0f} %" if stats and stats.cpu is not None else ""


def _data(row: Row, stats: Stats | None) -> dict[str, object]:
    replica = row.replica
    return {
        "service": row.service,
        "number": row.number,
        "state": row.condition,
        "detail": row.detail,
        "id": replica.id if replica else None,
        "pid": replica.pid if replica else None,
        "restarts": replica.restarts if replica else None,
        "exit_code": replica.exit_code if replica else None,
        "started_at": replica.started_at.isoformat() if replica and replica.started_at else None,
        "image": replica.image if replica else None,
        "published": {str(p.target): str(p.address) for p in replica.published} if replica else {},
        "memory_bytes": stats.memory if stats else None,
        "memory_limit_bytes": stats.memory_limit if stats else None,
        "cpu_cores": round(stats.cpu, 3) if stats and stats.cpu is not None else None,
    }
