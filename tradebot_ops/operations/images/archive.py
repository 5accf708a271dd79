"""Images as files: written, carried elsewhere and read back."""

import contextlib
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

from tradebot_ops.context import Ops
from tradebot_ops.debian.stand_ins import STAND_INS
from tradebot_ops.errors import OpsError
from tradebot_ops.model import Report, Section
from tradebot_ops.operations.change import change
from tradebot_ops.operations.images.debian import choose
from tradebot_ops.operations.images.listing import Listed, images_of, made_here, of_stack
from tradebot_ops.private_folder import writable
from tradebot_ops.progress import OnProgress, ignore_progress
from tradebot_ops.text.sentences import agreed


def save(ops: Ops, path: Path, *, tags: Sequence[str] = ()) -> Report:
    """Write images to one file: what the stack needs and tradebot made, unless ``tags`` names some.

    The suffix decides on compression. Without ``tags``, what cannot be carried is warned about. Raises OpsError
    TB-0825 when there is nothing to save, TB-0802 when the disk is full.
    """
    images = images_of(ops.engine)
    found = [Listed(tag, (), images.find(tag)) for tag in tags] or [*of_stack(ops), *made_here(images)]
    reasons = {each.name: _stays(each) for each in found}
    wanted = tuple(name for name, reason in reasons.items() if not reason)
    left = {name: reason for name, reason in reasons.items() if reason}
    if not wanted or (tags and left):
        raise OpsError(
            " ".join(left.values()),
            code="TB-0825",
            hint="Make them with `tradebot images build --from debian`, or get them with `tradebot pull`.",
        )
    part = path.with_name(f".{path.name}.part")
    try:
        with writable(path), _packing(part, path.suffix) as stream:
            for chunk in images.save(wanted):
                stream.write(chunk)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    line = agreed(f"Saved {len(wanted)} images to {path} ({path.stat().st_size / 1e6:.0f} MB).")
    data = {"file": str(path), "tags": list(wanted), "left": list(left)}
    return Report(data=data, sections=(Section(lines=(line,)),), warnings=tuple(left.values()))


def _stays(each: Listed) -> str:
    """Why an image cannot be carried; empty when it can."""
    if each.image is None:
        return f"{each.name} is not on this engine."
    if "@" in each.name:
        return f"{each.name} is pinned by a digest, which such a file does not keep: name it by a tag alone."
    return ""


def load(ops: Ops, path: Path, on_progress: OnProgress = ignore_progress) -> Report:
    """Read images from a file that ``save`` or `docker save` wrote; stand-ins among them are used from now on."""
    images = images_of(ops.engine)
    if not path.is_file():
        raise OpsError(f"There is no file {path}.", code="TB-0839", hint="Name the file that `images save` wrote.")
    with change(ops, "images load", str(path), on_progress=on_progress, lease=False):
        with _unpacking(path) as stream:
            loaded = images.load(stream)
        choose(ops, [item for item in STAND_INS if item.variable and item.tag in loaded])
    lines = (f"Loaded {', '.join(loaded)}." if loaded else "The file held no image with a name.",)
    return Report(data={"tags": list(loaded)}, sections=(Section(lines=lines),))


@contextlib.contextmanager
def _packing(path: Path, suffix: str) -> Iterator[IO[bytes]]:
    """A file to write to, through the program that the suffix asks for."""
    with path.open("wb") as file:
        if suffix not in COMPRESSORS:
            yield file
            return
        command = [_program(suffix), *COMPRESSORS[suffix]]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=file) as packer:
            if packer.stdin is None:
                raise RuntimeError("a pipe was asked for")
            ended = False
            try:
                yield packer.stdin
                packer.stdin.close()
            except BrokenPipeError:
                ended = True
                with contextlib.suppress(BrokenPipeError):  # what it did not take is still to be written
                    packer.stdin.close()
            if packer.wait() != 0 or ended:
                raise OpsError(f"{command[0]} could not write {path}.", code="TB-0802", hint="Is the disk full? df -h")


@contextlib.contextmanager
def _unpacking(path: Path) -> Iterator[IO[bytes]]:
    with path.open("rb") as file:
        if path.suffix not in COMPRESSORS:
            yield file
            return
        program = _program(path.suffix)
        with subprocess.Popen([program, "-dc"], stdin=file, stdout=subprocess.PIPE) as unpacker:
            if unpacker.stdout is None:
                raise RuntimeError("a pipe was asked for")
            yield unpacker.stdout
            while unpacker.stdout.read(1 << 20):
                pass  # else it could not end
            if unpacker.wait() != 0:
                raise OpsError(
                    f"{program} could not read the whole of {path}.",
                    code="TB-0848",
                    hint="Carry it here again: it is cut off, or was made by another program.",
                )


COMPRESSORS = {".zst": ("-3", "-q", "-c"), ".gz": ("-1", "-c")}


def _program(suffix: str) -> str:
    name = {".zst": "zstd", ".gz": "gzip"}[suffix]
    if shutil.which(name) is None:
        raise OpsError(
            f"Files that end in {suffix} need the program {name}.",
            code="TB-0505",
            hint=f"Type `apt-get install -y {name}`, or use a name that ends in .tar.",
        )
    return name
