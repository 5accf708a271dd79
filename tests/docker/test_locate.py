"""Which engine the environment means, and what is said when it is not there."""

import hashlib
import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tradebot_ops.docker.locate import Location, check, locate
from tradebot_ops.errors import OpsError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    name = hashlib.sha256(b"build-host").hexdigest()
    meta = tmp_path / "contexts" / "meta" / name
    meta.mkdir(parents=True)
    described = {"Name": "build-host", "Endpoints": {"docker": {"Host": "ssh://ops@build-host"}}}
    (meta / "meta.json").write_text(json.dumps(described))
    return tmp_path


def test_the_default_socket_is_used_when_nothing_is_said(tmp_path: Path) -> None:
    found = locate({"HOME": str(tmp_path)})
    assert found.socket == "/var/run/docker.sock"
    assert found.local


@pytest.mark.parametrize("host", ["tcp://127.0.0.1:2376", "tcp://[::1]:2376", "ssh://ops@localhost"])
def test_an_engine_at_a_loopback_address_is_one_of_this_host(host: str) -> None:
    assert locate({"DOCKER_HOST": host}).local


def test_docker_host_outranks_the_context(folder: Path) -> None:
    (folder / "config.json").write_text('{"currentContext": "build-host"}')
    environ = {"DOCKER_CONFIG": str(folder)}
    assert locate(environ).host == "ssh://ops@build-host"
    assert not locate(environ).local
    assert locate({**environ, "DOCKER_HOST": "tcp://10.0.0.9:2375"}).host == "tcp://10.0.0.9:2375"
    assert locate({**environ, "DOCKER_CONTEXT": "default"}).socket == "/var/run/docker.sock"


def test_a_context_brings_its_certificates(folder: Path) -> None:
    tls = folder / "contexts" / "tls" / hashlib.sha256(b"build-host").hexdigest() / "docker"
    tls.mkdir(parents=True)
    assert locate({"DOCKER_CONFIG": str(folder), "DOCKER_CONTEXT": "build-host"}).tls == tls


def test_a_context_that_does_not_exist_is_named(folder: Path) -> None:
    with pytest.raises(OpsError, match="'nowhere' does not exist") as caught:
        locate({"DOCKER_CONFIG": str(folder), "DOCKER_CONTEXT": "nowhere"})
    assert caught.value.code == "TB-0820"


def test_damaged_configuration_is_named(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(OpsError, match=r"config\.json is not valid JSON"):
        locate({"DOCKER_CONFIG": str(tmp_path)})


@pytest.fixture
def silent(tmp_path: Path) -> Iterator[Location]:
    """A daemon that accepts connections and never answers."""
    path = tmp_path / "hung.sock"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        yield Location(f"unix://{path}")


def test_a_hanging_daemon_does_not_hang_the_question(silent: Location) -> None:
    with pytest.raises(OpsError, match="sent nothing for 0.2 s") as caught:
        check(silent, timeout=0.2)
    assert (caught.value.code, int(caught.value.exit_code)) == ("TB-0401", 4)


def test_a_daemon_that_is_not_there_is_said_to_be(tmp_path: Path) -> None:
    with pytest.raises(OpsError, match="No Docker engine answers") as caught:
        check(Location(f"unix://{tmp_path}/none.sock"))
    assert caught.value.code == "TB-0401"
    assert "systemctl start docker" in caught.value.hint


def test_something_else_on_the_socket_is_recognised(tmp_path: Path) -> None:
    path = tmp_path / "other.sock"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(64)
                connection.sendall(b"220 mail ready\r\n")

        threading.Thread(target=answer, daemon=True).start()
        with pytest.raises(OpsError, match="does not speak Docker's protocol"):
            check(Location(f"unix://{path}"))


def answering(server: socket.socket, words: bytes) -> None:
    """Answer one question in the background."""

    def answer() -> None:
        connection, _ = server.accept()
        with connection:
            connection.recv(64)
            connection.sendall(words)

    threading.Thread(target=answer, daemon=True).start()


def test_a_daemon_that_answers_with_an_error_is_not_ready(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "d.sock"))
        server.listen()
        answering(server, b"HTTP/1.0 503 Service Unavailable\r\n\r\n")
        with pytest.raises(OpsError, match="not ready: HTTP/1.0 503") as caught:
            check(Location(f"unix://{tmp_path}/d.sock"))
    assert caught.value.code == "TB-0401"


def test_a_remote_engine_without_tls_is_asked_too() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        where = Location(f"tcp://127.0.0.1:{server.getsockname()[1]}")
        answering(server, b"HTTP/1.0 200 OK\r\n\r\nOK")
        check(where)
        with pytest.raises(OpsError, match="sent nothing for 0.2 s"):
            check(where, timeout=0.2)
    with pytest.raises(OpsError, match="No Docker engine answers"):
        check(where)


def test_engines_behind_ssh_and_tls_are_asked_when_they_are_opened(tmp_path: Path) -> None:
    check(Location("ssh://nobody@nowhere.invalid"))
    check(Location("tcp://nowhere.invalid:2376", tls=tmp_path))
