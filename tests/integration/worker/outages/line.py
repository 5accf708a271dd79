"""A line to a server that can be made slow, so that each answer comes so much later, or swallow what callers send."""

import contextlib
import socket
import threading
import time

CHUNK = 65_536


class Line:
    """Listens on ``port`` and passes everything on to the server at ``target``, a port of this host."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.delay_s = 0.0
        self.swallows = False
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                caller, _ = self._listener.accept()
                try:
                    server = socket.create_connection(("127.0.0.1", self._target))
                except OSError:
                    caller.close()
                    continue
                for source, sink, late in ((caller, server, False), (server, caller, True)):
                    threading.Thread(target=self._pass_on, args=(source, sink, late), daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket, late: bool) -> None:
        with contextlib.suppress(OSError):
            while chunk := source.recv(CHUNK):
                if late and self.delay_s:
                    time.sleep(self.delay_s)
                if not self.swallows:
                    sink.sendall(chunk)
        for each in (source, sink):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
