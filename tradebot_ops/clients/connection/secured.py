"""TLS to the stack's own services: whom to trust, and why a certificate was refused."""

import http.client
import ssl

from tradebot_ops.errors import OpsError
from tradebot_ops.stack.model import Trust

_NO_TLS = frozenset({"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG"})


def context(trust: Trust) -> ssl.SSLContext:
    """Trust in this authority and in no other. Raises ``OpsError`` TB-0878 without its certificate."""
    found = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        found.load_verify_locations(trust.ca)
    except OSError as error:
        why = "it holds no certificate" if isinstance(error, ssl.SSLError) else error.strerror
        raise OpsError(
            f"The authority that clients of this stack trust cannot be read from {trust.ca}: {why}.",
            code="TB-0878",
            hint="tradebot tls show; if there is none: tradebot tls create, then tradebot restart",
        ) from None
    return found


def connection(host: str, port: int | None, timeout: float, trust: Trust | None) -> http.client.HTTPConnection:
    """A connection not yet opened; without ``trust`` a plain one."""
    if trust is None:
        return http.client.HTTPConnection(host, port, timeout=timeout)
    return _Secured(host, port, timeout, trust)


def refusal(error: BaseException) -> str:
    """Why TLS failed, from the error that came of it; empty for any other failure."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, ssl.SSLCertVerificationError):
            return f"its certificate is not trusted: {seen.verify_message.rstrip('.')}"
        if isinstance(seen, ssl.SSLError) and seen.reason in _NO_TLS:
            return "it speaks no TLS; did API_SCHEME or MONITORING_SCHEME change? `tradebot up` puts it into force"
        seen = seen.__cause__ or seen.__context__
    return ""


class _Secured(http.client.HTTPSConnection):
    """Compares the certificate with the service's name; its address is another one on each host."""

    def __init__(self, host: str, port: int | None, timeout: float, trust: Trust) -> None:
        self._trusted, self._name = context(trust), trust.name
        super().__init__(host, port, timeout=timeout, context=self._trusted)

    def connect(self) -> None:
        http.client.HTTPConnection.connect(self)
        self.sock = self._trusted.wrap_socket(self.sock, server_hostname=self._name)
