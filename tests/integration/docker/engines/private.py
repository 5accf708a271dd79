"""A Docker engine of one test: with folders and a network of its own, so that it can be killed, filled up and emptied.

It lives in a network namespace of its own: two engines on one network would undo each other's packet filter rules.
Programs that talk to its containers are started there as well; its socket works from everywhere.
"""

import contextlib
import io
import os
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from docker import APIClient

from tests.integration.tradebot import Tradebot
from tests.programs import missing
from tests.waiting import until
from tradebot_ops.docker.locate import check, locate
from tradebot_ops.errors import OpsError

HOME = Path(os.environ.get("TRADEBOT_CI_ENGINE", "/opt/tradebot-ci-engine"))
#: The machine's own runc first: the engine's may need another libc, see .ci/docker-engine.
PATH = f"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:{HOME}/usr/sbin:{HOME}/usr/bin"
NEEDED = ("dockerd", "unshare", "nsenter", "setpriv", "mount", "umount")
TINY = "tiny:1"
#: SIOCSIFFLAGS with IFF_UP, IFF_LOOPBACK and IFF_RUNNING; `ip link set lo up` needs a package more.
HOLD = """
import fcntl, socket, struct, sys
with socket.socket() as any_socket:
    fcntl.ioctl(any_socket, 0x8914, struct.pack("16sh14x", b"lo", 0x49))
sys.stdout.write("up\\n")
sys.stdout.flush()
sys.stdin.read()
"""
TOOLS = ("sh", "cat", "dd", "sleep")
#: ``prepare`` ends once the file /data/go is there.
STACK = f"""
x-service: &service {{image: {TINY}, init: true, restart: unless-stopped, stop_grace_period: 2s}}
services:
  web:
    <<: *service
    command: [sh, -c, "echo begun; while :; do sleep 1; done"]
    ports: ["0.0.0.0:8123:8123"]
    volumes: ["data:/data"]
  prepare:
    image: {TINY}
    init: true
    restart: "no"
    command: [sh, -c, "while [ ! -e /data/go ]; do sleep 0.1; done"]
    depends_on: {{web: {{condition: service_started}}}}
    volumes: ["data:/data"]
  late:
    <<: *service
    command: [sleep, "3600"]
    depends_on: {{prepare: {{condition: service_completed_successfully}}}}
volumes: {{data: }}
"""


def require_private_engine() -> None:
    """Skip where no engine can be started; in CI it must be possible."""
    absent = [name for name in NEEDED if shutil.which(name, path=PATH) is None]
    reason = f"these programs are missing: {', '.join(absent)}" if absent else ""
    if os.geteuid() != 0:
        reason = "only root can start an engine of its own"
    if reason:
        missing(reason)


