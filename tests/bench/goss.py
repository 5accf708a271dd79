"""goss, asked the same about a running stack as prod-check: its ports, its HTTP answers, its processes.

In Debian unstable: ``.ci/fetch sid /opt/goss goss``, and /opt/goss/usr/bin on PATH.
"""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tradebot_ops.clients import probe
from tradebot_ops.context import Ops
from tradebot_ops.engines.inspection import Inspected
from tradebot_ops.facts.access.ports import seen
from tradebot_ops.facts.asking import Facts
from tradebot_ops.facts.replicas.containers import replicas

#: The checks that ask the same: replicas run, ports are open to whom they should be, each service answers.
SAME = ("SVC-01", "SEC-02", "API-01", "WRK-02", "MON-01")
#: Each page that those checks get, by service.
PAGES = {"api": "/health", "worker": "/metrics", "prometheus": "/-/ready", "alertmanager": "/-/ready",
         "node-exporter": "/metrics", "redis-exporter": "/metrics", "postgres-exporter": "/metrics"}  # fmt: skip


def program() -> str | None:
    return shutil.which("goss")


def write(ops: Ops, file: Path) -> int:
    """Write what goss shall find, as it is now; returns how many things that is. JSON is YAML, too."""
    facts = Facts(ops)
    running = [each for each in facts.required(replicas) if each.status == "running"]
    ports = facts.required(seen).ports
    wanted: dict[str, dict[str, Any]] = {
        "port": {f"tcp:{each.port}": {"listening": True, "ip": [each.address]} for each in ports},
        "http": dict(page for each in running for page in _pages(ops, each)),
        "process": {_short_name(each.pid): {"running": True} for each in running if each.pid},
    }
    file.write_text(json.dumps(wanted, indent=2), encoding="utf-8")
    return sum(map(len, wanted.values()))


def _short_name(pid: int) -> str:
    """As goss knows a process: by the 15 letters that the kernel keeps."""
    return Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip()


def _pages(ops: Ops, replica: Inspected) -> Iterator[tuple[str, dict[str, Any]]]:
    if path := PAGES.get(replica.service):
        declared = ops.stack.services[replica.service].probe
        port = declared.port if declared else 9091
        found = ops.engine.endpoint(replica.service, port, replica.number)
        yield f"http://{found}{path}", {"status": probe.status(found.host, found.port, path)}
