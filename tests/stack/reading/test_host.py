"""What a container is besides its service, in each of the spellings that Compose takes."""

from pathlib import Path

import pytest

from tradebot_ops.stack.model import Host
from tradebot_ops.stack.problems import Problems
from tradebot_ops.stack.reading.document import parse
from tradebot_ops.stack.reading.host import read_host
from tradebot_ops.stack.reading.read import Reader


def read(text: str) -> tuple[Host, list[str]]:
    problems = Problems()
    found = read_host(Reader(problems), parse(text, Path("compose.yaml")).value)  # type: ignore[arg-type]
    return found, [str(each) for each in problems.found]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("image: a", Host()),
        ("container_name: my.bot", Host(container_name="my.bot")),
        ("hostname: bot.local", Host(hostname="bot.local")),
        ("extra_hosts: ['a=192.0.2.7', 'b:host-gateway']", Host(extra_hosts={"a": "192.0.2.7", "b": "host-gateway"})),
        ("extra_hosts: ['six:[::1]', 'seven=::1']", Host(extra_hosts={"six": "::1", "seven": "::1"})),
        ("extra_hosts: {a: 192.0.2.7}", Host(extra_hosts={"a": "192.0.2.7"})),
        ("ulimits: {nofile: 5, nproc: {soft: 1, hard: -1}}", Host(ulimits={"nofile": (5, 5), "nproc": (1, -1)})),
        ("shm_size: 64m", Host(shm_size=64 * 1024**2)),
        ("{tty: true, stdin_open: true, pull_policy: build}", Host(tty=True, stdin_open=True)),
    ],
)
def test_reads(text: str, expected: Host) -> None:
    assert read(text) == (expected, [])


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("container_name: '-x'", "container_name is '-x'"),
        ("extra_hosts: [alone]", "is 'alone'"),
        ("ulimits: {nofile: many}", "is 'many'"),
        ("ulimits: {nofile: {hard: 1}}", "has no `soft`"),
        ("pull_policy: always", "is 'always', which `up` does not do"),
    ],
)
def test_names_what_cannot_be_read(text: str, problem: str) -> None:
    (found,) = read(text)[1]
    assert problem in found
