"""Settings of a command, and where each value was written."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tradebot_ops.errors import OpsError
from tradebot_ops.settings.declared import STACK_SETTINGS, memory_limits

#: The name of having no profile.
CORE = "core"
DEFAULT_PROFILES = ("monitoring",)
DEFAULT_PROJECT = "tradebot"


@dataclass(frozen=True)
class Value:
    """A setting's value as written, and where it was written."""

    text: str
    origin: str


@dataclass(frozen=True)
class Settings:
    """All settings of a command, read once. ``stack`` holds every variable ``compose.yaml`` may use.

    ``docker_from`` is the option that named a Docker engine (it then stands in ``environ``), or empty.
    """

    project: str = DEFAULT_PROJECT
    #: It was named by a flag, a variable or tradebot.toml; else the description may name it.
    project_chosen: bool = False
    files: tuple[Path, ...] = ()
    engine: str = "auto"
    docker_from: str = ""
    #: Empty: the core alone. None: not given; then it is as it was at the last `up`, at first DEFAULT_PROFILES.
    profiles: tuple[str, ...] | None = None
    output: str = "table"
    env: str = "dev"
    quiet: bool = False
    verbose: int = 0
    color: bool | None = None
    yes: bool = False
    timeout: float = 180.0
    cwd: Path = field(default_factory=Path.cwd)
    #: Where tradebot.toml and .env lie: the compose file's folder, else ``cwd``.
    folder: Path = field(default_factory=Path.cwd)
    environ: Mapping[str, str] = field(default_factory=dict)
    #: Where backups lie, a folder for each project: outside of the state, which `down --volumes` forgets.
    backups: Path = field(default_factory=Path.cwd)
    #: Where changes of settings are written; it may not exist yet.
    env_file: Path = field(default_factory=lambda: Path.cwd() / ".env")
    stack: Mapping[str, Value] = field(default_factory=dict)
    #: The ``[[waiver]]`` entries of ``tradebot.toml`` as written; `prod-check` judges them.
    waivers: Any = ()
    #: What is wrong and yet no error, such as a name in .env that is spelt almost like a setting.
    warnings: tuple[str, ...] = ()

    @property
    def explicit(self) -> frozenset[str]:
        """Names the user set anywhere: what was chosen is never moved silently."""
        return frozenset(name for name, value in self.stack.items() if value.origin != "default")

    def variables(self) -> dict[str, str]:
        """Variables for ``compose.yaml``: declared settings checked and in the form each service reads.

        Memory limits that nobody set follow from what the service inside is set to use.

        Raises ``OpsError`` TB-0803 naming the setting, its origin and what to write.
        """
        checks = {setting.name: setting.check for setting in STACK_SETTINGS}
        given = {name: _checked(name, value, checks.get(name)) for name, value in self.stack.items()}
        return memory_limits(given) | given


def _checked(name: str, value: Value, check: Callable[[str], str] | None) -> str:
    if check is None:
        return value.text
    try:
        return check(value.text)
    except ValueError as error:
        raise OpsError(
            f"{name} (from {value.origin}): {error}.", code="TB-0803", hint=f"Set {name} to a valid value."
        ) from None
