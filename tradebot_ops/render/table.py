"""The default output: tables and sentences for people, at any width, with or without colours."""

import os
from collections.abc import Iterable, Sequence
from typing import TextIO

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType
from rich.markup import escape
from rich.segment import Segment
from rich.table import Table as RichTable
from rich.text import Text

from tradebot_ops.errors import OpsError
from tradebot_ops.model import Level, Report, Section, Table
from tradebot_ops.text.visible import visible

_SIGNS = {
    Level.PASS: ("PASS", "green"),
    Level.INFO: ("INFO", "cyan"),
    Level.WARN: ("WARN", "yellow"),
    Level.FAIL: ("FAIL", "red"),
    Level.ERROR: ("ERROR", "red"),
    Level.SKIP: ("SKIP", "dim"),
}

#: Cells whose whole text is one of these words are coloured; the word itself says the same in monochrome.
_COLOURED = {
    "green": "ready done running succeeded pass up ok create resolved",
    "yellow": "starting queued retrying warn warning pending recreate restart reload degraded unknown",
    "red": "restarting unhealthy failed dead stopped missing fail error down remove firing critical",
    "cyan": "waived silenced info",
    "dim": "cancelled skip inhibited unavailable unchanged expired",
}
_STATES = {word: style for style, words in _COLOURED.items() for word in words.split()}
#: A row in which one of these stands is dim as a whole: nothing is to be done about it.
_FAINT = {"unavailable"}


#: Columns are two spaces apart.
_APART = 2
#: A cell with blanks that is longer than this is prose: it may be folded. Ids, addresses and times are for copying.
_PROSE = 19
#: Folded prose keeps at least this many characters a line, or long ids fold, too.
_NARROWEST = 20
#: States and numbers are not longer than this; they fold last.
_WORD = 12
#: Nobody looks at a pipe through a window: programs and `grep` get each row on one line.
_PIPE = 100_000


class _Console(Console):
    """Shows control characters of foreign text instead of obeying them, and leaves a broken pipe to the caller.

    Rich would end the process when a reader leaves.
    """

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        for segment in super().render(renderable, options):
            text, style, control = segment
            yield segment if control or text.isprintable() else Segment(visible(text), style)

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


def console(stream: TextIO, color: bool | None) -> Console:
    """A console on a stream; links and markup of untrusted text are never interpreted."""
    piped = not stream.isatty() and "COLUMNS" not in os.environ
    return _Console(
        file=stream,
        width=_PIPE if piped else None,
        force_terminal=True if color else None,
        no_color=color is False,
        highlight=False,
        emoji=False,
    )


def render(report: Report, stream: TextIO, color: bool | None) -> None:
    out = console(stream, color)
    shown = report.findings if report.findings_shown else ()
    for finding in shown:
        sign, style = _SIGNS[finding.level]
        out.print(f"[{style}]{sign:5}[/] {escape(finding.message)}")
        if finding.hint:
            out.print(f"      -> {escape(finding.hint)}", style="dim", soft_wrap=True)
    for number, section in enumerate(report.sections):
        if number or shown:
            out.print()
        _section(out, section)
    for warning in report.warnings:
        out.print(f"[yellow]warning:[/] {escape(warning)}")


def _section(out: Console, section: Section) -> None:
    if section.title:
        out.print(escape(section.title), style="bold")
    if section.markdown and out.is_terminal:
        from rich.markdown import Markdown

        out.print(Markdown("\n".join(section.lines), hyperlinks=False))
    else:
        for line in section.lines:
            out.print(escape(line), soft_wrap=True)
    for table in section.tables:
        out.print(grid(table, out.width))


def grid(table: Table, width: int) -> RichTable:
    """A borderless table that loses nothing: columns apart by two spaces, so that a row can be copied into a shell.

    Where ``width`` is too small prose folds, and where that is not enough everything does. A last column in which
    nobody has anything to say is left out: with an empty one a healthy stack would not fit 80 characters.
    """
    rich = RichTable(
        title=table.title or None, title_justify="left", box=None, pad_edge=False, padding=(0, _APART, 0, 0)
    )
    silent = bool(table.rows) and not any(row[-1] for row in table.rows)
    shown = slice(len(table.columns) - silent)
    columns = list(zip(*(row[shown] for row in (table.columns, *table.rows)), strict=True))
    for (heading, *_), folds in zip(columns, _folding(columns, width), strict=True):
        rich.add_column(heading.upper(), header_style="bold", overflow="fold", no_wrap=not folds)
    headings = table.columns[shown]
    for row in table.rows:
        cells = (Text(cell, style=_style(heading, cell)) for heading, cell in zip(headings, row[shown], strict=True))
        rich.add_row(*cells, style="dim" if _FAINT & set(row) else None)
    return rich


def _style(heading: str, cell: str) -> str:
    """Restarts are no fault as such, and never usual."""
    if heading == "restarts" and cell.isdecimal() and int(cell):
        return "yellow"
    return _STATES.get(cell, "")


def _folding(columns: Sequence[Sequence[str]], width: int) -> list[bool]:
    """Which of the columns, each with its heading and its cells, may fold within ``width`` characters."""
    widths = [max(map(cell_len, cells)) for cells in columns]
    room = width - _APART * (len(widths) - 1)
    if sum(widths) <= room:
        return [False] * len(widths)
    prose = [any(" " in cell.strip() and cell_len(cell) > _PROSE for cell in cells) for cells in columns]
    long = [each > _WORD for each in widths]
    for folding, least in ((prose, _NARROWEST), (long, _WORD // 2)):
        kept = sum(least if folds else each for each, folds in zip(widths, folding, strict=True))
        if any(folding) and kept <= room:
            return folding
    return [True] * len(widths)


def error(problem: OpsError, stream: TextIO, color: bool | None) -> None:
    """An error as text: its message, what belongs to it, what to type next."""
    out = console(stream, color)
    out.print(f"[red]error[/] {problem.code}: {escape(problem.message)}", soft_wrap=True)
    for line in problem.detail:
        out.print(f"  | {escape(line)}", soft_wrap=True)
    if problem.hint:
        out.print(f"  -> {escape(problem.hint)}", soft_wrap=True)
