"""Debian's packages, fetched for real from the mirror of this machine: verified, or not used at all."""

import contextlib
import os
import subprocess
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.programs import missing
from tradebot_ops.debian import packages
from tradebot_ops.debian.mirror import MIRROR_VARIABLE, find_mirror
from tradebot_ops.errors import OpsError, Unavailable

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("local-packages"), pytest.mark.timeout(300)]


@pytest.fixture
def archive(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(packages, "_refused", {})
    try:
        return find_mirror(os.environ).archive
    except OpsError as error:
        missing(error.message)


def host(tmp_path: Path, mirror: str) -> dict[str, str]:
    """Nothing on PATH, an empty cache."""
    return {"PATH": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache"), MIRROR_VARIABLE: mirror}


def test_every_program_is_fetched_and_runs(tmp_path: Path, archive: str) -> None:
    environ = host(tmp_path, archive)
    said: list[str] = []
    for program in packages.PROGRAMS:
        found = packages.obtain(program, environ, said.append)
        done = subprocess.run([found, "--version"], capture_output=True, text=True, timeout=20)
        assert done.returncode == 0, done.stderr
        assert "go1." in done.stdout + done.stderr
    assert len(said) == 3, "fetched once for all"
    assert [path.name for path in (tmp_path / "cache/tradebot").iterdir() if path.is_dir()] == [
        packages.folder(environ).name
    ], "nothing half-made is left"


def test_a_package_that_was_tampered_with_is_not_unpacked(tmp_path: Path, archive: str) -> None:
    with tampering(archive) as mirror, pytest.raises(Unavailable, match="Hash Sum mismatch|unexpected size"):
        packages.obtain("prometheus", host(tmp_path, mirror), print)
    assert not packages.folder(host(tmp_path, archive)).exists()


@contextlib.contextmanager
def tampering(archive: str) -> Iterator[str]:
    """A mirror that passes everything on, and changes a byte of every package."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            try:
                with urllib.request.urlopen(f"{archive}{self.path}", timeout=60) as answer:  # noqa: S310 - apt's own mirror
                    body = answer.read()
            except urllib.error.HTTPError as error:
                self.send_error(error.code)
                return
            if self.path.endswith(".deb"):
                body = body[:-1] + bytes([body[-1] ^ 1])
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            with contextlib.suppress(ConnectionError):
                self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
            """Not on the test's output."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
