"""The last line of every command: show the report in the chosen form and leave with its exit code."""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from tradebot_ops.cli import in_force
from tradebot_ops.cli.naming import command_name
from tradebot_ops.cli.streams import writing_stdout
from tradebot_ops.model import Report
from tradebot_ops.private_folder import writable
from tradebot_ops.progress import OnProgress
from tradebot_ops.render import renderer

if TYPE_CHECKING:  # it brings the engines, which nobody needs who reads help or completes a word
    from tradebot_ops.context import Ops

_NO_FILES: Mapping[Path, str] = {}


def ops_of(context: typer.Context) -> "Ops":
    """The command's world, made by the root callback."""
    from tradebot_ops.context import Ops

    ops = context.find_object(Ops)
    if ops is None:
        raise TypeError("a command ran outside the tradebot group")
    return ops


def emit(ops: "Ops", report: Report, files: Mapping[Path, str] = _NO_FILES) -> None:
    """Write the report to stdout, and to ``files`` in the format of each.

    Raises ``typer.Exit`` with the report's exit code when that is not 0. Warnings that concern the whole command, such
    as that of a hook, are shown with it.
    """
    report = replace(report, command=command_name(), warnings=(*report.warnings, *ops.warnings))
    report = in_force.of_report(report)
    with writing_stdout() as stdout:
        renderer(ops.settings.output)(report, stdout, ops.settings.color)
    if files:
        from tradebot_ops.render.files import write_files

        write_files(report, files)
    if ops.settings.output == "github":
        _summarise(report, ops.settings.environ.get("GITHUB_STEP_SUMMARY", ""))
    if report.exit_code:
        raise typer.Exit(report.exit_code)


def _summarise(report: Report, path: str) -> None:
    """GitHub shows what is appended to this file on the page of the job."""
    if path:
        from tradebot_ops.render.formats import markdown

        with writable(Path(path)), Path(path).open("a", encoding="utf-8") as stream:
            markdown.render(report, stream, None)


@contextlib.contextmanager
def show_progress(ops: "Ops", *, live: bool = True) -> Iterator[OnProgress]:
    """Progress on stderr while an operation runs; without ``live`` as plain lines even on a terminal."""
    from tradebot_ops.render.live import progress

    with progress(color=ops.settings.color, quiet=ops.settings.quiet, live=live) as on_progress:
        yield on_progress
