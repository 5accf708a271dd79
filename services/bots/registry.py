"""The adapters there are, by name: a new one is a module in ``services/bots/adapters``, and its test."""

import importlib

from services.bots.contract import Adapter
from services.common.discovery import module_names

PACKAGE = "services.bots.adapters"


def adapters() -> dict[str, Adapter]:
    found = (importlib.import_module(name).ADAPTER for name in module_names(PACKAGE))
    return {adapter.name: adapter for adapter in found}
