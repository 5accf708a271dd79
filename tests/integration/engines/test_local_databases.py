"""Redis and Postgres started by the local engine, and spoken to as a client would."""

import hashlib
import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg
import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.waiting import until
from tradebot_ops.engines.base import State
from tradebot_ops.engines.local import LocalEngine
from tradebot_ops.engines.local.launching import pgbinaries, unprivileged
from tradebot_ops.errors import OpsError
from tradebot_ops.stack.model import Mount, MountKind, Probe, SecretFile, SecretMount, Service, Stack, Volume
from tradebot_ops.state import ProjectState

pytestmark = pytest.mark.integration

PASSWORD = "Gehe:im\\nis #%"


@dataclass
class Databases:
    engine: LocalEngine
    state: ProjectState
    stack: Stack

    def up(self, service: str) -> None:
        self.engine.prepare(self.stack, lambda _service, _line: None)
        self.engine.apply(self.stack, service, 1)

    def postgres(self, password: str = PASSWORD) -> psycopg.Connection[tuple[object, ...]]:
        address = self.engine.endpoint("postgres", 5432)
        return psycopg.connect(
            host=address.host,
            port=address.port,
            user="trader",
            dbname="market",
            password=password,
            connect_timeout=5,
            autocommit=True,
        )

    def redis(self, password: str = PASSWORD) -> redis.Redis:
        address = self.engine.endpoint("redis", 6379)
        return redis.Redis(address.host, address.port, password=password, retry=Retry(NoBackoff(), 0))


@pytest.fixture
def databases(tmp_path: Path) -> Iterator[Databases]:
    name = f"test-{uuid.uuid4().hex[:8]}"
    state = ProjectState(tmp_path / "a home" / name)
    state.write("secrets/password", f"{PASSWORD}\n")
    state.write("secrets/acl", f"user default on ~* &* +@all #{hashlib.sha256(PASSWORD.encode()).hexdigest()}\n")
    engine = LocalEngine(name, state, dict(os.environ))
    yield Databases(engine, state, _stack(name, tmp_path, state))
    engine.destroy(None, volumes=True)


def _stack(name: str, folder: Path, state: ProjectState) -> Stack:
    cache = Service(
        name="redis",
        image="redis",
        command=("redis-server", "--aclfile", "/run/secrets/acl", "--dir", "/data", "--appendonly", "yes"),
        secrets=(SecretMount("acl", "/run/secrets/acl"),),
        mounts=(Mount(MountKind.VOLUME, "redis-data", "/data"),),
        restart="unless-stopped",
        probe=Probe("redis", 6379),
        spec_hash="1",
    )
    database = Service(
        name="postgres",
        image="postgres",
        command=("postgres", "-c", "shared_buffers=16MB"),
        environment={
            "POSTGRES_USER": "trader",
            "POSTGRES_DB": "market",
            "POSTGRES_PASSWORD_FILE": "/run/secrets/password",
            "POSTGRES_INITDB_ARGS": "--data-checksums",
            "PGDATA": "/var/lib/postgresql/data/pgdata",
        },
        secrets=(SecretMount("password", "/run/secrets/password"),),
        mounts=(Mount(MountKind.VOLUME, "postgres-data", "/var/lib/postgresql/data"),),
        restart="unless-stopped",
        probe=Probe("postgres", 5432),
        stop_signal="SIGINT",
        spec_hash="1",
    )
    return Stack(
        name,
        folder,
        (),
        {"redis": cache, "postgres": database},
        volumes={"redis-data": Volume("redis-data"), "postgres-data": Volume("postgres-data")},
        secrets={one: SecretFile(one, state.secrets / one) for one in ("acl", "password")},
    )


def _answers(databases: Databases) -> bool:
    try:
        with databases.postgres() as connection:
            return connection.execute("select 1").fetchone() == (1,)
    except psycopg.OperationalError:
        return False


def _pings(databases: Databases) -> bool:
    try:
        return bool(databases.redis().ping())
    except redis.ConnectionError:
        return False


def test_redis_wants_its_password_and_keeps_its_data(databases: Databases) -> None:
    databases.up("redis")
    until(lambda: _pings(databases), "redis answers")
    databases.redis().set("a", "1")
    for password in ("", "wrong"):
        with pytest.raises(redis.AuthenticationError):
            databases.redis(password).ping()
    databases.engine.destroy(databases.stack, volumes=False)
    databases.up("redis")
    until(lambda: _pings(databases), "redis answers again")
    assert databases.redis().get("a") == b"1"


def test_postgres_wants_its_password_and_keeps_its_data(databases: Databases) -> None:
    databases.up("postgres")
    until(lambda: _answers(databases), "postgres answers")
    with databases.postgres() as connection:
        connection.execute("create table kept (x int)")
        assert connection.execute("show data_checksums").fetchone() == ("on",)
        assert connection.execute("show unix_socket_directories").fetchone() == ("",)
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        databases.postgres("wrong")
    (replica,) = databases.engine.list()
    databases.engine.stop(replica, 20)
    stopped = databases.engine.list()[0]
    assert (stopped.state, stopped.pid) == (State.EXITED, None)
    databases.up("postgres")
    until(lambda: _answers(databases), "postgres answers again")
    with databases.postgres() as connection:
        assert connection.execute("select count(*) from kept").fetchone() == (0,)


