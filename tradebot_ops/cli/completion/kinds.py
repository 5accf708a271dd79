"""Which names fit where: an argument or an option says by its metavar what it wants.

A kind is known from here, or asked of the running stack (``facts/names.py``) and remembered.
"""

from collections.abc import Sequence
from typing import Any

from tradebot_ops.cli.completion.shape import FILES
from tradebot_ops.settings.declared import STACK_SETTINGS

#: Kinds by metavar, and by ``command METAVAR`` or option where the metavar alone says too little.
_KINDS: dict[str, tuple[str, ...]] = {
    "ALERT": ("alert",),
    "BREAKER": ("breaker",),
    "DEST": (FILES,),
    "FILE": (FILES,),
    "FILE...": (FILES,),
    "FOLDER": (FILES,),
    "GROUP": ("group",),
    "ID": ("check",),
    "JOB": ("job",),
    "JOB...": ("job",),
    "NAME=VALUE": ("parameter",),
    "SCHEDULE": ("schedule",),
    "SERVICE": ("service", "replica"),
    "SILENCE": ("silence",),
    "SNAPSHOT": (FILES,),
    "OTHER": (FILES,),
    "TERM": ("term",),
    "TYPE": ("type",),
    "WORKER": ("worker",),
    "attest NAME": ("attestation",),
    "GROUP|TYPE": ("group", "type"),
    "dlq replay [ID]...": ("dead job",),
    "dlq show JOB": ("dead job",),
    "dlq purge [ID]...": ("dead job",),
    "jobs retry JOB": ("dead job",),
    "scale SERVICE": ("service",),
    "up SERVICE": ("service",),
    "build SERVICE": ("service",),
    "pull SERVICE": ("service",),
    "tls import CERTIFICATE": (FILES,),
    "tls import KEY": (FILES,),
    "--project": ("project",),
}
#: Values that never change, by option or metavar.
VALUES: dict[str, tuple[str, ...]] = {
    "--dates": ("dmy", "mdy"),
    "--decimal": ("point", "comma"),
    "--engine": ("auto", "docker", "local", "swarm"),
    "--env": ("dev", "staging", "prod"),
    "--level": ("debug", "info", "warning", "error", "critical"),
    "--notify": ("end", "dead"),
    "--output": ("table", "json", "yaml", "plain", "junit", "sarif", "html"),
    "--profile": ("monitoring", "core"),
    "--state": ("queued", "running", "retrying", "succeeded", "dead", "cancelled"),
    "BACKUP": ("latest",),
    "SETTING": tuple(setting.name for setting in STACK_SETTINGS),
    "SETTING=VALUE": tuple(f"{setting.name}=" for setting in STACK_SETTINGS),
    "ROLE": ("read", "operate", "admin"),
    "PART": ("postgres", "config"),
    "SECRET": ("alert_token", "api_key", "postgres_app_password", "redis_password"),
    "systemd|cron": ("systemd", "cron"),
    "STRATEGY": ("breakout", "mean_reversion", "sma_cross"),
    "SHELL": ("bash", "zsh", "fish"),
}


def kinds_of(path: Sequence[str], parameter: Any) -> tuple[str, ...]:
    """The kinds of names that may stand there, none where nothing is known of it."""
    for key in _keys(path, parameter):
        if key in _KINDS:
            return _KINDS[key]
    return ()


def values_of(path: Sequence[str], parameter: Any) -> tuple[str, ...]:
    return next((VALUES[key] for key in _keys(path, parameter) if key in VALUES), ())


def _keys(path: Sequence[str], parameter: Any) -> tuple[str, ...]:
    metavar = parameter.metavar or ""
    options = () if parameter.param_type_name == "argument" else tuple(reversed(parameter.opts))
    return (" ".join((*path, metavar)), *options, metavar)
