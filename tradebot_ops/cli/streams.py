"""Standard streams that neither break on a character nor on a reader that left."""

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import TextIO


def plain_streams() -> None:
    """A terminal or pipe that cannot show a character gets a replacement, never a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


@contextlib.contextmanager
def writing_stdout() -> Iterator[TextIO]:
    """Standard output for one piece of writing.

    A reader that left (``| head``) ends the writing, not the command: its exit code still reports what it found.
    """
    try:
        yield sys.stdout
        sys.stdout.flush()
    except BrokenPipeError:
        # The interpreter flushes once more at exit; give it somewhere to.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def say(line: str) -> None:
    """One line of talk, at once."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
