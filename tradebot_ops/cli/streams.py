"""Standard streams that neither break on a character nor on a reader that left."""

import contextlib
import errno
import io
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO, cast

from tradebot_ops.errors import OpsError


def plain_streams() -> None:
    """A terminal or pipe that cannot show a character gets a replacement, never a traceback."""
    sys.stdout = sys.stdout or cast("TextIO", _Closed())
    sys.stderr = sys.stderr or Path(os.devnull).open("w")  # noqa: SIM115 - for as long as the process lives
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


@contextlib.contextmanager
def writing_stdout() -> Iterator[TextIO]:
    """Standard output for one piece of writing.

    A reader that left (``| head``) ends the writing, not the command: its exit code still reports what it found.
    Raises ``OpsError`` TB-0122 where nothing can be written: the disk is full, or the stream is closed.
    """
    try:
        yield sys.stdout
        sys.stdout.flush()
    except BrokenPipeError:
        _give_up_stdout()
    except OSError as error:
        _give_up_stdout()
        raise output_lost(error) from None


class LostOutputError(OpsError):
    """Nobody can read what the command has to say, its errors as JSON included."""


def output_lost(error: OSError) -> LostOutputError:
    why = (error.strerror or str(error)).lower()
    hint = "Is the disk full (df -h)? Was the output closed (>&-)?"
    return LostOutputError(f"The output cannot be written: {why}.", code="TB-0122", hint=hint)


def _give_up_stdout() -> None:
    """The interpreter flushes once more at exit; give it somewhere to."""
    if isinstance(sys.stdout, _Closed):
        sys.stdout = Path(os.devnull).open("w")  # noqa: SIM115 - for as long as the process lives
    else:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class _Closed(io.TextIOBase):
    """Standard output of a process that was started without one (``>&-``)."""

    def write(self, text: str) -> int:
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))


def say(line: str) -> None:
    """One line of talk, at once."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
