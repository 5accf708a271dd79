"""Connections: who reaches whom, inside and out, and which ports listen."""

from collections.abc import Sequence

from tradebot_ops.diagnostics.topic import Topic, View, look, wrong
from tradebot_ops.facts.access import connections, ports
from tradebot_ops.model import Table

TOPIC = Topic("net", "Connections", order=75)


@look(asks=(connections.inside,))
def inside(found: Sequence[connections.Connection]) -> View:
    return _view(found, "tradebot status")


@look(asks=(connections.outside,))
def outside(found: Sequence[connections.Connection]) -> View:
    return _view(found, "Check DNS and the firewall of this host.")


@look(asks=(ports.seen,))
def listening(found: ports.Seen) -> View:
    return View(table=listeners(found.ports))


def listeners(found: Sequence[ports.Shown]) -> Table:
    """Who listens where on this host, by port."""
    rows = tuple(
        (str(each.port), each.address, each.replica, str(each.target), ", ".join(each.reached) or "this host alone")
        for each in sorted(found, key=lambda each: (each.port, each.replica))
    )
    return Table(("port", "address", "replica", "its port", "reached from"), rows)


def _view(found: Sequence[connections.Connection], hint: str) -> View:
    rows = tuple((each.source, each.target, each.why or "reached") for each in found)
    problems = tuple(
        wrong(f"{each.source} does not reach {each.target}: {each.why.rstrip('.')}.", hint)
        for each in found
        if each.why
    )
    return View(table=Table(("from", "to", "answer"), rows), problems=problems)
