"""Rows of a run without a terminal: a pass is its title, anything else says what is the matter."""

import io
import re

from tradebot_ops.render.checks import watching


def test_a_row_repeats_nothing() -> None:
    out = io.StringIO()
    with watching(out) as watch:
        row = watch(["ENG-01", "ENG-02", "ENG-03"])
        row("ENG-01", "pass", "The engine answers", "The engine answers.")
        row("ENG-02", "fail", "The engine runs a container", "It cannot.")
        row("ENG-03", "skip", "Memory", "")
    assert re.sub(r"^ *[0-9.]+ s  ", "", out.getvalue(), flags=re.MULTILINE).splitlines() == [
        "PASS   ENG-01  The engine answers",
        "FAIL   ENG-02  The engine runs a container: It cannot.",
        "SKIP   ENG-03  Memory",
    ]


def test_a_quiet_run_shows_no_rows() -> None:
    out = io.StringIO()
    with watching(out, quiet=True) as watch:
        watch(["ENG-01"])("ENG-01", "fail", "The engine answers", "It does not.")
    assert out.getvalue() == ""
