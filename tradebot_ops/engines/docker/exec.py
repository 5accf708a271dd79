"""Run a command inside a container and collect its output."""

import queue
import threading
from collections.abc import Sequence

from tradebot_ops.docker.client import Client
from tradebot_ops.engines.base import ExecResult, Replica
from tradebot_ops.errors import OpsError


def execute(client: Client, replica: Replica, command: Sequence[str], timeout: float | None) -> ExecResult:
    """Output of both streams in the order it came. TB-0601 when the command outlives ``timeout`` seconds."""
    doing = f"running {command[0]} in {replica.service} {replica.number}"
    with client.translating_errors(doing, client.deadlines.read):
        made = client.writes.exec_create(replica.id, list(command))["Id"]
    answer: queue.Queue[bytes | OpsError] = queue.Queue()

    def read() -> None:
        try:
            with client.translating_errors(doing):
                answer.put(bytes(client.streams.exec_start(made)))
        except OpsError as error:
            answer.put(error)

    threading.Thread(target=read, daemon=True, name="tradebot-exec").start()
    try:
        output = answer.get(timeout=timeout)
    except queue.Empty:
        raise OpsError(
            f"The command did not end within {timeout:g} s: {doing}.",
            code="TB-0601",
            hint=f"It still runs there; look with: docker top {replica.name}",
        ) from None
    if isinstance(output, OpsError):
        raise output
    with client.translating_errors(doing, client.deadlines.read):
        code = client.reads.exec_inspect(made)["ExitCode"]
    return ExecResult(-1 if code is None else int(code), output.decode("utf-8", "replace"))
