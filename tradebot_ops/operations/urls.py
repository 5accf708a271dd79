"""The addresses of everything an operator can open."""

from tradebot_ops.context import Ops
from tradebot_ops.engines.base import State
from tradebot_ops.model import Report, Section, Table

#: What an address shows, by service and the path behind it.
_PAGES = {
    "api": (("API", ""), ("API documentation", "/docs"), ("Dashboard", "/dashboard"), ("API metrics", "/metrics")),
    "worker": (("Worker metrics", "/metrics"),),
}


def urls(ops: Ops) -> Report:
    """Published addresses of running replicas, moved ports included."""
    rows = []
    for instance in ops.engine.list():
        if instance.state is not State.RUNNING:
            continue
        for published in instance.published:
            pages = _PAGES.get(instance.service, ((instance.service, ""),))
            scheme = "http://" if instance.service in _PAGES else ""
            rows += [(name, f"{scheme}{published.address}{path}") for name, path in pages]
    lines = () if rows else ("Nothing runs. Start it with: tradebot up",)
    tables = (Table(("what", "address"), tuple(rows)),) if rows else ()
    data = [{"name": name, "url": url} for name, url in rows]
    return Report("urls", data=data, sections=(Section(lines=lines, tables=tables),))
