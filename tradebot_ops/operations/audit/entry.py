"""The two lines of a change in the audit log: its beginning and its end. A kill leaves the first alone."""

import time
from datetime import UTC
from typing import Any

from tradebot_ops.audit.chain import BEGAN, ENDED, Head
from tradebot_ops.audit.log import AuditLog
from tradebot_ops.context import Change, Ops
from tradebot_ops.errors import ExitCode, OpsError
from tradebot_ops.settings import who
from tradebot_ops.text.sentences import shortened

#: A command may be about a thousand jobs; the log names the first of them.
MOST_ARGUMENTS = 20
_LONGEST, _LONGEST_ERROR = 120, 300


class Audited:
    """One change, from here on: ``seconds`` that it took, ``head`` of the log once it ended.

    A log that cannot be written is a warning and holds nothing up: on a full disk one must still be able to stop what
    runs, and to clear away.
    """

    def __init__(self, ops: Ops, made: Change) -> None:
        self._ops = ops
        self._started = time.monotonic()
        self._log = AuditLog(ops.state.folder)
        self.seconds = 0.0
        self.head = self._append(
            event=BEGAN,
            command=made.command,
            arguments=_shown(made.arguments),
            env=ops.settings.env,
        )
        self._of = self.head.entries if self.head else 0

    def end(self, error: BaseException | None = None) -> None:
        """``error`` is what ended it, unless it succeeded."""
        self.seconds = time.monotonic() - self._started
        ended: dict[str, Any] = {"of": self._of, "outcome": outcome(error), "seconds": round(self.seconds, 3)}
        if "choice" in vars(self._ops):  # a change that needed no engine does not look for one
            ended["engine"] = self._ops.engine.name
        if error is not None:
            ended["error"] = shortened(sentence(error), _LONGEST_ERROR)
        self.head = self._append(event=ENDED, **ended)

    def _append(self, event: str, **content: Any) -> Head | None:
        ops = self._ops

        def line() -> dict[str, Any]:
            at = ops.clock().astimezone(UTC).isoformat(timespec="seconds")
            return {"event": event, "at": at, "by": who.actor(ops.settings.environ), **content}

        try:
            return self._log.append(line)
        except OpsError as error:
            warning = f"The audit log lacks this change: {error.message}"
            if warning not in ops.warnings:
                ops.warnings.append(warning)
            return None


def outcome(error: BaseException | None) -> str:
    if error is None:
        return "ok"
    if isinstance(error, OpsError):
        return "refused" if error.exit_code == ExitCode.REFUSED else "failed"
    return "failed" if isinstance(error, Exception) else "interrupted"


def sentence(error: BaseException) -> str:
    return f"{error.code}: {error.message}" if isinstance(error, OpsError) else f"{type(error).__name__}: {error}"


def _shown(arguments: tuple[str, ...]) -> list[str]:
    shown = [shortened(word, _LONGEST) for word in arguments[:MOST_ARGUMENTS]]
    left = len(arguments) - len(shown)
    return [*shown, f"and {left} more"] if left else shown
