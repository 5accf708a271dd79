"""Run a command inside a container and collect its output, or run it between two files."""

import contextlib
import socket
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from typing import BinaryIO

from tradebot_ops.docker.client import Client
from tradebot_ops.engines.base import ExecResult, Replica
from tradebot_ops.engines.docker.exec_stream import CHUNK, STDERR, chunks, start, taken_over
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


def pipe(
    client: Client, replica: Replica, command: Sequence[str], source: BinaryIO | None, sink: BinaryIO | None
) -> ExecResult:
    """Run it between two files; the result has what it wrote to standard error. No deadline: dumps take their time."""
    doing = f"running {command[0]} in {replica.service} {replica.number}"
    with client.translating_errors(doing, client.deadlines.read):
        made = client.writes.exec_create(replica.id, list(command), stdin=source is not None)["Id"]
    complaints, full = bytearray(), list[OSError]()
    with client.translating_errors(doing), contextlib.closing(start(client, made, terminal=False)) as answer:
        reader, sock = taken_over(answer)
        with _fed(sock, source):
            for stream, chunk in chunks(reader, terminal=False):
                if stream == STDERR:
                    complaints += chunk
                elif sink is not None:
                    try:
                        sink.write(chunk)
                    except OSError as error:  # the disk's fault, which must not pass for the engine's
                        full.append(error)
                        break
    if full:
        raise full[0]
    with client.translating_errors(doing, client.deadlines.read):
        code = client.reads.exec_inspect(made)["ExitCode"]
    return ExecResult(-1 if code is None else int(code), complaints.decode("utf-8", "replace"))


@contextlib.contextmanager
def _fed(sock: socket.socket, source: BinaryIO | None) -> Iterator[None]:
    """Send the file meanwhile, then its end. A command that ends before has read all it wanted."""
    if source is None:
        yield
        return

    def feed() -> None:
        with contextlib.suppress(OSError):
            while chunk := source.read(CHUNK):
                sock.sendall(chunk)
            sock.shutdown(socket.SHUT_WR)

    feeder = threading.Thread(target=feed, daemon=True, name="tradebot-feed")
    feeder.start()
    yield
    feeder.join(timeout=5)
