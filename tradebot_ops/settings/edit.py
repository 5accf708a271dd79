"""Change values in a ``.env`` file: every other line stays as it is, comments and order included."""

import io
from collections.abc import Mapping
from pathlib import Path

from tradebot_ops.private_folder import PrivateFolder
from tradebot_ops.settings.files import env_text


def set_values(path: Path, values: Mapping[str, str | None]) -> None:
    """Give each name its value, or take it out (None), all in one atomic write; the file becomes its owner's alone.

    A name that stands there several times is left once, at its first place. Raises ``OpsError`` TB-0804 for a file
    that cannot be read, TB-0802 for one that cannot be written.
    """
    target = path.resolve()  # a link stays a link
    before = env_text(target) if target.exists() else ""
    PrivateFolder(target.parent).write(target.name, edited(before, values))


def edited(text: str, values: Mapping[str, str | None]) -> str:
    """The text of such a file with the values changed."""
    from dotenv.parser import parse_stream

    waiting = dict(values)
    parts = []
    for binding in parse_stream(io.StringIO(text)):
        name = binding.key
        if name is None or name not in values:
            parts.append(binding.original.string)
        elif (value := waiting.pop(name, None)) is not None:
            parts.append(_line(name, value))
    kept = "".join(parts)
    if kept and not kept.endswith("\n"):
        kept += "\n"
    return kept + "".join(_line(name, value) for name, value in waiting.items() if value is not None)


def _line(name: str, value: str) -> str:
    """In single quotes where a word would end or a variable begin."""
    plain = all(letter.isalnum() or letter in "-_.:/@%+," for letter in value)
    quoted = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"{name}={value}\n" if plain else f"{name}='{quoted}'\n"
