"""Reports written to files, whole or not at all."""

import io
import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from tradebot_ops.errors import OpsError
from tradebot_ops.model import Report
from tradebot_ops.private_folder import writable
from tradebot_ops.render import renderer

#: What the ending of a file says about its format, where no ``--output`` does.
ENDINGS = {
    ".xml": "junit",
    ".sarif": "sarif",
    ".html": "html",
    ".md": "markdown",
    ".prom": "prometheus",
    ".json": "json",
    ".yaml": "yaml",
    ".txt": "table",
}


def formats_of(files: Sequence[Path], output: str) -> dict[Path, str]:
    """The format of each file: by its ending, else that of ``--output``.

    Raises ``OpsError`` TB-0205 where neither says it, and TB-0802 where its folder is missing: before a run, not after.
    """
    found = {}
    for file in files:
        chosen = ENDINGS.get(file.suffix.lower()) or (output if output != "table" else "")
        if not chosen:
            hint = f"End it with one of {' '.join(ENDINGS)}, or name the format: -o junit"
            raise OpsError(f"The format of {file} is not known.", code="TB-0205", hint=hint)
        if not file.parent.is_dir():
            hint = f"Make it first: mkdir -p '{file.parent}'"
            raise OpsError(f"The folder of {file} does not exist.", code="TB-0802", hint=hint)
        found[file] = chosen
    return found


def write_files(report: Report, files: Mapping[Path, str]) -> None:
    """Replace each file in one step, so that a reader never sees half a report. Raises ``OpsError`` TB-0802."""
    for file, chosen in files.items():
        text = io.StringIO()
        renderer(chosen)(report, text, False)
        with writable(file):
            _replace(file, text.getvalue())


def _replace(file: Path, text: str) -> None:
    """With the mode that a new file gets here: whoever collects reports may be another user."""
    handle, temporary = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
            mask = os.umask(0)
            os.umask(mask)
            os.fchmod(stream.fileno(), 0o666 & ~mask)
        Path(temporary).replace(file)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
