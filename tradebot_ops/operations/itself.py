"""This program as a command of its own process, with the settings of this call."""

import sys

from tradebot_ops.settings import Settings
from tradebot_ops.settings.model import CORE


def command(settings: Settings) -> list[str]:
    """The program and its global options; ``settings.environ`` is the environment that belongs to it."""
    profiles = () if settings.profiles is None else settings.profiles or (CORE,)
    return [
        *(sys.executable, "-P", "-m", "tradebot_ops", "-p", settings.project),
        *("--engine", settings.engine, "--env", settings.env, "--timeout", f"{settings.timeout:g}"),
        *(word for file in settings.files for word in ("-f", str(file))),
        *(word for name in profiles for word in ("--profile", name)),
        *(("--env-file", str(settings.env_file)) if settings.env_file.exists() else ()),
        *(("--quiet",) if settings.quiet else ()),
        *(("--no-color",) if settings.color is False else ()),
        *(["--verbose"] * settings.verbose),
    ]
