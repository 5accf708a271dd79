"""Programs from Debian packages, for a host that has none of its own: unpacked into the user's cache, without root.

apt itself does the fetching, with folders of its own beside the host's: it checks the archive's signature against
the keyring, the index against the signed checksums and each package against the index. A package that does not fit
is not unpacked. Nothing of the host's package database is read or written.
"""

import contextlib
import fcntl
import os
import platform
import re
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from tradebot_ops.debian.mirror import KEYRING, MIRROR_VARIABLE, RELEASE, find_mirror
from tradebot_ops.errors import OpsError, Unavailable
from tradebot_ops.private_folder import make_private, writable
from tradebot_ops.state import cache_root
from tradebot_ops.text.sentences import agreed

#: Program -> its names, Debian's last, and the package that has it. All are statically linked but for the C library.
PROGRAMS = {
    "prometheus": (("prometheus",), "prometheus"),
    "promtool": (("promtool",), "promtool"),
    "alertmanager": (("alertmanager", "prometheus-alertmanager"), "prometheus-alertmanager"),
    "amtool": (("amtool",), "prometheus-alertmanager"),
    "node_exporter": (("node_exporter", "prometheus-node-exporter"), "prometheus-node-exporter"),
    "redis_exporter": (("redis_exporter", "prometheus-redis-exporter"), "prometheus-redis-exporter"),
    "postgres_exporter": (("postgres_exporter", "prometheus-postgres-exporter"), "prometheus-postgres-exporter"),
}
LEAST_GLIBC = (2, 34)
STEP_SECONDS = 300
_TOOLS = ("apt-get", "dpkg-deb")

Say = Callable[[str], None]
_one_at_a_time = threading.Lock()
_refused: dict[Path, Unavailable] = {}


def find(program: str, environ: Mapping[str, str]) -> Path | None:
    """The program on PATH, else in the cache; None when it is in neither."""
    names, _ = PROGRAMS[program]
    for name in names:
        if found := shutil.which(name, path=environ.get("PATH", os.defpath)):
            return Path(found)
    for name in names:
        if (cached := folder(environ) / "usr" / "bin" / name).is_file():
            return cached
    return None


def folder(environ: Mapping[str, str]) -> Path:
    """Where packages are unpacked."""
    return cache_root(dict(environ)) / f"debian-{RELEASE}-{platform.machine()}"


def obtain(program: str, environ: Mapping[str, str], say: Say) -> Path:
    """The program; all that are missing are fetched at once. Raises ``Unavailable``.

    Threads that ask meanwhile wait for the one that fetches, and get the same answer.
    """
    with _one_at_a_time:
        if (found := find(program, environ)) is not None:
            return found
        target = folder(environ)
        if target in _refused:
            raise _refused[target]
        try:
            _require_host()
            with _alone(target):
                if find(program, environ) is None:
                    _fetch(target, environ, say)
        except Unavailable as refusal:
            _refused[target] = refusal
            raise
        except OpsError as error:
            _refused[target] = _impossible(error.message.rstrip("."), error.detail)
            raise _refused[target] from error
    if (found := find(program, environ)) is None:
        raise _impossible(f"the package {PROGRAMS[program][1]} holds no {program}")
    return found


def _require_host() -> None:
    missing = [tool for tool in _TOOLS if shutil.which(tool) is None]
    if missing:
        raise _impossible(f"this host has no {missing[0]} to fetch them with")
    found = _glibc()
    if found < LEAST_GLIBC:
        have = ".".join(map(str, found)) if found else "another C library"
        raise _impossible(f"they need glibc {'.'.join(map(str, LEAST_GLIBC))} and this host has {have}")
    if not KEYRING.is_file():
        raise _impossible(f"{KEYRING} is missing, so that nothing fetched could be verified")


