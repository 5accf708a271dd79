"""Findings that stand out in a bundle: for machines, and in a few lines to paste into an issue. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from tradebot_ops.diagnostics.bundle.gather import Row

MOST = 5


def triage(files: Mapping[str, Any], rows: Sequence[Row]) -> dict[str, Any]:
    """``files`` are JSON values by name; what is missing is not found wanting, but named."""
    replicas = _mapping(files.get("replicas.json"))
    alerts = files.get("alerts/firing.json")
    errors = _mapping(files.get("errors.json")).get("groups") or []
    return {
        "about": _mapping(files.get("about.json")),
        "not_running": [name for name, each in replicas.items() if not _fine(each)],
        "unhealthy": [name for name, each in replicas.items() if each.get("health") == "unhealthy"],
        "restarted": {name: each["restarts"] for name, each in replicas.items() if each.get("restarts")},
        "firing": sorted({each["name"] for each in alerts if each.get("state") == "firing"})
        if isinstance(alerts, list)
        else None,
        "errors": [
            {"id": each["id"], "count": each["count"], **each["key"], "last": each["last"]} for each in errors[:MOST]
        ],
        "collectors": {row.collector: row.state for row in rows},
    }


def text(found: Mapping[str, Any]) -> str:
    """A dozen lines of Markdown."""
    about = found["about"]
    head = [str(about.get(name)) for name in ("tradebot", "engine", "python", "platform", "at")]
    lines = [
        "tradebot {} on {}, Python {}, {}, {}".format(*head),
        "",
        f"- not running: {_few(found['not_running'])}",
        f"- unhealthy: {_few(found['unhealthy'])}",
        f"- restarted: {_few([f'{name} {count} times' for name, count in found['restarted'].items()])}",
        f"- firing: {'not known' if found['firing'] is None else _few(found['firing'])}",
        "- errors of a day:" + ("" if found["errors"] else " none"),
    ]
    lines += [
        f"  - {each['count']} × {each['service']}: {each['event']} {each['exception']}".rstrip()
        for each in found["errors"]
    ]
    away = [name for name, state in found["collectors"].items() if state != "ok"]
    return "\n".join([*lines, f"- not or partly examined: {_few(away)}", ""])


def _fine(replica: Mapping[str, Any]) -> bool:
    """It runs, or did what it was there for and ended well."""
    return replica.get("state") == "running" or replica.get("exit_code") == 0


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:20]) + (" …" if len(names) > 20 else "") or "none"


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
