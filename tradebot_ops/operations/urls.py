"""The addresses of everything an operator can open."""

from tradebot_ops.context import Ops
from tradebot_ops.engines.base import State
from tradebot_ops.errors import OpsError
from tradebot_ops.model import Report, Section, Table

#: What an address shows, by service and the path behind it.
_PAGES = {
    "api": (("API", ""), ("API documentation", "/docs"), ("Dashboard", "/dashboard"), ("API metrics", "/metrics")),
    "worker": (("Worker metrics", "/metrics"),),
    "prometheus": (("Prometheus", ""),),
    "alertmanager": (("Alertmanager", ""),),
    "grafana": (("Grafana", ""),),
}


#: What people type for a page.
_NAMES = {"docs": "API documentation", "metrics": "API metrics"}


def find(ops: Ops, typed: str) -> str:
    """The address of a page by its name. Raises ``OpsError`` TB-0214 for an unknown one, TB-0115 when it is down."""
    known = {name.lower(): url for name, url in pages(ops)}
    name = _NAMES.get(typed.lower(), typed).lower()
    if name in known:
        return known[name]
    possible = {page.lower() for group in _PAGES.values() for page, _ in group}
    if name in possible:
        reason = ops.unavailable.get(name, {}).get("message", "It does not run.")
        raise OpsError(f"{typed} cannot be opened: {reason}", code="TB-0115", hint="tradebot status")
    raise OpsError(f"There is no page {typed}.", code="TB-0214", hint=f"Pages: {', '.join(sorted(possible))}.")


def pages(ops: Ops) -> list[tuple[str, str]]:
    """Name and address of all that runs and is published, moved ports included."""
    rows = []
    for instance in ops.engine.list():
        if instance.state is not State.RUNNING:
            continue
        for published in instance.published:
            pages = _PAGES.get(instance.service, ((instance.service, ""),))
            scheme = "http://" if instance.service in _PAGES else ""
            rows += [(name, f"{scheme}{published.address}{path}") for name, path in pages]
    return rows


def urls(ops: Ops) -> Report:
    """Published addresses of running replicas, moved ports included."""
    rows = pages(ops)
    lines = () if rows else ("Nothing runs. Start it with: tradebot up",)
    tables = (Table(("what", "address"), tuple(rows)),) if rows else ()
    data = [{"name": name, "url": url} for name, url in rows]
    return Report("urls", data=data, sections=(Section(lines=lines, tables=tables),))
