"""``.env`` files and ``tradebot.toml``: what they say, or the line that cannot be read.

Raises ``OpsError`` TB-0804.
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tradebot_ops.errors import OpsError
from tradebot_ops.settings.declared import ENVIRONMENTS
from tradebot_ops.text import dotenv
from tradebot_ops.text.suggest import did_you_mean

#: What each key holds, and how that is written.
TOML_KEYS: Mapping[str, tuple[tuple[type, ...], str]] = {
    "backups": ((str,), '"text"'),
    "context": ((str,), '"text"'),
    "engine": ((str,), '"text"'),
    "env": ((str,), '"text"'),
    "env_file": ((str,), '"text"'),
    "file": ((str,), '"text"'),
    "host": ((str,), '"text"'),
    "output": ((str,), '"text"'),
    "profiles": ((str, list), '["text"]'),
    "project": ((str,), '"text"'),
    "settings": ((dict,), "a table: [settings]"),
    "timeout": ((int, float, str), "a number"),
    "waiver": ((object,), "[[waiver]]"),  # `prod-check` judges each
}


def env_file(chosen: str, env: str, cwd: Path, environ: Mapping[str, str]) -> tuple[str, Mapping[str, str]]:
    """The ``.env`` file in force: the chosen one, else ``.env.<environment>``, else ``.env``. Its variables are
    replaced by those of ``environ`` and of the lines before."""
    names = [chosen] if chosen else [f".env.{ENVIRONMENTS[env]}", ".env"]
    for name in names:
        path = cwd / name
        if path.is_file():
            return name, settings_in(path, environ)
    if chosen:
        raise OpsError(f"There is no environment file {cwd / chosen}.", code="TB-0804", hint="Check --env-file.")
    return "", {}


def env_path(found: str, cwd: Path) -> Path:
    """Where changes of settings are written: the ``.env`` file in force, else the one that would come into force."""
    return cwd / (found or ".env")


def settings_in(path: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """The values of one such file."""
    try:
        found = dotenv.values(env_text(path), environ, {})
    except dotenv.DotenvError as error:
        message = f"{path}, line {error.line}: {error.name or 'this'} {error}."
        raise OpsError(message, code="TB-0804", hint=error.hint) from None
    return {name: value for name, value in found.items() if value is not None}


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
    for key, value in toml.items():
        kinds, written = TOML_KEYS[key]
        if not isinstance(value, kinds) or (isinstance(value, bool) and object not in kinds):
            raise _wrong_type(path, key, written)
    for name, value in toml.get("settings", {}).items():
        if isinstance(value, dict | list):
            raise _wrong_type(path, f"settings.{name}", '"text" or a number')
    if not all(isinstance(each, str) for each in toml.get("profiles", ())):
        raise _wrong_type(path, "profiles", TOML_KEYS["profiles"][1])
    return toml


def _wrong_type(path: Path, key: str, written: str) -> OpsError:
    return OpsError(f"{path}: `{key}` holds the wrong kind of value.", code="TB-0804", hint=f"Write {written}.")


def env_text(path: Path) -> str:
    """The text of a file of settings."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise OpsError(
            f"Cannot read {path}: {error}.", code="TB-0804", hint="Check that it is a readable UTF-8 file."
        ) from None
