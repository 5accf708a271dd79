"""Where the local engine keeps what: everything lies in the project's state folder, readable by its owner alone."""

import hashlib
import os
from pathlib import Path

from tradebot_ops.private_folder import make_private, writable

#: Environment variable that marks every process of a replica: ``<state folder>/<replica>``.
MARK = "TRADEBOT_REPLICA"


class Layout:
    """Paths of one project. ``base`` is the supervisor's working folder; names in its files are relative to it."""

    def __init__(self, state_folder: Path) -> None:
        # Absolute without resolving links: the operator sees the path as it was configured.
        self.state = Path.cwd() / state_folder
        self.base = self.state / "local"
        self.records = self.base / "records"
        self.logs = self.base / "logs"
        self.starts = self.base / "starts"
        self.temporary = self.base / "tmp"
        self.discoveries = self.base / "discovery"
        self.config = self.base / "supervisord.conf"
        self.pidfile = self.base / "supervisord.pid"
        self.socket = self.base / "supervisor.sock"
        self.history = self.logs / "supervisord.log"
        self.volumes = self.state / "volumes"
        # For data of a server that runs as another user, who cannot enter this user's home.
        digest = hashlib.sha256(os.fsencode(self.state)).hexdigest()[:12]
        self.outside = Path("/var/lib/tradebot") / f"{self.state.name}-{digest}"

    def make(self) -> None:
        """Create the folders, 0700; ``OpsError`` TB-0802 where the disk is full or read-only."""
        for folder in (
            self.state,
            self.base,
            self.records,
            self.logs,
            self.starts,
            self.temporary,
            self.discoveries,
            self.volumes,
        ):
            with writable(folder):
                make_private(folder)
                if folder.stat().st_mode & 0o077:
                    folder.chmod(0o700)

    def record(self, replica: str) -> Path:
        return self.records / f"{replica}.json"

    def discovery(self, service: str) -> Path:
        """The file in which Prometheus reads where the replicas of a service are."""
        return self.discoveries / f"{service}.json"

    def alias_discovery(self, alias: str, service: str) -> Path:
        """The same for a name that several services may share; ``service`` may be ``*``."""
        return self.discoveries / alias / f"{service}.json"

    def log(self, replica: str) -> Path:
        return self.logs / f"{replica}.log"

    def start_count(self, replica: str) -> Path:
        return self.starts / replica

    def mark(self, replica: str) -> str:
        return str(self.base / replica)
