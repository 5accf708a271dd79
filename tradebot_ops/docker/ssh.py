"""An engine behind SSH as a local socket: each connection is Docker's own `ssh HOST docker system dial-stdio`.

The SDK can speak SSH itself, but without any deadline, and a hung host would hang every command; so the bridge is ours.
"""

import contextlib
import shutil
import socket
import subprocess
import tempfile
import threading
import time
import weakref
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

#: Never a question: nobody would see it. One handshake serves all connections of this process.
OPTIONS = ("-T", "-o", "BatchMode=yes", "-o", "ConnectTimeout=10", "-o", "ControlMaster=auto")
#: By default a server lets ten sessions share one handshake, and turns some of ten handshakes at once away.
SESSIONS = 8
HANDSHAKE_SECONDS = 10.0


@dataclass
class Handshake:
    """One that several sessions share; ssh makes the file at ``path`` once they can."""

    path: Path
    sessions: int = 0
    opening: threading.Lock = field(default_factory=threading.Lock)

    def settled(self, process: subprocess.Popen[str]) -> None:
        """Wait until others can share it, or it is clear that they cannot."""
        deadline = time.monotonic() + HANDSHAKE_SECONDS
        while not self.path.exists() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)


class Handshakes:
    """As many as there are sessions for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._guard = threading.Lock()
        self._all: list[Handshake] = []

    @contextlib.contextmanager
    def session(self) -> Iterator[Handshake]:
        """A handshake with room for one more, for as long as that lasts."""
        with self._guard:
            chosen = next((each for each in self._all if each.sessions < SESSIONS), None)
            if chosen is None:
                chosen = Handshake(self._folder / f"ssh-{len(self._all)}")
                self._all.append(chosen)
            chosen.sessions += 1
        try:
            yield chosen
        finally:
            with self._guard:
                chosen.sessions -= 1


class Bridge:
    """Listens on a private socket for as long as it lives. ``complaint`` is what ssh wrote last, when it failed."""

    def __init__(self, host: str) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="tradebot-ssh-"))
        self._command = command(host)
        self._written: deque[str] = deque(maxlen=5)
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(str(self._folder / "engine.sock"))
        self._server.listen(128)
        self.url = f"unix://{self._folder}/engine.sock"
        weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        handshakes = Handshakes(self._folder)
        threading.Thread(
            target=_serve, args=(self._server, self._command, handshakes, self._written), daemon=True
        ).start()

    @property
    def tried(self) -> list[str]:
        """The command with which an operator sees the same failure."""
        return [*(word for word in self._command[:-2] if word not in OPTIONS), "version"]

    @property
    def complaint(self) -> str:
        return "; ".join(self._written)


def command(host: str) -> list[str]:
    """The ssh command for ``ssh://user@name:port/path``; the path is that of the engine's socket there."""
    parts = urlsplit(host)
    words = ["ssh", *OPTIONS]
    if parts.username:
        words += ["-l", parts.username]
    if parts.port:
        words += ["-p", str(parts.port)]
    there = ["docker", *(["--host", f"unix://{parts.path}"] if parts.path.strip("/") else []), "system", "dial-stdio"]
    return [*words, "--", parts.hostname or "", *there]


def _serve(server: socket.socket, words: list[str], handshakes: Handshakes, written: deque[str]) -> None:
    while True:
        try:
            connection, _ = server.accept()
        except OSError:
            return
        threading.Thread(target=_carry, args=(connection, words, handshakes, written), daemon=True).start()


def _carry(connection: socket.socket, words: list[str], handshakes: Handshakes, written: deque[str]) -> None:
    """The connection is ssh's own input and output, so nothing is copied here; it ends when either side does."""
    with connection, handshakes.session() as handshake:
        end = connection.fileno()
        shared = [words[0], "-o", f"ControlPath={handshake.path}", *words[1:]]
        try:
            with handshake.opening:
                process = subprocess.Popen(shared, stdin=end, stdout=end, stderr=subprocess.PIPE, text=True)
                handshake.settled(process)
        except OSError as error:
            written.append(f"{words[0]}: {error.strerror}")
            return
        # Closed only after the last word of ssh was heard, so that who sees the end also knows why.
        with process:
            written.extend(line.strip() for line in process.stderr or () if line.strip())
