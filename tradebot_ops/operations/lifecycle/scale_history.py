"""Who asked for how many replicas, and when: the last scalings of this project."""

from tradebot_ops.context import Ops
from tradebot_ops.model import Report, Section, Table
from tradebot_ops.operations.change import actor
from tradebot_ops.records import ScaleHistory, Scaling

KEPT = 200


def remember(ops: Ops, service: str, before: int, count: int, *, kept: bool) -> None:
    """``kept``: the next `up` keeps the number. Called by whoever holds the project's lock."""
    at = ops.clock().isoformat(timespec="seconds")
    scaling = Scaling(at, actor(ops), service, before, count, kept)
    ops.state.store(ScaleHistory((*_known(ops), scaling)[-KEPT:]))


def history(ops: Ops) -> Report:
    """The scalings that this host remembers, newest last."""
    known = _known(ops)
    if not known:
        return Report(data={"scalings": []}, sections=(Section(lines=("Nobody has scaled anything yet.",)),))
    rows = tuple(
        (row.at, row.by, row.service, f"{row.before} -> {row.after}", "yes" if row.kept else "until `up`")
        for row in known
    )
    table = Table(("at", "by", "service", "replicas", "kept"), rows)
    return Report(data=ScaleHistory(known).content(), sections=(Section(tables=(table,)),))


def _known(ops: Ops) -> tuple[Scaling, ...]:
    return ops.state.load(ScaleHistory).scalings
