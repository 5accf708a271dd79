"""The supervisor of one project: its configuration, its process, and XML-RPC over its unix socket.

Only names relative to the project's folder stand in the configuration: then neither spaces nor other characters
of the path can be misread, and the socket's path stays below the kernel's limit of 108 bytes.
"""

import contextlib
import http.client
import importlib.util
import os
import shlex
import socket
import subprocess
import sys
import time
import xmlrpc.client
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from tradebot_ops.engines.local import launch
from tradebot_ops.engines.local.layout import Layout
from tradebot_ops.engines.local.records import Record
from tradebot_ops.errors import OpsError
from tradebot_ops.state import ProjectState

#: Seconds the supervisor may take to answer or to start before it is reported as hung.
ANSWER_WITHIN = 15.0
#: A replica that lives this many seconds has started; dying earlier counts towards the crash-loop verdict.
STARTED_AFTER = 10
#: Restarts in a row before the verdict; the pauses between them are 1, 2, 3 … seconds.
START_RETRIES = 4

_HEADER = """\
; Written by tradebot; changes are lost.
[supervisord]
logfile=logs/supervisord.log
logfile_maxbytes=1MB
logfile_backups=2
loglevel=info
pidfile=supervisord.pid
umask=077
minfds=256
minprocs=1
nocleanup=true
{user}
[unix_http_server]
file=/proc/self/cwd/supervisor.sock
chmod=0600

[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
"""

_PROGRAM = """
[program:{name}]
command=/bin/sh launch {name}
autostart=false
autorestart={autorestart}
exitcodes=0
startsecs={startsecs}
startretries={retries}
stopsignal={signal}
stopwaitsecs={wait}
killasgroup=true
redirect_stderr=true
stdout_logfile=logs/{name}.log
stdout_logfile_maxbytes={log_size}
stdout_logfile_backups={log_backups}
"""


class NotRunning(Exception):  # noqa: N818 - a fact, caught where it is known what it means
    """Nothing listens on the supervisor's socket."""


def render_config(records: Iterable[Record], *, as_root: bool) -> str:
    """The whole configuration; a replica's command and environment are in its record, not here."""
    header = _HEADER.format(user="user=root\n" if as_root else "")
    return header + "".join(_render_program(record) for record in records)


def _render_program(record: Record) -> str:
    policy, _, retries = record.restart.partition(":")
    again = {"always": "true", "unless-stopped": "true", "on-failure": "unexpected"}.get(policy, "false")
    if record.one_shot:
        again = "false"
    return _PROGRAM.format(
        name=record.replica,
        autorestart=again,
        startsecs=0 if again == "false" else STARTED_AFTER,
        retries=int(retries) if retries.isdigit() else START_RETRIES,
        signal=record.stop_signal.removeprefix("SIG"),
        # The engine kills when the grace it was given has passed; this is for an engine that was killed itself.
        wait=int(record.stop_grace) + 60,
        log_size=record.log_size,
        log_backups=max(record.log_files - 1, 0),
    )


class Supervisor:
    """Starts, asks and ends the supervisor. Safe from several threads: every call opens its own connection."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._files = ProjectState(layout.base)

    def running(self) -> bool:
        """Whether something answers on the socket; a left-over socket file of a killed supervisor does not."""
        try:
            with _connected(self._layout.base):
                return True
        except NotRunning:
            return False

    def call(self, method: str, *arguments: Any) -> Any:
        """Ask ``supervisor.<method>``; raises ``NotRunning``, ``xmlrpc.client.Fault`` or ``OpsError`` TB-0402."""
        proxy = xmlrpc.client.ServerProxy("http://supervisor", transport=_Transport(self._layout.base))
        try:
            return getattr(proxy.supervisor, method)(*arguments)
        except (TimeoutError, http.client.HTTPException, xmlrpc.client.ProtocolError) as error:
            raise OpsError(
                f"The supervisor of this project stopped answering ({error or type(error).__name__}).",
                code="TB-0402",
                hint=f"See {self._layout.history}; `kill {self.pid() or 'PID'}` ends it and all services.",
            ) from error
        except ConnectionError as error:
            raise NotRunning from error
        finally:
            proxy("close")()

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
                code="TB-0802",
                hint=f"See {self._layout.config}.",
            ) from fault
        for name in (*removed, *changed):
            self.call("removeProcessGroup", name)
        for name in (*added, *changed):
            self.call("addProcessGroup", name)

    def start(self) -> None:
        """Start it detached from this terminal and wait until it answers."""
        if importlib.util.find_spec("supervisor") is None:
            raise OpsError(
                "The local engine needs the Python package supervisor, which is not installed.",
                code="TB-0401",
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
                code="TB-0401",
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
                        code="TB-0401",
                        hint=f"See {self._layout.history}.",
                    ) from None
                time.sleep(0.02)
            else:
                return


def _launch_script() -> str:
    """A shell script, because the interpreter's path may hold characters the supervisor's configuration cannot.

    It counts the start first: the supervisor tells of restarts in its log alone.
    """
    words = [sys.executable, "-I", "-S", str(Path(launch.__file__).absolute())]
    return f'printf . >> "starts/$1"\nexec {shlex.join(words)} "$1"\n'


class _Transport(xmlrpc.client.Transport):
    """XML-RPC over the unix socket of one folder."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder

    def make_connection(self, host: Any) -> http.client.HTTPConnection:
        connection = self._connection[1] or _Connection(self._folder)
        self._connection = host, connection
        return connection


class _Connection(http.client.HTTPConnection):
    def __init__(self, folder: Path) -> None:
        super().__init__("supervisor", timeout=ANSWER_WITHIN)
        self._folder = folder

    def connect(self) -> None:
        with _connected(self._folder) as connection:
            self.sock = connection.dup()


@contextlib.contextmanager
def _connected(folder: Path) -> Iterator[socket.socket]:
    """A connection to the socket in ``folder``, reached through an open folder because its path may be too long."""
    try:
        handle = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        raise NotRunning from None
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(ANSWER_WITHIN)
            try:
                connection.connect(f"/proc/self/fd/{handle}/supervisor.sock")
            except (FileNotFoundError, ConnectionRefusedError):
                raise NotRunning from None
            yield connection
    finally:
        os.close(handle)
