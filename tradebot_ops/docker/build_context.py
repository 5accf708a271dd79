"""Build contexts: which files an image is made from, a hash of them, and the archive sent to the engine.

The hash ignores times and owners, so it says whether an image is older than its source, on any machine.
"""

import hashlib
import io
import re
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO

from docker.utils.build import exclude_paths

from tradebot_ops.errors import OpsError
from tradebot_ops.stack.model import Build

CONTENT_HASH = "io.tradebot.source-hash"
#: On every layer of a build, so that what a build leaves beside its image is known as tradebot's.
BUILT_FOR = "io.tradebot.built-for"
REVISION = "org.opencontainers.image.revision"
#: What Python leaves behind is never part of a source.
ALWAYS_IGNORED = ("**/__pycache__", "**/*.pyc", ".git")
DOCKERFILE = ".tradebot.Dockerfile"


def source_files(build: Build) -> Iterator[tuple[str, Path]]:
    """Every file that goes to the engine, as (name in the archive, path), sorted; the Dockerfile has its own name.

    Raises OpsError TB-0830 when the context or the Dockerfile is missing.
    """
    for path, what in ((build.context, "build context"), (build.dockerfile, "Dockerfile")):
        if not path.exists():
            raise OpsError(
                f"The {what} {path} does not exist.",
                code="TB-0830",
                hint="Correct `build:` in compose.yaml, or write the stack's files out with `tradebot init`.",
            )
    ignore = build.context / ".dockerignore"
    lines = ignore.read_text(encoding="utf-8").splitlines() if ignore.exists() else []
    patterns = [*(line.strip() for line in lines if line.strip() and not line.startswith("#")), *ALWAYS_IGNORED]
    for name in sorted(exclude_paths(str(build.context), patterns)):
        path = build.context / name
        if path.is_file() or path.is_symlink():
            yield name, path
    yield DOCKERFILE, build.dockerfile


def content_hash(build: Build) -> str:
    """SHA-256 over names, executable bits and contents of the context and the Dockerfile."""
    digest = hashlib.sha256()
    for name, path in source_files(build):
        executable = bool(path.stat().st_mode & 0o100) if path.exists() else False
        content = path.readlink().as_posix().encode() if path.is_symlink() else path.read_bytes()
        digest.update(f"{name}\0{executable}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def archive(build: Build, extra: Mapping[str, Path], tag: str) -> IO[bytes]:
    """The context as a tar file without times and owners, so that the engine's cache knows it again.

    ``extra`` adds files that are no part of the source, such as downloaded wheels: name in the archive -> path.
    ``tag`` is written on every stage, see ``marked``.
    """
    stream = tempfile.TemporaryFile(prefix="tradebot-build-")  # noqa: SIM115 - the caller closes it
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for name, path in [*source_files(build), *sorted(extra.items())]:
            if name == DOCKERFILE:
                tar.addfile(*_member(name, marked(path.read_text(encoding="utf-8"), tag).encode()))
            else:
                tar.add(path, name, recursive=False, filter=anonymous)
    stream.seek(0)
    return stream


def _member(name: str, content: bytes) -> tuple[tarfile.TarInfo, IO[bytes]]:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    return member, io.BytesIO(content)


def marked(dockerfile: str, tag: str) -> str:
    """The Dockerfile with a label at the beginning of every stage that says for which image it is built.

    The engine labels only the last stage by itself. The others, and what a failed build had made until then, lie
    around without a name, and their owner would be unknown.
    """
    lines: list[str] = []
    in_from = continued = False
    for line in dockerfile.splitlines():
        in_from = in_from or (not continued and re.match(r"\s*FROM\s", line, re.IGNORECASE) is not None)
        continued = line.rstrip().endswith("\\")
        lines.append(line)
        if in_from and not continued:
            lines.append(f'LABEL {BUILT_FOR}="{tag}"')
            in_from = False
    return "\n".join(lines) + "\n"


def anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.mtime = 0
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mode = 0o755 if member.mode & 0o100 else 0o644
    return member


def revision(folder: Path) -> str:
    """The commit a folder is at, marked when it holds changes; empty outside a repository."""
    try:
        found = subprocess.run(
            ["git", "-C", str(folder), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"],
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return found.stdout.strip() if found.returncode == 0 else ""
