"""Become one replica's program. The supervisor runs this file alone: ``python -I -S launch.py REPLICA``.

It lies between the supervisor and the program for two things no configuration key of the supervisor offers: the
kernel stops the program when the supervisor dies, and the environment is exactly the one described. Standard
library only, nothing of this package: it runs before every start and must be quick.
"""

# ruff: noqa: PTH118, PTH123 - importing pathlib would cost every start some milliseconds

import ctypes
import json
import os
import signal
import sys

PR_SET_PDEATHSIG = 1
CANNOT_START = 127


def main(replica: str) -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    with open(os.path.join("records", f"{replica}.json"), encoding="utf-8") as stream:
        record = json.load(stream)
    die_with_supervisor(record["stop_signal"])
    clean_descriptors()
    argv, environ = record["argv"], record["environ"]
    try:
        os.chdir(record["folder"])
        os.execve(argv[0], argv, environ)  # noqa: S606 - no shell is wanted
    except OSError as error:
        sys.exit(complain(f"cannot start {argv[0]} in {record['folder']}: {error.strerror}"))


def die_with_supervisor(stop_signal: str) -> None:
    """The program gets its own stop signal when its parent dies, even by kill -9; execve keeps the setting."""
    number = int(stop_signal) if stop_signal.isdigit() else getattr(signal, stop_signal)
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, int(number), 0, 0, 0) != 0:
        complain(f"cannot ask the kernel for a parent-death signal: {os.strerror(ctypes.get_errno())}")
    with open("supervisord.pid", encoding="ascii") as stream:
        if os.getppid() != int(stream.read()):
            sys.exit(complain("the supervisor died while this replica was starting"))


def clean_descriptors() -> None:
    """No input, and the default reaction to a closed pipe, which Python itself had changed."""
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)


def complain(sentence: str) -> int:
    sys.stderr.write(f"tradebot: {sentence}\n")
    sys.stderr.flush()
    return CANNOT_START


if __name__ == "__main__":
    main(sys.argv[1])
