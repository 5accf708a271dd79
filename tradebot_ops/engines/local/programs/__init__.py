"""How each program of the stack is started on this host: one file per program, found by its first command word.

A file offers ``PROGRAM``; a new one needs no entry anywhere else.
"""

import sys
from functools import cache

from tradebot_ops.discovery import discover
from tradebot_ops.engines.local.launching.on_path import on_path
from tradebot_ops.engines.local.launching.program import Program


def program_for(word: str) -> Program:
    """The program behind a command's first word; any other program is taken from PATH."""
    return _by_word().get(word, on_path)


@cache
def _by_word() -> dict[str, Program]:
    return {word: program for program in discover(sys.modules[__name__], "PROGRAM") for word in program.words}