@dataclass
class PrivateEngine:
    """``flags`` are dockerd's. ``folder`` is short: sockets lie in it."""

    folder: Path
    flags: tuple[str, ...] = ()
    _network: subprocess.Popen[bytes] | None = field(default=None, init=False)
    _daemon: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def _filling(self) -> Path:
        return self.data / "filling"

    @property
    def host(self) -> str:
        return f"unix://{self.folder}/engine.sock"

    @property
    def inside(self) -> tuple[str, ...]:
        """The beginning of a command line that runs in the engine's network."""
        assert self._network is not None
        return ("nsenter", f"--net=/proc/{self._network.pid}/ns/net")

    def start(self) -> None:
        """Returns once it answers."""
        if self._network is None:
            self._network = a_network()
        paths = ("--data-root", self.data, "--exec-root", self.folder / "run", "--pidfile", self.folder / "pid")
        # Whatever becomes of this process, the daemon ends with it.
        command = [
            "setpriv",
            "--pdeathsig=TERM",
            *self.inside,
            "dockerd",
            "--host",
            self.host,
            *map(str, paths),
            *self.flags,
        ]
        with (self.folder / "log").open("ab") as log:
            self._daemon = subprocess.Popen(
                [*command, *self.flags],
                env={"PATH": PATH},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        until(self.answers, "a private engine", 40, lambda: (self.folder / "log").read_text()[-2000:])

    def answers(self) -> bool:
        try:
            check(locate({"DOCKER_HOST": self.host}))
        except OpsError:
            return False
        return True

    def stop(self, how: int = signal.SIGTERM) -> None:
        """End the daemon alone; after SIGKILL its containers run on, as after a crash."""
        if self._daemon is None:
            return
        self._daemon.send_signal(how)
        self._daemon.wait(30)
        self._daemon = None
        # Killed, it leaves its pid behind, and the containerd it had started; the next one would wait for that.
        self._kill("containerd --config")
        for name in ("pid", "run/containerd/containerd.pid"):
            (self.folder / name).unlink(missing_ok=True)

    def _kill(self, word: str) -> None:
        """End processes that were started for this engine, known by its folder in their command lines."""
        for process in psutil.process_iter(["cmdline"]):
            line = " ".join(process.info["cmdline"] or ())
            if f"{self.folder}/" in line and word in line:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()
                    process.wait(10)

    def close(self) -> None:
        """End everything and take the folders away."""
        self.stop()
        self._kill("containerd")
        if self._network is not None:
            self._network.kill()
            self._network.wait()
        mounts = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
        for mount in sorted((path for path in mounts if path.startswith(f"{self.folder}/")), reverse=True):
            subprocess.run(["umount", "--lazy", mount], check=True)
        shutil.rmtree(self.folder)

    def fill(self) -> None:
        """Take the last byte of its disk, which must be one of a given size, until ``drain``."""
        assert os.path.ismount(self.data)
        with self._filling.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(bytes(4096))
        assert shutil.disk_usage(self.data).free == 0

    def drain(self) -> None:
        """Give back what ``fill`` took, if anything."""
        self._filling.unlink(missing_ok=True)

    def api(self) -> APIClient:
        return APIClient(base_url=self.host, version="auto", timeout=30)

    def environ(self, home: Path) -> dict[str, str]:
        """For parts of tradebot that run in this process."""
        return {**os.environ, "DOCKER_HOST": self.host, "TRADEBOT_STATE": str(home / "state")}

    def project(self, folder: Path, text: str = "") -> Tradebot:
        """The command, run in the engine's network on a stack of these lines, else on one of ``TINY`` containers."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "compose.yaml").write_text(text or STACK)
        program = (*self.inside, sys.executable, "-m", "tradebot_ops")
        return Tradebot(folder / "home", "docker", folder, program=program, environ={"DOCKER_HOST": self.host})

    def containers(self) -> dict[str, str]:
        """State by name, of everything on the engine."""
        with self.api() as api:
            return {each["Names"][0].lstrip("/"): each["State"] for each in api.containers(all=True)}

    def images(self) -> set[str]:
        """Tags, or ids of what has none."""
        with self.api() as api:
            return {name for each in api.images() for name in (each.get("RepoTags") or [each["Id"]])}

    def remove_images(self) -> None:
        """All of them; no container may be left that uses one."""
        with self.api() as api:
            for each in api.images():
                api.remove_image(each["Id"], force=True)

    def assert_bare(self) -> None:
        """Nothing of any project is left."""
        assert self.containers() == {}
        with self.api() as api:
            assert {each["Name"] for each in api.networks()} == {"bridge", "host", "none"}
            assert not api.volumes()["Volumes"]

    def import_tiny(self, *tags: str) -> None:
        """An image with a shell and little else, made of this machine's own programs."""
        archive = tiny_archive()
        with self.api() as api:
            for tag in tags or (TINY,):
                name, _, version = tag.partition(":")
                api.import_image_from_stream(iter((archive,)), repository=name, tag=version, changes=['CMD ["sh"]'])


def a_network() -> subprocess.Popen[bytes]:
    """A process that holds a network namespace in which only the loopback device is up; it ends with this one."""
    holder = subprocess.Popen(
        ["unshare", "--net", sys.executable, "-I", "-c", HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"up\n"
    return holder


def tiny_archive() -> bytes:
    """A root file system of ``TOOLS`` and the libraries they need, as a tar file."""
    files: dict[str, str] = {}
    for tool in TOOLS:
        path = os.path.realpath(str(shutil.which(tool, path=PATH)))
        libraries = subprocess.run(["ldd", path], capture_output=True, text=True, check=True).stdout
        files |= {f"bin/{tool}": path, **{name.lstrip("/"): name for name in re.findall(r"(/\S+) \(0x", libraries)}}
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for name, path in sorted(files.items()):
            tar.add(os.path.realpath(path), name)
    return stream.getvalue()


@contextlib.contextmanager
def private_engine(*flags: str, size: str = "") -> Iterator[PrivateEngine]:
    """A running engine; with ``size`` its data lies on a disk of only that, such as ``100m``."""
    require_private_engine()
    engine = PrivateEngine(Path(tempfile.mkdtemp(prefix="tb-")), flags)
    try:
        engine.data.mkdir()
        if size:
            subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(engine.data)], check=True)
        engine.start()
        yield engine
    finally:
        engine.close()
