"""The global options that say which stack is meant, kept in whatever is suggested next.

Pasted without them, `tradebot down` would stop another stack. An option from the environment or from a file needs no
repeating: it is in force for the next command, too.
"""

import re
import shlex
from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import replace
from typing import Any

from tradebot_ops.cli.registry import COMMANDS
from tradebot_ops.errors import OpsError
from tradebot_ops.model import Finding, Report, Section, Table

#: Those that choose a stack and how it is described. The others choose how one call behaves.
_KEPT = {
    "-p": "-p",
    "--project": "-p",
    "-f": "-f",
    "--file": "-f",
    "--env-file": "--env-file",
    "--env": "--env",
    "--engine": "--engine",
    "--host": "--host",
    "--context": "--context",
    "--profile": "--profile",
}
#: Of the others the last one counts.
_REPEATED = {"-f", "--profile"}
#: Columns and keys whose text is for typing, and those of sentences that may end with what to type.
_TYPED_COLUMNS = {"next", "remedy", "error", "note"}
_TYPED_KEYS = {"hint", "mend", "remedy"}

#: A command as texts suggest it, up to where the suggestion ends. Not compiled at every start: `re` keeps it once used.
_SUGGESTED = rf"\btradebot (?=(?:{'|'.join(map(re.escape, COMMANDS))})\b)(?P<rest>[^;`\n]*)"

_words: ContextVar[tuple[tuple[str, str], ...]] = ContextVar("in_force", default=())


def keep(options: Sequence[str]) -> None:
    """Remember the options of this call: as typed, each followed by its value or joined to it."""
    kept: list[tuple[str, str]] = []
    waiting = iter(options)
    for word in waiting:
        name, joined, value = word.partition("=") if word.startswith("--") else (word[:2], word[2:], word[2:])
        if name in _KEPT:
            name = _KEPT[name]
            kept = [each for each in kept if each[0] != name or name in _REPEATED]
            kept.append((name, value if joined else next(waiting, "")))
    _words.set(tuple(kept))


def options() -> list[str]:
    """Those of this call, each followed by its value: for another call that means the same stack."""
    return [word for pair in _words.get() for word in pair]


def suggested(text: str) -> str:
    """The text with the options in force in each `tradebot COMMAND` that it suggests, but those it gives itself."""
    return re.sub(_SUGGESTED, _with_options, text) if _words.get() else text


def _with_options(found: re.Match[str]) -> str:
    rest = found["rest"]
    if rest.rstrip().endswith("--help"):
        return found[0]
    given = {_KEPT.get(word.partition("=")[0]) for word in rest.split()}
    options = [f"{name} {shlex.quote(value)} " for name, value in _words.get() if name not in given]
    # The rest may suggest more: `tradebot status   tradebot logs -f`.
    return f"tradebot {''.join(options)}{suggested(rest)}"


def of_error(problem: OpsError) -> OpsError:
    problem.message, problem.hint = suggested(problem.message), suggested(problem.hint)
    return problem


def of_report(report: Report) -> Report:
    """The report with its sentences, hints and remedies completed; its evidence is left alone."""
    if not _words.get():
        return report
    return replace(
        report,
        data=_of_data(report.data),
        sections=tuple(map(_of_section, report.sections)),
        findings=tuple(map(_of_finding, report.findings)),
        warnings=tuple(map(suggested, report.warnings)),
    )


def _of_finding(finding: Finding) -> Finding:
    return replace(finding, message=suggested(finding.message), hint=suggested(finding.hint))


def _of_section(section: Section) -> Section:
    lines = tuple(map(suggested, section.lines))
    return replace(section, lines=lines, tables=tuple(map(_of_table, section.tables)))


def _of_table(table: Table) -> Table:
    typed = [column in _TYPED_COLUMNS for column in table.columns]
    if not any(typed):
        return table
    rows = (tuple(suggested(cell) if yes else cell for cell, yes in zip(row, typed, strict=True)) for row in table.rows)
    return replace(table, rows=tuple(rows))


def _of_data(data: Any, key: str = "") -> Any:
    if isinstance(data, str):
        return suggested(data) if key in _TYPED_KEYS else data
    if isinstance(data, dict):
        return {name: _of_data(value, name) for name, value in data.items()}
    if isinstance(data, list | tuple):
        return [_of_data(each, key) for each in data]
    return data
