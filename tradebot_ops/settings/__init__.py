"""The only reader of the environment, ``tradebot.toml`` and ``.env`` files."""

from tradebot_ops.settings.declared import MAX_DRAIN, MAX_REPLICAS, STACK_SETTINGS
from tradebot_ops.settings.model import DEFAULT_PROFILES, Settings, Value
from tradebot_ops.settings.read import load_settings
from tradebot_ops.settings.secret import Secret

__all__ = [
    "DEFAULT_PROFILES",
    "MAX_DRAIN",
    "MAX_REPLICAS",
    "STACK_SETTINGS",
    "Secret",
    "Settings",
    "Value",
    "load_settings",
]
