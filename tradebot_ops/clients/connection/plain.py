"""httpx for the stack's own services, which stand on this host or in a network of their own: plain HTTP, or TLS by the
project's own certificate."""

import ssl
from typing import Any

import httpx

from tradebot_ops.clients.connection import secured
from tradebot_ops.stack.model import Trust


def client(trust: Trust | None = None, **options: Any) -> httpx.Client:
    """A client without proxies of the environment. It trusts one authority alone, or no certificate: to read all that
    this host trusts takes longer than to ask ten questions."""
    if trust is None:
        return httpx.Client(trust_env=False, verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), **options)
    name = trust.name

    def expect(request: httpx.Request) -> None:
        request.extensions = {**request.extensions, "sni_hostname": name}

    hooks = {"request": [expect]}
    return httpx.Client(trust_env=False, verify=secured.context(trust), event_hooks=hooks, **options)
