"""The addresses of everything an operator can open."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tradebot_ops.context import WEB_USER, Ops
from tradebot_ops.engines.base import State
from tradebot_ops.errors import OpsError
from tradebot_ops.model import Report, Section, Table
from tradebot_ops.text.sentences import ended

#: What an address shows, by service and the path behind it.
_PAGES = {
    "api": (("API", ""), ("API documentation", "/docs"), ("Dashboard", "/dashboard"), ("API metrics", "/metrics")),
    "worker": (("Worker metrics", "/metrics"),),
    "prometheus": (("Prometheus", ""),),
    "alertmanager": (("Alertmanager", ""),),
    "grafana": (("Grafana", ""),),
}


@dataclass(frozen=True)
class Account:
    """Who a page wants to see: a user (or what stands in its place) and the secret that is the password."""

    secret: str
    user: str = ""
    instead: str = ""


#: What asks for a login, by the page that it opens.
LOGINS = {
    "API": Account("api_key", instead="header X-API-Key"),
    "Dashboard": Account("api_key", instead="password alone"),
    "Prometheus": Account("prometheus_password", WEB_USER),
    "Alertmanager": Account("alertmanager_password", WEB_USER),
    "Grafana": Account("grafana_admin_password", "admin"),
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
        absent = ops.unavailable.get(name)
        reason = absent.message if absent else "It does not run."
        raise OpsError(f"{typed} cannot be opened: {ended(reason)}", code="TB-0115", hint="tradebot status")
    raise OpsError(f"There is no page {typed}.", code="TB-0214", hint=f"Pages: {', '.join(sorted(possible))}.")


def pages(ops: Ops) -> list[tuple[str, str]]:
    """Name and address of all that runs and is published, moved ports included."""
    rows = []
    for replica in ops.engine.list():
        if replica.state is not State.RUNNING:
            continue
        for published in replica.published:
            pages = _PAGES.get(replica.service, ((replica.service, ""),))
            place = published.address
            start = ops.url(replica.service, place) if replica.service in _PAGES else str(place)
            rows += [(name, f"{start}{path}") for name, path in pages]
    return rows


def urls(ops: Ops) -> Report:
    """Published addresses of running replicas, moved ports included, and whose password lies where; never a secret."""
    rows = pages(ops)
    if not rows:
        return Report(data=[], sections=(Section(lines=("Nothing runs. Start it with: tradebot up",)),))
    logins = {name: (LOGINS[name], _secret_file(ops, name)) for name, _ in rows if name in LOGINS}
    sections = [Section(tables=(Table(("what", "address"), tuple(rows)),))]
    if logins:
        sections.append(_logins(logins))
    data = [{"name": name, "url": url, **_login_data(*logins.get(name, (None, None)))} for name, url in rows]
    return Report(data=data, sections=tuple(sections))


def _logins(logins: Mapping[str, tuple[Account, Path]]) -> Section:
    """Names of files, where they lie in one folder: a path that wraps cannot be copied."""
    folders = {file.parent for _, file in logins.values()}
    cells = tuple(
        (name, login.user or login.instead, file.name if len(folders) == 1 else str(file))
        for name, (login, file) in logins.items()
    )
    lines = (f"The passwords are files in {folders.pop()}",) if len(folders) == 1 else ()
    return Section("Logins", lines, (Table(("to", "user", "password file"), cells),))


def _login_data(login: Account | None, file: Path | None) -> dict[str, str | None]:
    return {"user": (login.user or None) if login else None, "secret_file": str(file) if file else None}


def _secret_file(ops: Ops, page: str) -> Path:
    """The dashboard has a password of its own where the API is given one."""
    api = ops.stack.services.get("api")
    own = api.environment.get("DASHBOARD_PASSWORD_FILE") if api and page == "Dashboard" else None
    names = [mount.source for mount in api.secrets if mount.target == own] if api and own else []
    return ops.secret_file(names[0] if names else LOGINS[page].secret)
