"""The page of exit codes and errors, which is the one place where they are described."""

import re
from functools import cache

from tradebot_ops.stack.source import default_folder


@cache
def errors() -> dict[str, tuple[str, str]]:
    """Meaning and remedy of each error, by its code."""
    return {code: (meaning, remedy) for code, meaning, remedy in _rows(r"^\| (TB-\d{4}) \| (.+) \| (.+) \|$")}


@cache
def exit_codes() -> dict[str, str]:
    """Meaning of each exit code, by its digits."""
    return {row[0]: row[1] for row in _rows(r"^\| (\d+) \| (.+) \|$")}


def exit_code_of(error: str) -> str:
    """The exit code that the digits of an error begin with."""
    return str(int(error[3:5]))


def _rows(pattern: str) -> list[tuple[str, ...]]:
    text = (default_folder() / "docs" / "exit-codes.md").read_text(encoding="utf-8")
    return re.findall(pattern, text, re.MULTILINE)
