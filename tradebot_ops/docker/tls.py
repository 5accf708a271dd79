"""An engine behind TLS as a plain local socket, for connections that an upgrade turns into a command's streams.

Python's TLS sockets can neither signal the other side that nothing more will come and go on reading, nor be read and
written by two threads safely. Both is what a command with piped input needs, and the SDK has nothing else; so TLS is
done here over memory.
"""

import contextlib
import shutil
import socket
import ssl
import tempfile
import threading
import weakref
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from tradebot_ops.docker.locate import Location

CHUNK = 65536
DEFAULT_PORT = 2376


class TlsBridge:
    """Listens on a private socket for as long as it lives; ``seconds`` bound the connection and its handshake."""

    def __init__(self, location: Location, seconds: float) -> None:
        folder = Path(tempfile.mkdtemp(prefix="tradebot-tls-"))
        server = socket.socket(socket.AF_UNIX)
        server.bind(str(folder / "engine.sock"))
        server.listen(16)
        self.url = f"unix://{folder}/engine.sock"
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        threading.Thread(target=_serve, args=(server, location, seconds), daemon=True, name="tradebot-tls").start()


def _serve(server: socket.socket, location: Location, seconds: float) -> None:
    while True:
        plain, _ = server.accept()
        threading.Thread(target=_carry, args=(plain, location, seconds), daemon=True, name="tradebot-tls").start()


def _carry(plain: socket.socket, location: Location, seconds: float) -> None:
    """Copy both ways until the engine ends it. A failure closes the connection, which the other side notices."""
    with plain, contextlib.suppress(OSError):
        try:
            with Secured(location, seconds) as secured:
                threading.Thread(target=_send, args=(plain, secured), daemon=True, name="tradebot-tls").start()
                while data := secured.receive():
                    plain.sendall(data)
        finally:
            # Closing alone would not wake the thread that waits for more to send.
            plain.shutdown(socket.SHUT_RDWR)


def _send(plain: socket.socket, secured: "Secured") -> None:
    with contextlib.suppress(OSError):
        while data := plain.recv(CHUNK):
            secured.send(data)
        secured.end()


class Secured:
    """A TLS connection of which each direction is its own: one thread sends, another receives. Raises ``OSError``."""

    def __init__(self, location: Location, seconds: float) -> None:
        address = urlsplit(location.host)
        host = address.hostname or ""
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context(location).wrap_bio(self._incoming, self._outgoing, server_hostname=host)
        self._guard = threading.Lock()
        self._ready, self._ended = b"", False
        self._socket = socket.create_connection((host, address.port or DEFAULT_PORT), seconds)
        try:
            self._shake_hands()
        except OSError:
            self._socket.close()
            raise
        self._socket.settimeout(None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def _shake_hands(self) -> None:
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                self._flush()
                if not (came := self._socket.recv(CHUNK)):
                    raise ConnectionResetError("the engine ended the connection") from None
                self._incoming.write(came)
            else:
                return self._flush()

    def _flush(self) -> None:
        self._socket.sendall(self._outgoing.read())

    def send(self, data: bytes) -> None:
        """Encrypt and send; waits outside the lock, so that receiving goes on meanwhile."""
        with self._guard:
            self._tls.write(data)
        self._flush()

    def end(self) -> None:
        """Signal that nothing more will be sent; what the engine still sends can be received."""
        with self._guard:
            # Saying goodbye reads, too, and would drop what came and was not taken yet.
            self._decrypt()
            with contextlib.suppress(ssl.SSLWantReadError):
                self._tls.unwrap()
        self._flush()

    def receive(self) -> bytes:
        """The next data, empty at the end."""
        while True:
            with self._guard:
                self._decrypt()
                if self._ready or self._ended:
                    data, self._ready = self._ready, b""
                    return data
            came = self._socket.recv(CHUNK)
            with self._guard:
                self._incoming.write(came) if came else self._incoming.write_eof()

    def _decrypt(self) -> None:
        """Take whatever came whole; the lock is the caller's."""
        try:
            while not self._ended:
                data = self._tls.read(CHUNK)
                self._ready += data
                self._ended = not data
        except ssl.SSLWantReadError:
            return
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
            self._ended = True


def context(location: Location) -> ssl.SSLContext:
    """The certificate that this side shows and the authority that it trusts, as the files beside each other say."""
    folder = location.tls or Path()
    authority, cert, key = (folder / name for name in ("ca.pem", "cert.pem", "key.pem"))
    made = ssl.create_default_context(cafile=str(authority) if authority.exists() else None)
    if not authority.exists():
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    if cert.exists():
        made.load_cert_chain(cert, key)
    return made
