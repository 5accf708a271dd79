"""TLS on the ports that this host shows: tried at each."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from ssl import SSLContext

from tradebot_ops.clients import certificates, probe
from tradebot_ops.clients.certificates import Certificate
from tradebot_ops.context import Ops
from tradebot_ops.errors import Unreachable
from tradebot_ops.facts.access import ports
from tradebot_ops.facts.access.ports import Seen, Shown
from tradebot_ops.facts.fact import fact


@dataclass(frozen=True)
class Secured:
    """``certificate`` is None where the port speaks no TLS; ``plain`` is the HTTP status of a request without it, 0 for
    no answer."""

    shown: Shown
    certificate: Certificate | None
    plain: int = 0


@fact(seconds=20, of=(ports.seen,))
def secured(ops: Ops, seen: Seen) -> tuple[Secured, ...]:
    """Of every published port."""
    published = [each for each in seen.ports if each.published and each.port]
    context = certificates.trusted({trust.ca for name in ops.stack.services if (trust := ops.trust(name))})
    with ThreadPoolExecutor(16) as pool:
        return tuple(pool.map(lambda each: _secured(context, each), published))


def _secured(context: SSLContext, shown: Shown) -> Secured:
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(shown.address, shown.address)  # noqa: S104 - not bound, asked
    certificate = certificates.ask(context, host, shown.port)
    return Secured(shown, certificate, _plain(host, shown.port) if certificate else 0)


def _plain(host: str, port: int) -> int:
    try:
        return probe.status(host, port, "/")
    except Unreachable:
        return 0
