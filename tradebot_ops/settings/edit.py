"""Change values in a ``.env`` file: every other line stays as it is, comments and order included."""

from collections.abc import Mapping
from pathlib import Path

from tradebot_ops.private_folder import PrivateFolder
from tradebot_ops.settings.files import env_text
from tradebot_ops.text.dotenv import Entry, entries, line_of


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
    waiting = dict(values)
    parts = []
    at = 0
    for entry in entries(text):
        if not isinstance(entry, Entry) or entry.name not in values:
            continue
        parts.append(text[at : entry.start])
        at = entry.end
        if (value := waiting.pop(entry.name, None)) is not None:
            parts.append(line_of(entry.name, value))
    kept = "".join(parts) + text[at:]
    if kept and not kept.endswith("\n"):
        kept += "\n"
    return kept + "".join(line_of(name, value) for name, value in waiting.items() if value is not None)
