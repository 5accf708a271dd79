"""Errors as operators see them, and the exit codes scripts rely on."""

from enum import IntEnum


class ExitCode(IntEnum):
    """Stable process exit codes; documented in ``docs/exit-codes.md``."""

    OK = 0
    FAILED = 1
    USAGE = 2
    WARNINGS = 3
    ENGINE_UNREACHABLE = 4
    DEPENDENCY_UNREACHABLE = 5
    TIMED_OUT = 6
    LOCK_HELD = 7
    CONFIG_INVALID = 8
    REFUSED = 9
    CHANGES_PRESENT = 10
    INTERRUPTED = 130
    TERMINATED = 143


class OpsError(Exception):
    """A failure the operator can act on.

    Code that must distinguish failures catches a kind, which is a subclass; it never compares ``code``.

    ``message`` says what failed and why in one sentence. ``code`` is ``TB-xxyy``: ``xx`` is the exit code of
    the process, ``yy`` distinguishes causes with the same exit code, so scripts and people can look one up.
    ``hint`` says what to type next. ``detail`` holds lines worth showing under the message, such as the last
    log lines of a service that crashed.
    """

    def __init__(self, message: str, code: str = "TB-0100", hint: str = "", detail: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.hint = hint
        self.detail = detail

    @property
    def exit_code(self) -> ExitCode:
        return ExitCode(int(self.code[3:5]))


class Unavailable(OpsError):  # noqa: N818 - a service this host cannot run; what it belongs to works without it
    """A service cannot run here, and its absence is for the caller to judge. The hint says what to install."""

    def __init__(self, message: str, hint: str = "", detail: tuple[str, ...] = (), code: str = "TB-0411") -> None:
        super().__init__(message, code=code, hint=hint, detail=detail)


class ImageMissing(Unavailable):
    """An image is not on the engine, and no registry gave it or is asked for it."""


class DiskFull(OpsError):  # noqa: N818 - like all kinds here, named for what is the case
    """There is no space left on the disk where the engine keeps images and volumes."""


class PortTaken(OpsError):  # noqa: N818
    """Another program or container holds the port that a service was to publish."""


class NoAddress(OpsError):  # noqa: N818
    """The engine knows no address at which this host reaches a port: nothing runs there, or it has no such port."""


class Unreachable(OpsError):  # noqa: N818
    """A service gives no answer: it cannot be connected to, or its answer took too long."""


class NotRunning(Unreachable):
    """A service gives no answer because it was never started, or was stopped."""


class NoneLeft(Unreachable):
    """A service gives no answer because others have taken all the connections that it can have."""


class Refused(OpsError):  # noqa: N818
    """A service answers, and refuses what it was asked for: the same question again gets the same answer."""


class StackHalted(Refused):
    """The API takes no jobs, because an operator has halted the stack."""


class NoDatabase(Unreachable):
    """The login was taken, and what it was for does not exist."""


class LoginRefused(OpsError):  # noqa: N818
    """A service answers, and does not take this project's password."""


class Unsupported(OpsError):  # noqa: N818 - reads as what it is: an engine that cannot do a verb
    """The chosen engine cannot do what was asked; the hint names one that can."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message, code="TB-0102", hint=hint)
