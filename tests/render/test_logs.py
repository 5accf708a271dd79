"""Log lines as people and pipes get them."""

import io
import json
import re
from datetime import UTC, datetime

import pytest

from tests.render.screens import Terminal
from tradebot_ops.engines.base import LogLine
from tradebot_ops.operations.logs import Entry
from tradebot_ops.render.logs import LogWriter
from tradebot_ops.text import log_line

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
LOGFMT = 'ts=2026-01-02T03:04:05.678Z caller=main.go:1 level=warn msg="slow query" took=3s'
LIVE = "\x1b]0;owned\x07\x1b[2Jgone\r"


def written(text: str, stream: io.StringIO, *, ndjson: bool = False, raw: bool = False) -> str:
    """Our own dim and bold apart, which a terminal gets without colours, too."""
    entry = Entry(LogLine("worker", 2, text, AT), log_line.fields(text))
    LogWriter(stream, False, ndjson=ndjson, raw=raw).write(entry)
    return re.sub(r"\x1b\[[0-9;]*m", "", stream.getvalue())


def test_a_pipe_gets_the_line_with_its_replica() -> None:
    assert written('{"event": "x"}', io.StringIO()) == 'worker-2     | {"event": "x"}\n'


def test_raw_is_what_was_written() -> None:
    assert written(LIVE, io.StringIO(), raw=True) == LIVE + "\n"


def test_logfmt_is_rendered_as_json_is() -> None:
    shown = written(LOGFMT, Terminal())
    assert shown.startswith("worker-2 ")
    assert shown.endswith(" warning  slow query took=3s\n")


@pytest.mark.parametrize("text", [LIVE, json.dumps({"event": LIVE, "k": LIVE, LIVE: 1}), f'level=info msg="{LIVE}"'])
@pytest.mark.parametrize("raw", [True, False])
def test_a_terminal_gets_no_command(text: str, *, raw: bool) -> None:
    shown = written(text, Terminal(), raw=raw)
    assert not set(shown.rstrip("\n")) & {"\x1b", "\x07", "\r"}
    assert "gone" in shown


def test_a_pipe_that_ends_in_a_terminal_gets_no_command() -> None:
    assert "\x1b" not in written(LIVE, io.StringIO())


def test_ndjson_has_the_pairs_of_logfmt() -> None:
    assert json.loads(written(LOGFMT, io.StringIO(), ndjson=True))["fields"]["took"] == "3s"
