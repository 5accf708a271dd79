"""httpx for the stack's own services, which stand on this host or in a network of their own and speak plain HTTP."""

import ssl
from typing import Any

import httpx


def client(**options: Any) -> httpx.Client:
    """A client without proxies of the environment. It trusts no certificate: to read all that this host trusts takes
    longer than to ask ten questions, and nobody here shows one."""
    return httpx.Client(trust_env=False, verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), **options)
