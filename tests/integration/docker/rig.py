"""A project on a real Docker engine, and what it must leave behind: nothing."""

import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from docker import APIClient

from tests.integration.tradebot import Tradebot
from tests.paths import ROOT
from tests.waiting import free_port
from tradebot_ops.docker.locate import locate

IMAGES = {"REDIS_IMAGE": "tradebot/redis:8.0", "POSTGRES_IMAGE": "tradebot/postgres:17"}
MONITORING_IMAGES = {
    "PROMETHEUS_IMAGE": "tradebot/prometheus:2.53",
    "ALERTMANAGER_IMAGE": "tradebot/alertmanager:0.28",
    "NODE_EXPORTER_IMAGE": "tradebot/node-exporter:1.9",
    "REDIS_EXPORTER_IMAGE": "tradebot/redis-exporter:1.69",
    "POSTGRES_EXPORTER_IMAGE": "tradebot/postgres-exporter:0.17",
}
NEEDED = (*IMAGES.values(), "tradebot/app:latest", "tradebot/python:3.13")
#: Where Compose's plugin lies on a machine that .ci/docker-engine prepared.
PEERS = (
    "/usr/libexec/docker/cli-plugins/docker-compose",
    "/opt/tradebot-ci-engine/peer/usr/libexec/docker/cli-plugins/docker-compose",
)


def api() -> APIClient:
    return APIClient(base_url=locate(os.environ).host, version="auto", timeout=30)


def project(home: Path, **environ: str) -> Tradebot:
    """A project of its own on free ports, made of the images built here."""
    ports = {"API_PORT": str(free_port()), "WORKER_METRICS_PORT": str(free_port())}
    return Tradebot(home, engine="docker", environ=IMAGES | ports | environ)


def monitored(home: Path) -> Tradebot:
    """The same with the monitoring: ten containers."""
    ports = {"PROMETHEUS_PORT": str(free_port()), "ALERTMANAGER_PORT": str(free_port())}
    return project(home, WORKER_REPLICAS="2", TRADEBOT_PROFILES="monitoring", **MONITORING_IMAGES, **ports)


def clean(tradebot: Tradebot) -> None:
    """Take the project down; whatever it leaves on the engine fails the test, after it was removed."""
    tradebot.run("down", "--volumes", "--yes")
    left = remains(tradebot.project)
    with api() as engine:
        for container in left["containers"]:
            engine.remove_container(container, v=True, force=True)
        for network in left["networks"]:
            engine.remove_network(network)
        for volume in left["volumes"]:
            engine.remove_volume(volume)
    assert not any(left.values()), f"{tradebot.project} left behind {left}"


def remains(name: str) -> dict[str, list[str]]:
    """What of a project is on the engine: everything that carries Compose's label."""
    wanted = {"label": f"com.docker.compose.project={name}"}
    with api() as engine:
        return {
            "containers": [each["Names"][0].lstrip("/") for each in engine.containers(all=True, filters=wanted)],
            "networks": [each["Name"] for each in engine.networks(filters=wanted)],
            "volumes": [each["Name"] for each in engine.volumes(filters=wanted)["Volumes"] or ()],
        }


def inspected(name: str) -> dict[str, Any]:
    with api() as engine:
        found: dict[str, Any] = engine.inspect_container(name)
        return found


@dataclass(frozen=True)
class Compose:
    """Docker Compose itself, on the same file and under the same project name."""

    tradebot: Tradebot
    #: How it is called; through Docker's own client as people do, where that finds it.
    program: tuple[str, ...] = ()

    def run(self, *words: str, environ: Mapping[str, str] | None = None) -> str:
        secrets = {"TRADEBOT_SECRETS": str(self.tradebot.state / "secrets")}
        done = subprocess.run(
            [*(self.program or (plugin(),)), "-p", self.tradebot.project, *words],
            cwd=ROOT,
            env={**self.tradebot.environment(), **secrets, **(environ or {})},
            capture_output=True,
            text=True,
            timeout=150,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


def plugin() -> str:
    """The path of Compose, or nothing."""
    return shutil.which("docker-compose") or next((path for path in PEERS if Path(path).exists()), "")


class Interposer:
    """Stands between tradebot and the engine: passes everything on, except that requests which carry ``word`` in
    their first line are swallowed, as an engine that deadlocked would."""

    def __init__(self, path: Path, word: bytes) -> None:
        self.host = f"unix://{path}"
        self.swallowed = threading.Event()
        self._word = word
        self._engine = locate(os.environ).socket
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(str(path))
        self._server.listen(64)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            engine = socket.socket(socket.AF_UNIX)
            engine.connect(self._engine)
            for source, sink, watched in ((client, engine, True), (engine, client, False)):
                threading.Thread(target=self._copy, args=(source, sink, watched), daemon=True).start()

    def _copy(self, source: socket.socket, sink: socket.socket, watched: bool) -> None:
        try:
            while data := source.recv(65536):
                if watched and self._word in data.split(b"\r\n", 1)[0]:
                    self.swallowed.set()
                    return
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            return

    def close(self) -> None:
        self._server.close()
