"""Who reaches whom: asked inside the API and the workers, whose names and networks count, and of Prometheus."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tradebot_ops.context import Ops
from tradebot_ops.engines.base import Replica, State
from tradebot_ops.errors import NotRunning, OpsError
from tradebot_ops.facts import engine
from tradebot_ops.facts.fact import NotApplicable, Skip, fact
from tradebot_ops.facts.metrics import config_files
from tradebot_ops.stack.model import Stack

#: Resolves and connects, with TLS where asked; arguments are HOST:PORT[:tls] or the name of a variable with a URL.
_CONNECT = """
import json, os, socket, sys
from urllib.parse import urlsplit
def connect(host, port, tls):
    with socket.create_connection((host, port), timeout=3) as plain:
        if tls:
            import ssl
            with ssl.create_default_context().wrap_socket(plain, server_hostname=host): pass
answers = []
for word in sys.argv[1:]:
    if word in os.environ:
        url = urlsplit(os.environ[word]); host, port, tls = url.hostname, url.port, False
    elif ":" in word:
        parts = word.split(":"); host, port, tls = parts[0], int(parts[1]), len(parts) > 2
    else:
        continue
    try:
        connect(host, port, tls); why = ""
    except Exception as error:
        why = f"{type(error).__name__}: {error}"
    answers.append([f"{host}:{port}", why])
print(json.dumps(answers))
"""
_STORES = ("REDIS_URL", "DATABASE_URL")
_ASKERS = ("api", "worker")
_NETWORK_ERRORS = ("dial tcp", "no such host", "connection refused", "deadline exceeded", "no route")
#: Where these receivers of Alertmanager send to when no other address is configured.
_HOSTED = {"pagerduty_configs": "events.pagerduty.com:443:tls", "opsgenie_configs": "api.opsgenie.com:443:tls"}
_SECRETS = "/run/secrets/"


@dataclass(frozen=True)
class Connection:
    """``why`` is empty where it works."""

    source: str
    target: str
    why: str


@fact(seconds=25, of=(engine.replicas,))
def inside(ops: Ops, replicas: tuple[Replica, ...]) -> tuple[Connection, ...]:
    """From the API and a worker to both stores, and from Prometheus to what it scrapes."""
    found = _asked(ops, replicas, _STORES)
    try:
        targets = ops.prometheus.targets()
    except NotRunning:
        return found
    return (*found, *(Connection("prometheus-1", t.url, t.last_error) for t in targets if _of_network(t.last_error)))


def _of_network(why: str) -> bool:
    return any(word in why for word in _NETWORK_ERRORS)


@fact(seconds=25, of=(engine.replicas,))
def outside(ops: Ops, replicas: tuple[Replica, ...]) -> tuple[Connection, ...]:
    """From the API and a worker to every name outside the stack that the configuration holds."""
    wanted = sorted(set(_external(ops)))
    if not wanted:
        raise NotApplicable(Skip.ADAPTER, "No exchange, webhook or mail server is configured.")
    return _asked(ops, replicas, wanted)


def _asked(ops: Ops, replicas: tuple[Replica, ...], targets: Any) -> tuple[Connection, ...]:
    running = [each for each in replicas if each.state is State.RUNNING and each.service in _ASKERS]
    first = {each.service: each for each in reversed(running)}
    if not first:
        raise NotRunning("Neither the API nor a worker runs.", hint="tradebot up")
    found: list[Connection] = []
    for replica in first.values():
        answer = ops.engine.exec(replica, ["python", "-S", "-c", _CONNECT, *targets], timeout=20)
        try:
            pairs = json.loads(answer.output.strip().splitlines()[-1])
        except (ValueError, IndexError):
            raise OpsError(f"Python in {replica.label} did not answer: exit code {answer.exit_code}.") from None
        found += [Connection(replica.label, target, why) for target, why in pairs]
    return tuple(found)


def _external(ops: Ops) -> Iterator[str]:
    """Names of Alertmanager's receivers; of a secret address only host and port are kept."""
    own = {*ops.stack.services, *ops.stack.inactive, "localhost", "127.0.0.1"}
    path = _alertmanager_file(ops.stack)
    if path is None or not path.exists():
        return
    for name, value in _leaves(config_files.mapping(path)):
        target = _HOSTED.get(name) or _target(ops, name, value)
        if target and target.partition(":")[0] not in own:
            yield target


def _alertmanager_file(stack: Stack) -> Path | None:
    service = stack.services.get("alertmanager")
    mounts = service.mounts if service else ()
    return next((Path(m.source) / "alertmanager.yml" for m in mounts if m.target == "/etc/alertmanager"), None)


def _leaves(node: Any, name: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(node, Mapping):
        for key, child in node.items():
            if key in _HOSTED and child:
                yield str(key), ""
            yield from _leaves(child, str(key))
    elif isinstance(node, list):
        for child in node:
            yield from _leaves(child, name)
    elif isinstance(node, str):
        yield name, node


def _target(ops: Ops, name: str, value: str) -> str:
    if name in {"smarthost", "smtp_smarthost"}:
        host, _, port = value.rpartition(":")
        return f"{host}:{port}" if host and port.isdigit() else ""
    if name in {"url_file", "api_url_file", "webhook_url_file"} and value.startswith(_SECRETS):
        value = ops.secret(value.removeprefix(_SECRETS)).reveal()
    elif name not in {"url", "api_url", "webhook_url"}:
        return ""
    url = urlsplit(value)
    if not url.hostname:
        return ""
    tls = url.scheme == "https"
    return f"{url.hostname}:{url.port or (443 if tls else 80)}{':tls' if tls else ''}"
