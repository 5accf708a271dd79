"""Where in a file a finding belongs: ``compose.yaml#redis`` becomes ``compose.yaml:53``. Formats for CI need a line."""

import re
from pathlib import Path

_LARGEST = 1_000_000


def resolve(anchor: str, folder: Path) -> str:
    """The anchor with the line of its text, where the file is there and has it; else the file alone.

    ``FILE#text`` means the first line that begins with the text as a name of YAML or .env (``redis:``,
    ``REDIS_PORT=``), else the first that holds it.
    """
    file, hash_, text = anchor.partition("#")
    if not hash_:
        return anchor
    path = folder / file
    if not path.is_file() or path.stat().st_size > _LARGEST:
        return file
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    name = re.compile(rf"\s*(- )?{re.escape(text)}\s*[:=]")
    for fits in (name.match, lambda line: text in line):
        for number, line in enumerate(lines, 1):
            if fits(line):
                return f"{file}:{number}"
    return file
