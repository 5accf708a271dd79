"""The console script: a press of the Tab key is answered without loading Typer; all else is a command."""

import os

#: A shell that completes puts the line up to the cursor here.
COMPLETE = "_TRADEBOT_COMPLETE"


def main() -> None:
    if line := os.environ.pop(COMPLETE, ""):
        from tradebot_ops.cli.completion.answer import answer

        answer(line)
    else:
        from tradebot_ops.cli.main import main as call

        call()