def _glibc() -> tuple[int, ...]:
    try:
        text = os.confstr("CS_GNU_LIBC_VERSION") or ""
    except (ValueError, OSError):  # another C library, such as musl
        return ()
    return tuple(int(number) for number in re.findall(r"\d+", text)[:2])


@contextlib.contextmanager
def _alone(target: Path) -> Iterator[None]:
    """One command at a time fetches; the kernel frees the lock of one that dies."""
    path = target.with_name(f"{target.name}.lock")
    with writable(path):
        make_private(path.parent)
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "r+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _fetch(target: Path, environ: Mapping[str, str], say: Say) -> None:
    mirror = find_mirror(environ)
    work = target.with_name(f".{target.name}.unfinished")
    with writable(work):
        shutil.rmtree(work, ignore_errors=True)  # what an interrupted fetch left
        for name in ("lists/partial", "archives/partial", "debs", "root"):
            (work / name).mkdir(parents=True)
        source = f"deb [signed-by={KEYRING}] {mirror.archive} {RELEASE} main\n"
        (work / "sources.list").write_text(source, encoding="utf-8")
    apt = _apt(work)
    say("reading the package index of the Debian mirror")
    _run([*apt, "update"], work, environ)
    wanted = sorted({package for _, package in PROGRAMS.values()})
    say(agreed(f"downloading {len(wanted)} packages"))
    _run([*apt, "download", *wanted], work / "debs", environ)
    debs = sorted((work / "debs").glob("*.deb"))
    say(f"unpacking {sum(deb.stat().st_size for deb in debs) / 1024**2:.0f} MB")
    for deb in debs:
        _run(["dpkg-deb", "--extract", str(deb), str(work / "root")], work, environ)
    with writable(target):
        shutil.rmtree(target, ignore_errors=True)
        (work / "root").rename(target)
        shutil.rmtree(work, ignore_errors=True)


def _apt(work: Path) -> list[str]:
    """apt with folders of its own; proxies and certificates stay as the host has configured them."""
    options = {
        "Dir::State::lists": f"{work}/lists",
        "Dir::State::status": "/dev/null",
        "Dir::Cache": str(work),
        "Dir::Cache::pkgcache": "",
        "Dir::Cache::srcpkgcache": "",
        "Dir::Etc::SourceList": f"{work}/sources.list",
        "Dir::Etc::SourceParts": "/dev/null",
        "Acquire::Languages": "none",
        "Acquire::Retries": "2",
        "Acquire::http::Timeout": "20",
        "Acquire::https::Timeout": "20",
        # Fetching as another user would need the folders to be his.
        "APT::Sandbox::User": "root",
        # An index that cannot be had or verified is an error, not a warning.
        "APT::Update::Error-Mode": "any",
    }
    return ["apt-get", "--quiet=2", *(word for key, value in options.items() for word in ("-o", f"{key}={value}"))]


def _run(command: list[str], cwd: Path, environ: Mapping[str, str]) -> None:
    names = ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "HOME")
    kept = {name: environ[name] for name in names if name in environ}
    try:
        done = subprocess.run(
            command,
            cwd=cwd,
            env={**kept, "PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=STEP_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise _impossible(f"{command[0]} took longer than {STEP_SECONDS} s") from None
    if done.returncode != 0:
        lines = tuple(line for line in done.stdout.splitlines() if line.strip())
        why = next((line for line in lines if line.startswith("E:")), lines[-1] if lines else "it wrote nothing")
        raise _impossible(f"{command[0]} failed: {why.removeprefix('E: ')}", lines[-5:])


def _impossible(why: str, detail: tuple[str, ...] = ()) -> Unavailable:
    packages = " ".join(sorted({package for _, package in PROGRAMS.values()}))
    return Unavailable(
        f"The monitoring programs are neither on PATH nor could they be fetched: {why}.",
        hint=f"Install them (Debian: apt-get install {packages}), or name a mirror: {MIRROR_VARIABLE}=http://…, "
        "then: tradebot up",
        detail=detail,
    )
