"""A command as a scheduler has to type it: it knows neither this folder nor the settings of this shell."""

import re
import sys
from pathlib import Path

from tradebot_ops.context import Ops
from tradebot_ops.settings.declared import STACK_SETTINGS

#: What it has to be given to find the same stack, the same state and the same backups.
CARRIED = (
    "TRADEBOT_STATE",
    "TRADEBOT_BACKUPS",
    "TRADEBOT_PROFILES",
    "TRADEBOT_TIMEOUT",
    "XDG_STATE_HOME",
    "DOCKER_HOST",
    "DOCKER_CONTEXT",
    "PATH",
)


def call(ops: Ops, *words: str) -> list[str]:
    """The words of a command that means this project, its engine and its files, wherever it is run."""
    settings = ops.settings
    files = [word for path in ops.source.files for word in ("--file", str(path))]
    chosen = ["-p", settings.project, "--engine", ops.choice.engine.name, *files]
    if settings.env_file.is_file():
        chosen += ["--env-file", str(settings.env_file)]
    if settings.env != "dev":
        chosen += ["--env", settings.env]
    return [_program(), *chosen, *words, "--quiet"]


def carried(ops: Ops) -> dict[str, str]:
    """Variables that it needs: what names folders, and settings of the stack that stand in this shell alone."""
    names = (*CARRIED, *(setting.name for setting in STACK_SETTINGS))
    return {each: ops.settings.environ[each] for each in names if ops.settings.environ.get(each)}


def unit_quoted(word: str) -> str:
    """As systemd.syntax(7) reads it in a command line: percent signs and dollars have a meaning there."""
    return assignment(word).replace("$", "$$")


def assignment(word: str) -> str:
    """The same for ``Environment=``, where a dollar stands for itself."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return escaped if re.fullmatch(r"[\w./:=@%$,+-]+", escaped) else f'"{escaped}"'


def folder(path: Path) -> str:
    """The same for ``WorkingDirectory=``, which takes the rest of the line as it is."""
    return str(path).replace("%", "%%")


def _program() -> str:
    beside = Path(sys.executable).with_name("tradebot")
    return str(beside) if beside.is_file() else str(Path(sys.argv[0]).resolve())
