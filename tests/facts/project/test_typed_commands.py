"""Which commands a page tells people to type, and which of them do not exist."""

from pathlib import Path

import pytest

from tradebot_ops.cli.grammar import complaint
from tradebot_ops.context import Ops
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.facts.fact import NotApplicable, Skip
from tradebot_ops.facts.project.typed_commands import StaleCommand, calls, stale_commands
from tradebot_ops.settings import load_settings

PAGE = """
Ask `tradebot status` first, not `redis-cli`.

```
$ tradebot up && tradebot logs redis --since 15m   # then look
echo tradebot nothing
```
"""


@pytest.fixture
def ops(tmp_path: Path) -> Ops:
    return Ops(load_settings({}, {"TRADEBOT_STATE": str(tmp_path)}, tmp_path), StubEngine("demo"))


def test_calls_of_a_page() -> None:
    assert list(calls(PAGE)) == ["up", "logs redis --since 15m", "status"]


def test_a_command_that_does_not_exist_is_named_with_its_page(ops: Ops) -> None:
    ops.complaint = lambda call: "No such command." if call == "up" else ""
    assert stale_commands(ops, {"RedisDown": PAGE}) == (StaleCommand("RedisDown", "up", "No such command."),)


def test_without_a_command_line_nobody_knows(ops: Ops) -> None:
    with pytest.raises(NotApplicable) as caught:
        stale_commands(ops, {"RedisDown": PAGE})
    assert caught.value.answer.reason is Skip.PREREQUISITE


@pytest.mark.parametrize(
    ("call", "words"),
    [
        ("status", ""),
        ("logs redis --since 15m", ""),
        ("scale", ""),
        ("nonsense", "No such command 'nonsense'"),
        ("status --bogus", "No such option: --bogus"),
        ("alerts nonsense", "No such command 'nonsense'"),
        ("logs 'redis", "No closing quotation"),
    ],
)
def test_what_the_command_line_says(call: str, words: str) -> None:
    found = complaint(call)
    assert found == "" if not words else words in found
