"""A Debian root file system made from the package mirror of this machine: the base where no registry answers."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from tradebot_ops.debian.mirror import KEYRING, MIRROR_VARIABLE, RELEASE, Mirror
from tradebot_ops.errors import OpsError
from tradebot_ops.text.sentences import ended

SECONDS = 600

#: Packages are installed once, so neither they nor apt's own indices are kept.
APT_CONFIGURATION = """\
APT::Install-Recommends "false";
APT::Keep-Downloaded-Packages "false";
Acquire::Languages "none";
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
"""

Say = Callable[[str], None]


def require_tools() -> None:
    """Bootstrapping needs root and one program. Raises OpsError TB-0504, TB-0505."""
    if os.geteuid() != 0:
        raise OpsError(
            "Building a Debian base image needs root: it unpacks packages with their owners.",
            code="TB-0504",
            hint="Type `sudo -E tradebot images build --from debian`, or build on another machine and carry the "
            "images here: tradebot images save FILE, tradebot images load FILE",
        )
    if shutil.which("debootstrap", path=SYSTEM_PATH) is None:
        raise OpsError(
            "The program debootstrap is missing, which makes the Debian base image.",
            code="TB-0505",
            hint="Type `apt-get install -y debootstrap`, then run the command again.",
        )


SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@contextmanager
def root_archive(mirror: Mirror, say: Say) -> Iterator[IO[bytes]]:
    """A tar stream of a minimal Debian. The folder it is made in goes afterwards, whatever happens."""
    folder = Path(tempfile.mkdtemp(prefix="tradebot-debian-", dir="/var/tmp"))
    try:
        _bootstrap(folder, mirror, say)
        _trim(folder, mirror)
        with subprocess.Popen(
            ["tar", "--numeric-owner", "--one-file-system", "-C", str(folder), "-c", "."], stdout=subprocess.PIPE
        ) as tar:
            if tar.stdout is None:
                raise RuntimeError("a pipe was asked for")
            yield tar.stdout
    finally:
        # An interrupted bootstrap leaves these mounted; removing through them would reach the host.
        for name in ("proc", "sys"):
            subprocess.run(["umount", "-l", str(folder / name)], capture_output=True, check=False)
        subprocess.run(["rm", "-rf", "--one-file-system", str(folder)], check=False)


def _bootstrap(folder: Path, mirror: Mirror, say: Say) -> None:
    command = ["debootstrap", "--variant=minbase", *([f"--keyring={KEYRING}"] if KEYRING.exists() else [])]
    lines: list[str] = []
    with subprocess.Popen(
        [*command, RELEASE, str(folder), mirror.archive],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={"PATH": SYSTEM_PATH, "LANG": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive", **_proxies()},
    ) as process:
        for line in process.stdout or ():
            lines.append(line.rstrip())
            say(lines[-1].removeprefix("I: "))
    if process.returncode != 0:
        raise OpsError(
            f"debootstrap could not make a Debian {RELEASE}: {ended((lines or ['it wrote nothing'])[-1])}",
            code="TB-0111",
            hint=f"Check that this machine reaches its mirror: apt-get update; or name another: {MIRROR_VARIABLE}=…",
            detail=tuple(lines[-10:]),
        )


def _proxies() -> dict[str, str]:
    names = ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
    return {name: os.environ[name] for name in names if name in os.environ}


def _trim(folder: Path, mirror: Mirror) -> None:
    """Nothing an image has no use for: package archives, manuals; and no service starts while packages install."""
    for archive in (folder / "var/cache/apt/archives").glob("*.deb"):
        archive.unlink()
    shutil.rmtree(folder / "var/lib/apt/lists", ignore_errors=True)
    (folder / "var/lib/apt/lists/partial").mkdir(parents=True)
    (folder / "etc/apt/sources.list").write_text(mirror.sources(RELEASE), encoding="utf-8")
    (folder / "etc/apt/apt.conf.d/tradebot").write_text(APT_CONFIGURATION, encoding="utf-8")
    excluded = "force-unsafe-io\n" + "".join(
        f"path-exclude /usr/share/{name}/*\n" for name in ("doc", "man", "info", "locale")
    )
    (folder / "etc/dpkg/dpkg.cfg.d/tradebot").write_text(
        excluded + "path-include /usr/share/doc/*/copyright\n", encoding="utf-8"
    )
    for name in ("man", "info", "locale"):
        shutil.rmtree(folder / "usr/share" / name, ignore_errors=True)
        (folder / "usr/share" / name).mkdir()
    policy = folder / "usr/sbin/policy-rc.d"
    policy.write_text("#!/bin/sh\nexit 101\n", encoding="utf-8")
    policy.chmod(0o755)
