"""Run a command inside a container and collect its output."""

import contextlib
import threading
from collections.abc import Sequence
from concurrent.futures import Future

from tradebot_ops.docker.client import Client
from tradebot_ops.engines.base import ExecResult, Replica
from tradebot_ops.engines.docker.exec_stream import chunks, start, taken_over
from tradebot_ops.errors import OpsError


def execute(client: Client, replica: Replica, command: Sequence[str], timeout: float | None) -> ExecResult:
    """Output of both streams in the order it came. TB-0601 when the command outlives ``timeout`` seconds."""
    doing = f"running {command[0]} in {replica.service} {replica.number}"
    with client.translating_errors(doing, client.deadlines.read):
        made = client.writes.exec_create(replica.id, list(command))["Id"]
    answer: Future[bytes] = Future()

    def read() -> None:
        try:
            with client.translating_errors(doing):
                answer.set_result(output(client, made))
        except Exception as error:  # noqa: BLE001 - raised where the answer is waited for
            answer.set_exception(error)

    threading.Thread(target=read, daemon=True, name="tradebot-exec").start()
    try:
        written = answer.result(timeout)
    except TimeoutError:
        raise OpsError(
            f"The command did not end within {timeout:g} s: {doing}.",
            code="TB-0601",
            hint=f"It still runs there; look with: docker top {replica.name}",
        ) from None
    with client.translating_errors(doing, client.deadlines.read):
        code = client.reads.exec_inspect(made)["ExitCode"]
    return ExecResult(-1 if code is None else int(code), written.decode("utf-8", "replace"))


def output(client: Client, made: str) -> bytes:
    """All output of a command that ``exec_create`` made, once it has ended."""
    with contextlib.closing(start(client, made, terminal=False)) as answer:
        reader, _ = taken_over(answer)
        return b"".join(chunk for _, chunk in chunks(reader, terminal=False))
