"""The manual page, made of the help of every command.

No library does it: click-man reads Click's classes, of which Typer keeps its own. Macros as in man(7), without tables.
"""

import re
from collections.abc import Iterator
from typing import Any

import typer

from tradebot_ops.cli.boundary import load
from tradebot_ops.cli.emit import emit, ops_of
from tradebot_ops.cli.registry import COMMANDS

PROGRAM = "tradebot"

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command("man")
def manual(context: typer.Context) -> None:
    """Write the manual page, for `man` and for who packages tradebot.

    \b
    Examples:
      tradebot man | man -l -
    """
    from tradebot_ops.glossary.exit_codes import exit_codes
    from tradebot_ops.model import Report, Section
    from tradebot_ops.version import version

    text = page(context.find_root().command, version(), exit_codes())
    emit(ops_of(context), Report(data={"page": text}, sections=(Section(lines=tuple(text.splitlines())),)))


def page(root: Any, version: str, exit_codes: dict[str, str]) -> str:
    """The whole page in roff."""
    about, _, rest = root.help.partition("\n\n")
    lines = [
        f'.TH TRADEBOT 1 "" "tradebot {version}" "User Commands"',
        *_section("NAME", f"{PROGRAM} - {about[0].lower()}{about[1:].rstrip('.')}"),
        *_section("SYNOPSIS", "tradebot [OPTIONS] COMMAND [ARGUMENTS]"),
        *_section("DESCRIPTION", rest),
        ".SH OPTIONS",
        *_parameters(root),
        ".SH COMMANDS",
        *(line for name, entry in COMMANDS.items() if not entry.hidden for line in _command([name], load(name))),
        ".SH EXIT STATUS",
        *(line for code, meaning in exit_codes.items() for line in _item(code, f"{meaning}.")),
        *_section("FILES", "compose.yaml, .env, tradebot.toml: the stack and its settings."),
        *_section("SEE ALSO", "docker(1)"),
    ]
    return "\n".join(lines) + "\n"


def _command(path: list[str], command: Any) -> Iterator[str]:
    """A command, and those below it."""
    below = {name: each for name, each in getattr(command, "commands", {}).items() if not each.hidden}
    if not below or getattr(command, "invoke_without_command", False):
        arguments = [_called(each) for each in command.params if each.param_type_name == "argument"]
        yield f".SS {_escaped(' '.join(('tradebot', *path, '[OPTIONS]', *arguments)))}"
        yield from _text(command.help or "")
        yield from _parameters(command)
    for name, each in below.items():
        yield from _command([*path, name], each)


def _parameters(command: Any) -> Iterator[str]:
    for each in command.params:
        if getattr(each, "hidden", False):
            continue
        if each.param_type_name == "argument":
            yield from _item(_called(each), each.help or "")
        else:
            value = "" if each.is_flag or each.count else f" {each.metavar or each.name.upper()}"
            yield from _item(", ".join((*each.opts, *each.secondary_opts)) + value, each.help or "")


def _called(argument: Any) -> str:
    name = f"{argument.metavar or argument.name.upper()}{'...' if argument.nargs < 0 else ''}"
    return name if argument.required else f"[{name}]"


def _section(title: str, text: str) -> Iterator[str]:
    yield f".SH {title}"
    yield from _text(text)


def _item(term: str, text: str) -> Iterator[str]:
    yield ".TP"
    yield f".B {_escaped(term)}"
    yield _escaped(" ".join(text.split())) or r"\&"


def _text(text: str) -> Iterator[str]:
    """Paragraphs; one that begins with Click's mark (a backspace) keeps its lines."""
    for number, paragraph in enumerate(re.split(r"\n\s*\n", text.strip())):
        if number:
            yield ".PP"
        if paragraph.startswith("\b"):
            yield from (".nf", *map(_escaped, paragraph.splitlines()[1:]), ".fi")
        else:
            yield _escaped(" ".join(paragraph.split()))


def _escaped(text: str) -> str:
    r"""Backslashes and dashes as themselves, other letters by their number; ``\&`` before what looks like a macro."""
    text = text.replace("\\", r"\e").replace("-", r"\-")
    text = "".join(letter if letter.isascii() else rf"\[u{ord(letter):04X}]" for letter in text)
    return rf"\&{text}" if text[:1] in {".", "'"} else text
