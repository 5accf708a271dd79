"""What the contract suite runs on every engine: a tiny stack, and how a test waits for what it expects."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from tests.waiting import until
from tradebot_ops.engines.base import Engine, Replica, State
from tradebot_ops.stack.model import Mount, MountKind, Probe, Service, Stack, Volume

T = TypeVar("T")

#: Serves its folder over HTTP, says so, and answers SIGHUP with a line.
SERVER = """
import http.server, os, signal
host, _, port = os.environ["LISTEN"].rpartition(":")
signal.signal(signal.SIGHUP, lambda *_: print("reloaded", flush=True))
print('{"timestamp": "2026-01-02T03:04:05Z", "event": "listening"}', flush=True)
http.server.ThreadingHTTPServer((host, int(port)), http.server.SimpleHTTPRequestHandler).serve_forever()
"""


@dataclass(frozen=True)
class Harness:
    """An engine to be proved, on a project of its own. ``reopen`` opens a second client of the same project.
    ``port`` is what the service ``web`` listens on."""

    engine: Engine
    stack: Stack
    port: int
    reopen: Callable[[], Engine]

    def up(self, service: str = "web", number: int = 1) -> Replica:
        self.engine.prepare(self.stack, lambda _service, _line: None)
        return self.engine.apply(self.stack, service, number)

    def now(self, service: str = "web", number: int = 1) -> Replica | None:
        return next((one for one in self.engine.list() if (one.service, one.number) == (service, number)), None)

    def reaches(self, state: State, service: str = "web", number: int = 1) -> Replica:
        def there() -> Replica | None:
            found = self.now(service, number)
            return found if found is not None and found.state is state else None

        return until(there, f"{service}-{number} is {state}")

    def changed(self, service: str, **values: object) -> Stack:
        """The stack with one service described differently."""
        other = replace(self.stack.services[service], **values)  # type: ignore[arg-type]
        return replace(self.stack, services={**self.stack.services, service: other})


def tiny_stack(project: str, folder: Path, port: int, image: str = "") -> Stack:
    """A server with a volume, one-shots that succeed and fail, and a service that crashes whenever started."""
    services = (
        Service(
            name="web",
            image=image,
            command=("python", "-c", SERVER),
            environment={"LISTEN": f"0.0.0.0:{port}", "DATA": "/data", "GREETING": "grüß dich"},
            expose=(port,),
            mounts=(Mount(MountKind.VOLUME, "data", "/data"),),
            restart="unless-stopped",
            probe=Probe("http", port),
            stop_grace=5,
            scalable=True,
            spec_hash="web-1",
            content_hash="files-1",
        ),
        _shell("once", "echo done", image, one_shot=True),
        _shell("failing", "echo sorry; exit 3", image, one_shot=True),
        _shell("crashing", "echo boom; exit 7", image, restart="unless-stopped"),
        _shell("stubborn", "trap '' TERM; echo deaf; while :; do sleep 0.1; done", image, restart="unless-stopped"),
    )
    return Stack(project, folder, (), {one.name: one for one in services}, volumes={"data": Volume("data")})


def _shell(name: str, script: str, image: str, *, one_shot: bool = False, restart: str = "no") -> Service:
    return Service(
        name=name,
        image=image,
        command=("sh", "-c", script),
        restart=restart,
        one_shot=one_shot,
        stop_grace=5,
        spec_hash=f"{name}-1",
    )
