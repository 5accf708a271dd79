"""What a container is besides its service, in each of the spellings that Compose takes."""

from pathlib import Path

import pytest

from tests.stack.reading import kit
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
        ("extra_hosts: {six: '[::1]'}", Host(extra_hosts={"six": "::1"})),
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


@pytest.mark.parametrize(
    ("text", "code", "place", "message", "hint"),
    [
        (
            "container_name: x",
            "TB-0815",
            "container_name",
            "is 'x'",
            "Use letters, digits, `_`, `.` and `-`, two at least.",
        ),
        *(
            (
                f"extra_hosts: ['{entry}']",
                "TB-0815",
                "extra_hosts[0]",
                f"is '{entry}'",
                'Write "name=192.0.2.7" or "name=host-gateway".',
            )
            for entry in ("alone", "=192.0.2.7", "name=", "name:")
        ),
        (
            "pull_policy: always",
            "TB-0815",
            "pull_policy",
            "is 'always', which `up` does not do",
            "Remove the key: an image that is there is used; `tradebot pull` fetches newer ones.",
        ),
        (
            "ulimits: {nofile: {soft: 1, hard: 2, more: 3}}",
            "TB-0813",
            "ulimits.nofile.more",
            "is a key tradebot does not read",
            "Supported here: hard, soft.",
        ),
        ("ulimits: {nofile: {soft: 1}}", "TB-0815", "ulimits.nofile", "has no `hard`", "Add a `hard:` line."),
        ("ulimits: {nofile: -2}", "TB-0815", "ulimits.nofile", "is -2", "Write a whole number from -1 up."),
        ("shm_size: lots", "TB-0815", "shm_size", "is 'lots'", "Write a size such as 512m or 4gb."),
    ],
)
def test_what_cannot_be_is_said_in_full(text: str, code: str, place: str, message: str, hint: str) -> None:
    told = kit.read(f"it: {{{text}}}\n", lambda reader, item: read_host(reader, kit.fields(item)))[1]
    assert told == [(code, f"1: it.{place}", message, hint)]


@pytest.mark.parametrize(
    ("text", "limits"),
    [("{}", (0, 0)), ("{soft: 1}", (1, 1)), ("{hard: 2}", (2, 2)), ("{soft: 1, hard: 2}", (1, 2)), ("many", (0, 0))],
)
def test_limits_that_are_half_there_are_read_as_far_as_they_go(text: str, limits: tuple[int, int]) -> None:
    assert read(f"ulimits: {{nofile: {text}}}")[0].ulimits == {"nofile": limits}


@pytest.mark.parametrize("word", ["missing", "if_not_present", "build", ""])
def test_what_happens_anyway_may_be_asked_for(word: str) -> None:
    assert read(f"pull_policy: {word}") == (Host(), [])
