"""The unit of systemd that starts a project when the host boots, and stops it before the host does. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tradebot_ops.operations.unattended.typed import assignment, folder, unit_quoted

#: Exit codes of `up` that a second try does not better: wrong usage, a wrong configuration, a guard that refused.
HOPELESS = (2, 8, 9)
#: For `down` to look around, beside what services may take to end.
OVERHEAD = 60


@dataclass(frozen=True)
class Unit:
    """Contents of one. ``user`` is who a system unit runs as; empty for a unit of the user's own manager."""

    project: str
    start_words: Sequence[str]
    stop_words: Sequence[str]
    cwd: Path
    stop_seconds: float
    environ: Mapping[str, str] = field(default_factory=dict)
    user: str = ""

    @property
    def name(self) -> str:
        return name_of(self.project)

    def text(self) -> str:
        lines = [
            "[Unit]",
            f"Description=tradebot: the stack {self.project}",
            *(["Wants=network-online.target", "After=network-online.target"] if self.user else []),
            "",
            "[Service]",
            "Type=oneshot",
            "RemainAfterExit=yes",
            *([f"User={self.user}"] if self.user else []),
            f"WorkingDirectory={folder(self.cwd)}",
            *(f"Environment={assignment(f'{name}={value}')}" for name, value in self.environ.items()),
            f"ExecStart={_line(self.start_words)}",
            f"ExecStop={_line(self.stop_words)}",
            f"TimeoutStopSec={OVERHEAD + round(self.stop_seconds)}",
            "# A start that came half-way leaves what it started, and the next try goes on from there.",
            "Restart=on-failure",
            "RestartSec=30",
            f"RestartPreventExitStatus={' '.join(map(str, HOPELESS))}",
            "# Services end by `tradebot down`, in their order, never by a signal to all of them at once.",
            "KillMode=process",
            "# A job that the kernel ends for its memory is not the end of the stack.",
            "OOMPolicy=continue",
            "",
            "[Install]",
            f"WantedBy={'multi-user' if self.user else 'default'}.target",
        ]
        return "".join(f"{line}\n" for line in lines)


def name_of(project: str) -> str:
    return f"tradebot-{project}.service"


def _line(words: Sequence[str]) -> str:
    return " ".join(map(unit_quoted, words))
