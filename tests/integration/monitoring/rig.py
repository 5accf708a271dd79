"""A real Prometheus and a real Alertmanager on our configuration, watching stand-ins for the services.

A stand-in answers ``/metrics`` with the text a test gives it; the API's also stores what Alertmanager posts to it.
Everything ticks once a second instead of every 15 s, so that a test need not wait for what it does not test.
"""

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import yaml

from tests.paths import ROOT
from tests.programs import alertmanager, program
from tests.waiting import free_port, until
from tradebot_ops.clients.alertmanager import Alertmanager
from tradebot_ops.clients.prometheus import Prometheus
from tradebot_ops.clients.rest import Login
from tradebot_ops.monitoring.prometheus import BOTS, discovery_file, on_this_host
from tradebot_ops.settings import Secret

PASSWORD = "monitoring-test"
# bcrypt of PASSWORD with the least cost.
WEB = 'basic_auth_users:\n  tradebot: "$2b$04$abcdefghijklmnopqrstuuDXcGNsMUh8xb/0vkEzxvRdYxHkc6wie"\n'
TOKEN = "alert-token-of-the-test"
LOGIN = Login("tradebot", Secret(PASSWORD))
STOP_S = 10.0


class StandIn:
    """One service on a free port: ``/metrics`` gives ``text``, with the time for ``@now``; posts are kept."""

    def __init__(self) -> None:
        self.text = ""
        self.posts: list[tuple[str, dict[str, Any]]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer(outer.text.replace("@now", str(time.time())).encode())

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.posts.append((self.headers.get("Authorization", ""), json.loads(body)))
                self._answer(b"{}")

            def _answer(self, body: bytes) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
                """Not on the test's output."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def alerts(self, name: str, status: str = "firing") -> list[dict[str, Any]]:
        """What arrived of this alert."""
        found = [alert for _, post in self.posts for alert in post["alerts"]]
        return [a for a in found if a["labels"]["alertname"] == name and a["status"] == status]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@dataclass
class Rig:
    folder: Path
    stand_ins: dict[str, StandIn]
    addresses: dict[str, str] = field(default_factory=dict)
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def api(self) -> StandIn:
        return self.stand_ins["api:8010"]

    @property
    def prometheus(self) -> Prometheus:
        return Prometheus(f"http://{self.addresses['prometheus:9090']}", LOGIN)

    @property
    def alertmanager(self) -> Alertmanager:
        return Alertmanager(f"http://{self.addresses['alertmanager:9093']}", LOGIN)

    def rewrite(self, text: str) -> str:
        for name, address in self.addresses.items():
            text = text.replace(name, address)
        return text.replace("/run/secrets", str(self.folder))

    def signal(self, name: str, number: signal.Signals) -> None:
        os.killpg(self.processes[name].pid, number)

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def run(self, name: str, *options: str) -> None:
        path = alertmanager(self.folder) if name == "alertmanager" else program(name)
        with (self.folder / f"{name}.log").open("wb") as log:
            self.processes[name] = subprocess.Popen(
                [path, *options], cwd=self.folder, stdout=log, stderr=log, start_new_session=True
            )


@contextmanager
def running(folder: Path, services: dict[str, str], workers: dict[str, str]) -> Iterator[Rig]:
    """``services`` maps ``service:port`` to its metrics text, ``workers`` a replica's name to its own."""
    rig = Rig(folder, {name: StandIn() for name in [*services, *workers]})
    for name, text in (services | workers).items():
        rig.stand_ins[name].text = text
    rig.addresses = {name: rig.stand_ins[name].address for name in services}
    rig.addresses |= {name: f"127.0.0.1:{free_port()}" for name in ("prometheus:9090", "alertmanager:9093")}
    _write(rig, {name: rig.stand_ins[name].address for name in workers})
    try:
        _start(rig)
        yield rig
    finally:
        _stop(rig)


def _write(rig: Rig, workers: dict[str, str]) -> None:
    files = {"prometheus_password": PASSWORD, "alertmanager_password": PASSWORD, "alert_token": TOKEN, "web.yml": WEB}
    files["workers.json"] = discovery_file(workers)
    config = yaml.safe_load(
        on_this_host(
            (ROOT / "config/prometheus/prometheus.yml").read_text(),
            rewrite=rig.rewrite,
            absent={"grafana"},
            discovery={"worker": str(rig.folder / "workers.json"), BOTS: str(rig.folder / "bots/*.json")},
            folder=ROOT / "config/prometheus",
        ).text
    )
    config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s", "scrape_timeout": "1s"}
    files["prometheus.yml"] = yaml.safe_dump(config)
    files["alertmanager.yml"] = rig.rewrite((ROOT / "config/alertmanager/alertmanager.yml").read_text())
    for name, text in files.items():
        (rig.folder / name).write_text(text)


def _start(rig: Rig) -> None:
    rig.run(
        "alertmanager",
        "--config.file=alertmanager.yml",
        "--web.config.file=web.yml",
        "--storage.path=alertmanager",
        f"--web.listen-address={rig.addresses['alertmanager:9093']}",
        "--cluster.listen-address=",
    )
    rig.run(
        "prometheus",
        "--config.file=prometheus.yml",
        "--web.config.file=web.yml",
        "--storage.tsdb.path=prometheus",
        f"--web.listen-address={rig.addresses['prometheus:9090']}",
        "--rules.alert.resend-delay=1s",
    )
    for name, ready in (("alertmanager", rig.alertmanager.ready), ("prometheus", rig.prometheus.ready)):
        until(lambda n=name, r=ready: _answers(rig, n, r), f"{name} is ready")  # type: ignore[misc]


def _answers(rig: Rig, name: str, ready: Any) -> bool:
    assert rig.processes[name].poll() is None, f"{name} ended:\n{rig.log(name)[-2000:]}"
    try:
        return bool(ready())
    except Exception:  # noqa: BLE001 - not yet
        return False


def _stop(rig: Rig) -> None:
    for process in rig.processes.values():
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGCONT)
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait(STOP_S)
    for stand_in in rig.stand_ins.values():
        stand_in.close()
