"""Does a port speak TLS, and is its certificate good? One handshake each."""

import socket
import ssl
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path


@dataclass(frozen=True)
class Certificate:
    """``fault`` says why its chain is not trusted, empty where it is; then ``expires`` is known."""

    fault: str
    expires: datetime | None = None


def trusted(authorities: Iterable[Path] = ()) -> ssl.SSLContext:
    """Trust in what this host trusts, with SSL_CERT_FILE where that is set, and in these; read once for all ports.

    The name on a certificate is not compared: this host reaches the port by another one.
    """
    context = ssl.create_default_context()
    for authority in authorities:
        with suppress(OSError):  # of one that cannot be read, no certificate is trusted
            context.load_verify_locations(authority)
    context.check_hostname = False
    return context


def ask(context: ssl.SSLContext, host: str, port: int, timeout: float = 3.0) -> Certificate | None:
    """None where nobody speaks TLS."""
    try:
        with (
            socket.create_connection((host, port), timeout) as plain,
            context.wrap_socket(plain) as secured,
        ):
            found = secured.getpeercert() or {}
    except ssl.SSLCertVerificationError as error:
        return Certificate(error.verify_message)
    except ssl.SSLError as error:
        return None if _speaks_no_tls(error) else Certificate(error.reason or str(error))
    except OSError:
        return None
    return Certificate("", datetime.fromtimestamp(ssl.cert_time_to_seconds(str(found["notAfter"])), UTC))


def _speaks_no_tls(error: ssl.SSLError) -> bool:
    """An answer that is no record of TLS, or none at all."""
    no_record = (
        "WRONG_VERSION_NUMBER",
        "UNEXPECTED_EOF_WHILE_READING",
        "RECORD_LAYER_FAILURE",
        "PACKET_LENGTH_TOO_LONG",
    )
    return error.reason in no_record or isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError)
