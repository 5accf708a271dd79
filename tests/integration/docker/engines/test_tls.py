"""An engine behind TLS: what streams goes both ways, ends when it should, and loses nothing."""

import contextlib
import os
import pty
import select
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.integration.docker.engines.private import private_engine
from tests.integration.tradebot import Tradebot

pytestmark = [pytest.mark.integration, pytest.mark.docker]

EXTENSIONS = "subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n"


def certificates(folder: Path) -> Path:
    """An authority, and a certificate that serves both sides, under the names Docker's client looks for."""
    folder.mkdir()
    (folder / "extensions").write_text(EXTENSIONS)
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    signing = ["-CA", "ca.pem", "-CAkey", "ca-key.pem", "-CAcreateserial"]
    for words in (
        ["req", "-x509", *key, "-keyout", "ca-key.pem", "-out", "ca.pem", "-days", "2", "-subj", "/CN=authority"],
        ["req", *key, "-keyout", "key.pem", "-out", "request.pem", "-subj", "/CN=127.0.0.1"],
        ["x509", "-req", *signing, "-in", "request.pem", "-extfile", "extensions", "-out", "cert.pem", "-days", "2"],
    ):
        subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tradebot]:
    """A project that is up on an engine that demands certificates, reached over TLS alone."""
    shown = certificates(tmp_path_factory.mktemp("tls") / "certificates")
    files = [f"--tls{name}={shown / file}" for name, file in (("cacert", "ca.pem"), ("cert", "cert.pem"))]
    with private_engine("--tlsverify", *files, f"--tlskey={shown / 'key.pem'}", "--host=tcp://127.0.0.1:2376") as made:
        made.import_tiny()
        tradebot = made.project(tmp_path_factory.mktemp("secured"))
        tradebot.environ |= {
            "DOCKER_HOST": "tcp://127.0.0.1:2376",
            "DOCKER_TLS_VERIFY": "1",
            "DOCKER_CERT_PATH": str(shown),
            # Set on many hosts, for the web; it says nothing about an engine.
            "REQUESTS_CA_BUNDLE": "/etc/ssl/certs/ca-certificates.crt",
        }
        tradebot.ok("up", "web")
        yield tradebot
        tradebot.ok("down", "--volumes", "--yes")
        made.assert_bare()


def test_a_command_with_piped_input_over_tls(secured: Tradebot) -> None:
    sent = os.urandom(3 << 20)
    command = secured.command("exec", "web", "--", "sh", "-c", "cat; sleep 0.3; echo after; exit 3")
    done = subprocess.run(command, cwd=secured.cwd, env=secured.environment(), input=sent, capture_output=True)
    assert done.returncode == 3, done.stderr
    assert done.stdout == sent + b"after\n"


def test_a_shell_over_tls(secured: Tradebot) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        secured.command("shell", "web"),
        cwd=secured.cwd,
        env=secured.environment(),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    os.write(ours, b"echo it is $((6*7)); exit 5\n")
    seen = b""
    try:
        # A hang-up is what Linux says when the other side of a terminal is gone.
        with contextlib.suppress(OSError):
            while select.select([ours], [], [], 30)[0]:
                seen += os.read(ours, 4096)
        assert process.wait(5) == 5, seen
    finally:
        os.close(ours)
        process.kill()
        process.wait()
    assert b"it is 42" in seen


def test_logs_are_followed_over_tls(secured: Tradebot) -> None:
    following = secured.start("logs", "-f", "web")
    try:
        assert following.stdout is not None
        assert "begun" in following.stdout.readline()
        secured.ok("restart", "web")
        assert "begun" in following.stdout.readline()
    finally:
        following.send_signal(signal.SIGINT)
        following.communicate(timeout=20)


ENDPOINT = """
import contextlib
import os
from tradebot_ops.engines.docker.engine import DockerEngine
print(DockerEngine(os.environ["PROJECT"], os.environ).endpoint("web", 8123))
"""


def test_an_endpoint_over_tls(secured: Tradebot) -> None:
    done = subprocess.run(
        [*secured.program[:-2], "-c", ENDPOINT],
        env={**secured.environment(), "PROJECT": secured.project},
        capture_output=True,
        text=True,
    )
    assert done.stdout == "127.0.0.1:8123\n", done.stderr


def test_certificates_that_are_not_believed_are_named(secured: Tradebot, tmp_path: Path) -> None:
    others = certificates(tmp_path / "others")
    stranger = replace(secured, environ={**secured.environ, "DOCKER_CERT_PATH": str(others)})
    done = stranger.run("ps")
    assert done.returncode == 4
    assert "error TB-0412" in done.stderr
    assert "do not trust each other over TLS" in done.stderr
    assert str(others) in done.stderr
