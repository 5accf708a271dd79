"""The supervisor of one project: its process, and the questions put to it."""

import contextlib
import http.client
import importlib.util
import os
import shlex
import subprocess
import sys
import time
import xmlrpc.client
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tradebot_ops.engines.local.layout import Layout
from tradebot_ops.engines.local.records import Record
from tradebot_ops.engines.local.supervision import launch
from tradebot_ops.engines.local.supervision.config import render_config
from tradebot_ops.engines.local.supervision.rpc import ANSWER_WITHIN, NotRunning, connected, proxy
from tradebot_ops.errors import OpsError
from tradebot_ops.private_folder import PrivateFolder


class Supervisor:
    """Starts, asks and ends the supervisor. Safe from several threads: every call opens its own connection."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._files = PrivateFolder(layout.base)

    def running(self) -> bool:
        """Whether something answers on the socket; a left-over socket file of a killed supervisor does not."""
        try:
            with connected(self._layout.base):
                return True
        except NotRunning:
            return False

    def call(self, method: str, *arguments: Any) -> Any:
        """Ask ``supervisor.<method>``; raises ``NotRunning``, ``xmlrpc.client.Fault`` or ``OpsError`` TB-0409."""
        server = proxy(self._layout.base)
        try:
            return getattr(server.supervisor, method)(*arguments)
        except (TimeoutError, http.client.HTTPException, xmlrpc.client.ProtocolError) as error:
            raise OpsError(
                f"The supervisor of this project stopped answering ({error or type(error).__name__}).",
                code="TB-0409",
                hint=f"See {self._layout.history}; `kill {self.pid() or 'PID'}` ends it and all services.",
            ) from error
        except ConnectionError as error:
            raise NotRunning from error
        finally:
            server("close")()

    def pid(self) -> int | None:
        """The process id it wrote; it may be gone."""
        try:
            return int(self._layout.pidfile.read_text(encoding="ascii"))
        except (OSError, ValueError):
            return None

    def configure(self, records: Iterable[Record]) -> None:
        """Write the configuration; a running supervisor learns it by ``reload``."""
        self._files.write("supervisord.conf", render_config(records, as_root=os.geteuid() == 0))

    def reload(self) -> None:
        """Take over what was added, changed or removed; replicas that stay as they were keep running."""
        try:
            [[added, changed, removed]] = self.call("reloadConfig")
        except xmlrpc.client.Fault as fault:
            raise OpsError(
                f"The supervisor refused its configuration: {fault.faultString}.",
                code="TB-0832",
                hint=f"See {self._layout.config}.",
            ) from fault
        for name in (*removed, *changed):
            # One that runs keeps what it was started with until it is stopped.
            with contextlib.suppress(xmlrpc.client.Fault):
                self.call("removeProcessGroup", name)
        for name in (*added, *changed):
            with contextlib.suppress(xmlrpc.client.Fault):
                self.call("addProcessGroup", name)

    def start(self) -> None:
        """Start it detached from this terminal and wait until it answers."""
        if importlib.util.find_spec("supervisor") is None:
            raise OpsError(
                "The local engine needs the Python package supervisor, which is not installed.",
                code="TB-0404",
                hint="Install it: pip install 'tradebot-ops[local]'",
            )
        self._files.write("launch", _launch_script())
        # It becomes a daemon of its own session once it listens, so a quick exit 0 means "ready to be asked".
        done = subprocess.run(
            [sys.executable, "-P", "-m", "supervisor.supervisord", "-c", "supervisord.conf"],
            cwd=self._layout.base,
            env={"PATH": os.environ.get("PATH", os.defpath), "PYTHONUTF8": "1", "TZ": "UTC"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
            timeout=ANSWER_WITHIN * 2,
            start_new_session=True,
            umask=0o077,
        )
        if done.returncode != 0:
            lines = done.stdout.decode(errors="replace").strip().splitlines()
            raise OpsError(
                f"The supervisor did not start (exit code {done.returncode}).",
                code="TB-0407",
                hint=f"See {self._layout.history}.",
                detail=tuple(lines[-5:]),
            )
        self._await_answer()

    def shutdown(self) -> None:
        """End it, and with it every replica still running; waits until the process is gone."""
        import psutil

        try:
            process = psutil.Process(self.call("getPID"))
            if any(info["pid"] for info in self.call("getAllProcessInfo")):
                self.call("shutdown")
            else:
                process.kill()  # with nothing left to stop it would only take another second to end politely
            deadline = time.monotonic() + ANSWER_WITHIN
            # Not every container's first process collects the dead promptly: a zombie has ended, too.
            while process.status() != psutil.STATUS_ZOMBIE and time.monotonic() < deadline:
                time.sleep(0.01)
        except (NotRunning, psutil.NoSuchProcess):
            pass  # it ended by itself, or was never there
        for leftover in (self._layout.socket, self._layout.pidfile):
            leftover.unlink(missing_ok=True)

    def _await_answer(self) -> None:
        deadline = time.monotonic() + ANSWER_WITHIN
        while True:
            try:
                self.call("getPID")
            except NotRunning:
                if time.monotonic() > deadline:
                    raise OpsError(
                        "The supervisor ended right after its start.",
                        code="TB-0407",
                        hint=f"See {self._layout.history}.",
                    ) from None
                time.sleep(0.02)
            else:
                return


def _launch_script() -> str:
    """A shell script, because the interpreter's path may hold characters the supervisor's configuration cannot.

    It counts the start first: the supervisor reports restarts in its log alone.
    """
    words = [sys.executable, "-I", "-S", str(Path(launch.__file__).absolute())]
    return f'printf . >> "starts/$1"\nexec {shlex.join(words)} "$1"\n'
