"""Names that were found last, and the process that looks again.

A key press must not wait for a stack: it gets what is known, and what is older than a moment is looked up behind it.
Whoever asks in the same folder with the same options means the same stack, so that no setting has to be read here.
"""

import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tradebot_ops.private_folder import PrivateFolder, make_private
from tradebot_ops.state import cache_root

#: Seconds after which they are looked up again.
FRESH_S = 2.0
#: Seconds after which nobody asks for them any more.
FORGOTTEN_S = 86_400.0

#: By kind, each name with a few words about it.
Names = dict[str, list[tuple[str, str]]]


@dataclass(frozen=True)
class Cache:
    """The names of the stack that ``options``, standing in ``folder``, mean."""

    options: tuple[str, ...]
    folder: Path

    @property
    def path(self) -> Path:
        settings = sorted(item for item in os.environ.items() if item[0].startswith(("TRADEBOT_", "DOCKER_")))
        key = json.dumps([self.options, str(self.folder), settings])
        return folder(os.environ) / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.json"

    def known(self) -> "Known":
        """The names that were found last; none before the first time."""
        try:
            return Known(**json.loads(self.path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):  # none yet, or one of another version: the next look writes it
            return Known({}, 0.0)

    def store(self, names: Names) -> None:
        """Remember these, and forget what nobody asked for since yesterday."""
        private = PrivateFolder(self.path.parent)
        private.write_json(self.path.name, {"names": names, "at": time.time()})
        for each in self.path.parent.iterdir():
            if time.time() - each.stat().st_mtime > FORGOTTEN_S:
                private.remove(each.name)

    def refresh(self) -> None:
        """Let another process look, which outlives this one; not while one that began a moment ago may be at it.

        Where nothing can be remembered nobody looks.
        """
        asked = self.path.with_suffix(".asked")
        try:
            if asked.exists() and time.time() - asked.stat().st_mtime < FRESH_S:
                return
            make_private(asked.parent)
            asked.touch(0o600)
        except OSError:
            return
        subprocess.Popen(
            [sys.executable, "-m", "tradebot_ops", *self.options, "completion", "refresh"],
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )


@dataclass(frozen=True)
class Known:
    """Names and when they were found, in seconds of the epoch."""

    names: Names
    at: float

    def fresh(self) -> bool:
        return 0 <= time.time() - self.at < FRESH_S


def folder(environ: Mapping[str, str]) -> Path:
    """Where all that a key press needs is remembered."""
    return cache_root(environ) / "completion"


def here(options: Sequence[str]) -> Cache:
    """The cache for whoever stands here and gives these options."""
    return Cache(tuple(options), Path.cwd())
