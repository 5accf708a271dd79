"""Hooks as an operator sees them: their output is talk, and never mixes with the data."""

import json
from pathlib import Path

from tests.cli.conftest import Run


def _hook(folder: Path, name: str, script: str) -> None:
    hook = folder / ".tradebot" / "hooks" / name
    hook.parent.mkdir(parents=True, exist_ok=True)
    hook.write_text(f"#!/bin/sh\n{script}\n")
    hook.chmod(0o755)


def test_what_a_hook_writes_is_not_data(run: Run, tmp_path: Path) -> None:
    _hook(tmp_path, "pre-up", "echo out; echo err >&2")
    shown = run("up", "--no-canary", "--json", quiet=False)
    assert json.loads(shown.stdout)["ok"] is True
    lines = [line.split()[-1] for line in shown.stderr.splitlines() if " pre-up " in line]
    assert lines == ["starting", "out", "err", "done"]


def test_a_refusal_is_one_sentence_and_exit_code_9(run: Run, tmp_path: Path) -> None:
    _hook(tmp_path, "pre-up", "echo The market is open.; exit 1")
    shown = run("up", "--no-canary")
    assert shown.exit_code == 9
    assert shown.stdout == ""
    assert shown.stderr == (
        "error TB-0908: The hook <here>/.tradebot/hooks/pre-up ended with exit code 1, so nothing was changed.\n"
        "  | The market is open.\n"
        "  -> Correct what the hook complains of, or move it out of .tradebot/hooks.\n"
    )


def test_a_post_hook_that_fails_is_a_warning_of_the_report(run: Run, tmp_path: Path) -> None:
    _hook(tmp_path, "post-up", "exit 1")
    shown = run("up", "--no-canary", "--json")
    assert shown.exit_code == 0
    assert json.loads(shown.stdout)["warnings"] == ["The hook <here>/.tradebot/hooks/post-up ended with exit code 1."]
