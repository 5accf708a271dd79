"""Whether the data stores can be reached from a container that is not of this stack: tried from one."""

import json
from collections.abc import Mapping

from tradebot_ops.context import Ops
from tradebot_ops.engines.base import Replica, StandsOutside, State
from tradebot_ops.errors import NotRunning, OpsError
from tradebot_ops.facts import engine
from tradebot_ops.facts.fact import Effect, NotApplicable, Skip, fact

#: The port of each, and the service whose image has a Python to ask with.
STORES = {"redis": 6379, "postgres": 5432}
ASKER = "api"
_ADDRESSES = """
import json, socket, sys
print(json.dumps({name: socket.gethostbyname(name) for name in sys.argv[1:]}))
"""
_CONNECT = """
import json, socket, sys
from concurrent.futures import ThreadPoolExecutor
def connect(word):
    host, _, port = word.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=2).close()
        return ""
    except OSError as error:
        return str(error) or type(error).__name__
words = sys.argv[1:]
print(json.dumps(dict(zip(words, ThreadPoolExecutor().map(connect, words)))))
"""


@fact(seconds=45, of=(engine.replicas,), effect=Effect.WRITES)
def stores(ops: Ops, replicas: tuple[Replica, ...]) -> Mapping[str, str]:
    """By store: empty where a stranger connected, else why it did not. Tried from a scratch container outside, and from
    the API first: only that this works gives the other a meaning.
    """
    if not isinstance(ops.engine, StandsOutside):
        raise NotApplicable(
            Skip.ENGINE, "Services run as processes of this host here; there is no network of their own."
        )
    api = next((each for each in replicas if each.service == ASKER and each.state is State.RUNNING), None)
    if api is None:
        raise NotRunning("The API does not run, and where the stores are is asked there.", hint="tradebot up")
    names = [name for name in STORES if name in ops.stack.services]
    addresses = _answered(ops.engine.exec(api, ["python", "-c", _ADDRESSES, *names], timeout=10).output)
    targets = [f"{addresses[name]}:{STORES[name]}" for name in names]
    command = ["python", "-c", _CONNECT, *targets]
    inside = _answered(ops.engine.exec(api, command, timeout=15).output)
    if why := next((f"{target}: {why}" for target, why in inside.items() if why), ""):
        raise OpsError(f"The API itself does not reach {why}.", hint="tradebot status")
    outside = _answered(ops.engine.ask_outside(ops.stack.services[ASKER].image, command))
    return {name: outside[target] for name, target in zip(names, targets, strict=True)}


def _answered(output: str) -> dict[str, str]:
    try:
        return dict(json.loads(output.strip().splitlines()[-1]))
    except (ValueError, IndexError):
        raise OpsError(f"Python in a container answered {output.strip()[-120:]!r}.", hint="tradebot status") from None
