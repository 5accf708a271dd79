"""A registry of one test, beside its private engine: on loopback, where an engine asks for no certificate."""

import contextlib
import json
import subprocess
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.integration.docker.engines.private import TINY, PrivateEngine
from tests.programs import program
from tests.waiting import until

ADDRESS = "127.0.0.1:5000"
USER, PASSWORD = "reader", "not-so-secret"
#: The registry reads bcrypt alone.
HTPASSWD = f"{USER}:$2b$04$wqW2XkVdKOr0zVRlnxB8/e2zUxEfYpvX49Y9s1Pc9a/BVZRP7iGGG\n"


@dataclass
class Registry:
    """What is pushed survives ``serve`` being left and entered again, with another configuration too."""

    engine: PrivateEngine
    folder: Path

    @contextlib.contextmanager
    def serve(self, *, closed: bool = False) -> Iterator[None]:
        """Answer until the block ends; ``closed``: to ``USER`` with ``PASSWORD`` alone."""
        config: dict[str, object] = {
            "version": "0.1",
            "log": {"level": "error", "accesslog": {"disabled": True}},
            "storage": {"filesystem": {"rootdirectory": str(self.folder / "data")}},
            "http": {"addr": ADDRESS},
        }
        if closed:
            (self.folder / "htpasswd").write_text(HTPASSWD)
            config["auth"] = {"htpasswd": {"realm": "tests", "path": str(self.folder / "htpasswd")}}
        (self.folder / "config.yml").write_text(json.dumps(config))
        command = [*self.engine.inside, program("docker_registry"), "serve", str(self.folder / "config.yml")]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            try:
                until(self._answers, "the registry", 20)
                yield
            finally:
                process.kill()

    def _answers(self) -> bool:
        return self._inside("exec 3<>/dev/tcp/" + ADDRESS.replace(":", "/")) == 0

    def _inside(self, script: str) -> int:
        return subprocess.run([*self.engine.inside, "bash", "-c", script], stderr=subprocess.DEVNULL).returncode

    def push(self, name: str) -> str:
        """Store ``TINY`` under this name; its digest. The engine keeps nothing of it."""
        repository, _, tag = name.rpartition(":")
        self.engine.import_tiny()
        with self.serve(), self.engine.api() as api:
            api.tag(TINY, f"{ADDRESS}/{repository}", tag)
            said = list(api.push(f"{ADDRESS}/{repository}", tag, stream=True, decode=True))
        self.engine.remove_images()
        return str(next(each["aux"]["Digest"] for each in said if "aux" in each))


def logged_in(folder: Path) -> str:
    """A folder with what `docker login` leaves for ``USER``."""
    folder.mkdir()
    token = b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    (folder / "config.json").write_text(json.dumps({"auths": {ADDRESS: {"auth": token}}}))
    return str(folder)
