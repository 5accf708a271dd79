"""An engine behind SSH as a local socket: each connection is Docker's own `ssh HOST docker system dial-stdio`.

The SDK can speak SSH itself, but without any deadline, and a hung host would hang every command.
"""

import shutil
import socket
import subprocess
import tempfile
import threading
import weakref
from collections import deque
from pathlib import Path
from urllib.parse import urlsplit

#: Never a question: nobody would see it. One handshake serves all connections of this process.
OPTIONS = ("-T", "-o", "BatchMode=yes", "-o", "ConnectTimeout=10", "-o", "ControlMaster=auto")


class Bridge:
    """Listens on a private socket for as long as it lives. ``said`` is what ssh wrote last, when it failed."""

    def __init__(self, host: str) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="tradebot-ssh-"))
        self._command = command(host, self._folder)
        self._said: deque[str] = deque(maxlen=5)
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(str(self._folder / "engine.sock"))
        self._server.listen(128)
        self.url = f"unix://{self._folder}/engine.sock"
        weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        threading.Thread(target=_serve, args=(self._server, self._command, self._said), daemon=True).start()

    @property
    def tried(self) -> list[str]:
        """What an operator can type to see the same failure."""
        return [*(word for word in self._command[:-2] if word not in OPTIONS and "ControlPath" not in word), "version"]

    @property
    def said(self) -> str:
        return "; ".join(self._said)


def command(host: str, folder: Path) -> list[str]:
    """The ssh command for ``ssh://user@name:port/path``; the path is that of the engine's socket there."""
    parts = urlsplit(host)
    words = ["ssh", *OPTIONS, "-o", f"ControlPath={folder}/%C"]
    if parts.username:
        words += ["-l", parts.username]
    if parts.port:
        words += ["-p", str(parts.port)]
    there = ["docker", *(["--host", f"unix://{parts.path}"] if parts.path.strip("/") else []), "system", "dial-stdio"]
    return [*words, "--", parts.hostname or "", *there]


def _serve(server: socket.socket, words: list[str], said: deque[str]) -> None:
    while True:
        try:
            connection, _ = server.accept()
        except OSError:
            return
        threading.Thread(target=_carry, args=(connection, words, said), daemon=True).start()


def _carry(connection: socket.socket, words: list[str], said: deque[str]) -> None:
    """The connection is ssh's own input and output, so nothing is copied here; it ends when either side does."""
    with connection:
        end = connection.fileno()
        try:
            process = subprocess.Popen(words, stdin=end, stdout=end, stderr=subprocess.PIPE, text=True)
        except OSError as error:
            said.append(f"{words[0]}: {error.strerror}")
            return
        # Closed only after the last word of ssh was heard, so that who sees the end also knows why.
        with process:
            said.extend(line.strip() for line in process.stderr or () if line.strip())
