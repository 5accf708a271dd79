"""Ctrl-C ends a command: at once where nothing is under way, else within seconds, whatever its threads wait for."""

import os
import signal
import sys
import threading
from types import FrameType
from typing import NoReturn

from tradebot_ops.errors import ExitCode

#: For threads to notice and for what was begun to be put away. An engine may be silent for minutes.
GRACE_SECONDS = 3.0
SHOW_CURSOR = "\x1b[?25h"


def arm() -> None:
    """Nothing is changed where the signal is ignored on purpose, as by `nohup` and background jobs do."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _on_interrupt)


def _on_interrupt(number: int, frame: FrameType | None) -> NoReturn:
    limit = threading.Timer(GRACE_SECONDS, _leave)
    limit.daemon = True
    limit.start()
    raise KeyboardInterrupt


def _leave() -> None:
    """Every step of ours may be cut short and done again; locks go with the process."""
    if sys.stderr.isatty():
        sys.stderr.write(SHOW_CURSOR)
    sys.stderr.flush()
    os._exit(ExitCode.INTERRUPTED)
