"""Dead jobs in a file, one JSON document a line: taken elsewhere, kept, and queued from there once."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

from tradebot_ops.context import Ops
from tradebot_ops.errors import OpsError, Refused
from tradebot_ops.model import Report, Section
from tradebot_ops.operations.change import change
from tradebot_ops.operations.jobs.dead_letters import dead_jobs, named
from tradebot_ops.private_folder import write_lines
from tradebot_ops.progress import OnProgress, Phase, ProgressEvent, ignore_progress
from tradebot_ops.shapes import Shape, ShapeError, fields, text
from tradebot_ops.shapes import named as object_of
from tradebot_ops.text.sentences import agreed

#: What the first words of each line are, so that a file of another kind is not taken for one of these.
FORMAT = "tradebot/dead-letter/1"
_KEPT = [
    *("id", "type", "version", "payload", "attempt", "max_attempts", "kills", "deferrals", "replays", "worker"),
    *("submitted_at", "finished_at", "peak_memory_bytes", "trace_id", "error"),
]
_WANTED: dict[str, Shape[Any]] = {
    "id": lambda value: str(UUID(text(value))),
    "type": text,
    "payload": object_of(lambda value: value),
}
_HINT = "Import what `tradebot dlq export` wrote: tradebot dlq import FILE"


def export(
    ops: Ops, path: Path, *, group: str | None, every: bool, on_progress: OnProgress = ignore_progress
) -> Report:
    """Write dead jobs of a group, or all that are not in quarantine, to a file that only its owner may read.

    Raises ``OpsError`` TB-0290 unless one of both is wanted, TB-0802 where the file cannot be written.
    """
    named([], group, every, "export")
    jobs = dead_jobs(ops, group, traceback=True)
    count = write_lines(path, _lines(ops, jobs, on_progress))
    sentence = agreed(f"{count} jobs were written to {path}; they are dead here as before.")
    return Report(data={"file": str(path), "jobs": count}, sections=(Section(lines=(sentence,)),))


def _lines(ops: Ops, jobs: Iterator[dict[str, Any]], on_progress: OnProgress) -> Iterator[str]:
    secrets = [ops.secret(name) for name in ops.stack.secrets if ops.secret_file(name).exists()]
    number = 0
    for number, job in enumerate(jobs, 1):
        line = json.dumps({"format": FORMAT} | {name: job[name] for name in _KEPT}, ensure_ascii=False)
        for secret in secrets:
            line = secret.hide_in(line)
        yield line
        if number % 1000 == 0:
            on_progress(ProgressEvent("export", Phase.STARTING, f"{number}"))
    on_progress(ProgressEvent("export", Phase.DONE, f"{number}"))


def import_(ops: Ops, path: Path, *, on_progress: OnProgress = ignore_progress) -> Report:
    """Queue the jobs of a file. One that is still dead here is replayed, one that is gone is submitted anew.

    The whole file is read before anything is queued. Each job is queued once however often its file is imported: a
    replay remembers that it was one, and a new job bears a key. Raises ``OpsError`` TB-0291 for a bad line, TB-0294
    for one that the API refuses.
    """
    letters = read(path)
    queued: list[str] = []
    left: list[str] = []
    with change(ops, "dlq import", str(path), on_progress=on_progress, lease=False):
        for done, (number, letter) in enumerate(letters.items(), 1):
            (queued if _queue(ops, path, number, letter) else left).append(letter["id"])
            on_progress(ProgressEvent("import", Phase.STARTING, f"{done} of {len(letters)}"))
        on_progress(ProgressEvent("import", Phase.DONE, f"{len(queued)} of {len(letters)}"))
    lines = [agreed(f"{len(queued)} jobs were queued.")]
    if left:
        lines.append(agreed(f"{len(left)} jobs were left out: queued before, or dead no more."))
    return Report(data={"queued": queued, "left_out": left}, sections=(Section(lines=tuple(lines)),))


def read(path: Path) -> dict[int, dict[str, Any]]:
    """The dead jobs of a file by their lines. Raises ``OpsError`` TB-0291 for a line that is none, and for no file."""
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except UnicodeDecodeError:
        raise _bad(path, "it is no text") from None
    except OSError as error:
        raise OpsError(f"Cannot read {path}: {error.strerror}.", code="TB-0291", hint=_HINT) from None
    return {number: _letter(path, number, line) for number, line in enumerate(lines, 1) if line.strip()}


def _letter(path: Path, number: int, line: str) -> dict[str, Any]:
    try:
        document = object_of(lambda value: value)(json.loads(line))
        if document.get("format") != FORMAT:
            raise ShapeError(f"its format is {document.get('format')!r} and not {FORMAT!r}")
        letter = fields(document, _WANTED)
    except (ValueError, RecursionError) as error:
        raise _bad(path, f"line {number} is no dead job: {error}") from None
    if missing := [name for name in _WANTED if name not in letter]:
        raise _bad(path, f"line {number} is no dead job: it has no {', '.join(missing)}")
    return letter


def _bad(path: Path, why: str) -> OpsError:
    return OpsError(f"Nothing of {path} was queued: {why}.", code="TB-0291", hint=_HINT)


def _queue(ops: Ops, path: Path, number: int, letter: dict[str, Any]) -> bool:
    """Whether this call queued it. An answer that refuses the job names its line."""
    try:
        here = ops.api.known_job(letter["id"])
        if here is None:
            return ops.api.submit_once(letter["type"], letter["payload"], f"dead-letter:{letter['id']}")
        return here["state"] == "dead" and ops.api.replay(letter["id"], again=False) is not None
    except Refused as error:
        raise OpsError(
            f"Line {number} of {path} was refused, those before it are queued: {error.message}",
            code="TB-0294",
            hint="Mend the line or take it out, and import the file again: nothing is queued twice.",
            detail=error.detail,
        ) from None
