"""How each program of the stack is started on this host: one file per program, found by its first command word.

A file offers ``PROGRAM``. Nothing else has to be told about a new one.
"""

import importlib
import pkgutil
from functools import cache

from tradebot_ops.engines.local.programs.base import Launch, LocalReplica, Program
from tradebot_ops.engines.local.programs.path import on_path

__all__ = ["Launch", "LocalReplica", "Program", "program_for"]


def program_for(word: str) -> Program:
    """The program behind a command's first word; any other program is taken from PATH."""
    return _by_word().get(word, on_path)


@cache
def _by_word() -> dict[str, Program]:
    found: dict[str, Program] = {}
    for module in pkgutil.iter_modules(__path__):
        program = getattr(importlib.import_module(f"{__name__}.{module.name}"), "PROGRAM", None)
        if isinstance(program, Program):
            found.update(dict.fromkeys(program.words, program))
    return found
