"""``.env`` files and ``tradebot.toml``: what they say, or the line that cannot be read.

Raises ``OpsError`` TB-0804.
"""

import io
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tradebot_ops.errors import OpsError
from tradebot_ops.settings.declared import ENVIRONMENTS
from tradebot_ops.text.suggest import did_you_mean

TOML_KEYS = frozenset(
    {
        "context",
        "engine",
        "env",
        "env_file",
        "file",
        "host",
        "output",
        "profiles",
        "project",
        "settings",
        "timeout",
        "waiver",
    }
)


def env_file(chosen: str, env: str, cwd: Path) -> tuple[str, Mapping[str, str]]:
    """The ``.env`` file in force: the chosen one, else ``.env.<environment>``, else ``.env``."""
    names = [chosen] if chosen else [f".env.{ENVIRONMENTS[env]}", ".env"]
    for name in names:
        path = cwd / name
        if path.is_file():
            return name, _read_env(path)
    if chosen:
        raise OpsError(f"There is no environment file {cwd / chosen}.", code="TB-0804", hint="Check --env-file.")
    return "", {}


def env_path(found: str, chosen: str, cwd: Path) -> Path:
    """Where changes of settings are written: the ``.env`` file in force, else the one that would come into force."""
    return cwd / (found or chosen or ".env")


def _read_env(path: Path) -> dict[str, str]:
    """Names and values by python-dotenv; a line it cannot read is an error here, not a log line."""
    from dotenv.parser import parse_stream

    pairs = {}
    for binding in parse_stream(io.StringIO(env_text(path))):
        if binding.error or (binding.key is not None and binding.value is None):
            raise OpsError(
                f"{path}, line {binding.original.line}: this is not NAME=value.",
                code="TB-0804",
                hint="Write NAME=value, or # for a comment.",
            )
        if binding.key is not None and binding.value is not None:
            pairs[binding.key] = binding.value
    return pairs


def read_toml(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        return tomllib.loads(env_text(path))
    except tomllib.TOMLDecodeError as error:
        raise OpsError(f"{path} is not valid TOML: {error}.", code="TB-0804", hint="Mend the line it names.") from None


def known(toml: dict[str, Any], path: Path) -> dict[str, Any]:
    """The same. A key that nothing reads is an error, for only tradebot reads this file: a misspelt ``project`` would
    mean another project without a word."""
    for key in toml.keys() - TOML_KEYS:
        raise OpsError(
            f"{path}: `{key}` is no key of this file.",
            code="TB-0804",
            hint=f"{did_you_mean(key, TOML_KEYS)} Its keys: {', '.join(sorted(TOML_KEYS))}.".lstrip(),
        )
    return toml


def env_text(path: Path) -> str:
    """The text of a file of settings."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise OpsError(
            f"Cannot read {path}: {error}.", code="TB-0804", hint="Check that it is a readable UTF-8 file."
        ) from None