def test_tools_run_beside_postgres_need_neither_address_nor_password(databases: Databases) -> None:
    databases.up("postgres")
    until(lambda: _answers(databases), "postgres answers")
    (replica,) = databases.engine.list()
    done = databases.engine.exec(replica, ["psql", "-U", "trader", "-d", "market", "-tAc", "select 40 + 2"])
    assert (done.exit_code, done.output.strip()) == (0, "42")


def test_no_secret_stands_in_configuration_environment_or_arguments(databases: Databases) -> None:
    for service in ("redis", "postgres"):
        databases.up(service)
    layout = databases.engine._layout
    written = [layout.config, *layout.records.iterdir(), layout.base / "launch"]
    assert not [path for path in written if PASSWORD in path.read_text() or "Gehe:im" in path.read_text()]
    for replica in databases.engine.list():
        for name in ("environ", "cmdline"):
            assert b"Gehe:im" not in Path(f"/proc/{replica.pid}/{name}").read_bytes()


def test_a_killed_postgres_comes_back(databases: Databases) -> None:
    databases.up("postgres")
    until(lambda: _answers(databases), "postgres answers")
    first = databases.engine.list()[0]
    databases.engine.signal(first, "SIGKILL")
    until(lambda: databases.engine.list()[0].restarts == 1, "a restart")
    until(lambda: _answers(databases), "postgres answers again", seconds=40)


def test_a_missing_password_file_is_told(databases: Databases) -> None:
    databases.state.secrets.joinpath("password").unlink()
    with pytest.raises(OpsError, match="POSTGRES_PASSWORD_FILE") as caught:
        databases.up("postgres")
    assert caught.value.code == "TB-0836"


def test_an_interrupted_initdb_leaves_nothing_half_made(databases: Databases, monkeypatch: pytest.MonkeyPatch) -> None:
    service = databases.stack.services["postgres"]
    broken = replace(service, environment={**service.environment, "POSTGRES_INITDB_ARGS": "--no-such-option"})
    stack = replace(databases.stack, services={"postgres": broken})
    databases.engine.prepare(stack, lambda _service, _line: None)
    with pytest.raises(OpsError, match="could not be made") as caught:
        databases.engine.apply(stack, "postgres", 1)
    assert any("no-such-option" in line for line in caught.value.detail)
    folder = databases.engine._layout.volumes / "postgres-data"
    assert list(folder.iterdir()) == []
    (folder / ".pgdata.unfinished").mkdir()
    (folder / ".pgdata.unfinished" / "PG_VERSION").write_text("18")
    databases.up("postgres")
    until(lambda: _answers(databases), "postgres answers")
    assert [path.name for path in folder.iterdir()] == ["pgdata"]


def test_data_of_another_major_version_are_told(databases: Databases) -> None:
    data = databases.engine._layout.volumes / "postgres-data" / "pgdata"
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("9.6\n")
    with pytest.raises(OpsError, match=r"made by Postgres 9\.6, and this host has Postgres \d+") as caught:
        databases.up("postgres")
    assert caught.value.code == "TB-0807"


def test_foreign_files_in_the_data_folder_are_left_alone(databases: Databases) -> None:
    data = databases.engine._layout.volumes / "postgres-data" / "pgdata"
    data.mkdir(parents=True)
    (data / "thesis.txt").write_text("mine")
    with pytest.raises(OpsError, match="not a Postgres database"):
        databases.up("postgres")
    assert (data / "thesis.txt").read_text() == "mine"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to become somebody else")
def test_root_without_unshare_runs_postgres_as_nobody(databases: Databases, monkeypatch: pytest.MonkeyPatch) -> None:
    works = unprivileged.works
    monkeypatch.setattr(unprivileged, "works", lambda command: command[0] != "unshare" and works(command))
    unprivileged._way.cache_clear()
    try:
        try:
            databases.up("postgres")
        except OpsError as error:
            if error.code == "TB-0410":
                pytest.skip("nobody may not run this installation's binaries")
            raise
        until(lambda: _answers(databases), "postgres answers")
        (replica,) = databases.engine.list()
        assert os.stat(f"/proc/{replica.pid}").st_uid == 65534  # noqa: PTH116 - a process, not a file
        assert databases.engine._layout.outside.exists()
        databases.engine.destroy(databases.stack, volumes=True)
        assert not databases.engine._layout.outside.exists()
    finally:
        unprivileged._way.cache_clear()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to become somebody else")
def test_root_without_any_way_is_told_so(databases: Databases, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unprivileged, "works", lambda _command: False)
    unprivileged._way.cache_clear()
    try:
        with pytest.raises(OpsError, match="refuses to run as root") as caught:
            databases.up("postgres")
        assert caught.value.code == "TB-0410"
    finally:
        unprivileged._way.cache_clear()


@pytest.mark.parametrize("folder", list(pgbinaries.folders()), ids=pgbinaries.major)
def test_every_postgres_of_this_host_serves(
    databases: Databases, monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    monkeypatch.setattr(pgbinaries, "folders", lambda: iter([folder]))
    databases.up("postgres")
    until(lambda: _answers(databases), f"postgres {pgbinaries.major(folder)} answers")
    assert databases.engine.list()[0].restarts == 0
