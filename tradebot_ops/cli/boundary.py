"""The Typer group every command hangs on: lazy commands, global options anywhere, one place that ends errors.

Everything sits in the group class, so that it works the same from the shell, in tests and for nested groups.
"""

import errno
import importlib
import itertools
import os
import sys
import traceback
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from tradebot_ops.cli import in_force
from tradebot_ops.cli.help import sentence
from tradebot_ops.cli.naming import NamedContext, announce, command_name, expected, named
from tradebot_ops.cli.registry import COMMANDS, Entry
from tradebot_ops.cli.streams import LostOutputError, output_lost, plain_streams, writing_stdout
from tradebot_ops.cli.words import OWN, parted
from tradebot_ops.errors import ExitCode, OpsError


class OpsGroup(TyperGroup):
    """The root of the command tree."""

    context_class = NamedContext

    def list_commands(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]
        return [name for name, entry in COMMANDS.items() if not entry.hidden]

    def get_command(self, ctx: typer.Context, cmd_name: str) -> Any:  # type: ignore[override]
        """For help: the name and its one line, without importing the command."""
        entry = COMMANDS.get(cmd_name)
        return None if entry is None else _stub(cmd_name, entry)

    def format_options(self, ctx: typer.Context, formatter: Any) -> None:  # type: ignore[override]
        """Commands before options: they are what a reader looks for."""
        self.format_commands(ctx, formatter)
        TyperCommand.format_options(self, ctx, formatter)  # type: ignore[arg-type]

    def format_commands(self, ctx: typer.Context, formatter: Any) -> None:  # type: ignore[override]
        """One list per panel, everyday commands first."""
        panels: dict[str, list[tuple[str, str]]] = {}
        for name, entry in COMMANDS.items():
            if not entry.hidden:
                panels.setdefault(entry.panel, []).append((name, entry.help))
        for panel, rows in panels.items():
            with formatter.section(panel):
                formatter.write_dl(rows)

    def resolve_command(self, ctx: typer.Context, args: list[str]) -> Any:  # type: ignore[override]
        """For calling: the command itself, under the name that it has today."""
        args = renamed(args)
        self.commands = {known: self.get_command(ctx, known) for known in self.list_commands(ctx)}  # for "did you mean"
        name, stub, rest = super().resolve_command(ctx, args)
        if name is None or stub is None:
            return name, stub, rest
        name, command = COMMANDS[name].command or name, load(name)
        path = expected(name, command, rest)
        announce(path)
        self._refuse_unfinished(path, rest)
        return name, command, rest

    def _refuse_unfinished(self, path: list[str], rest: list[str]) -> None:
        """A global option at the end, without its value: `hoist` left it there, for it names what was meant."""
        last = rest[-1] if rest and "--" not in rest else ""
        if value_options(self).get(last) and path[0] not in OWN.get(last, ()):
            hint = f"tradebot {' '.join(path)} --help"
            raise OpsError(f"The option {last} needs a value.", code="TB-0200", hint=hint)

    def main(self, args: Sequence[str] | None = None, prog_name: str | None = None, **extra: Any) -> Any:  # type: ignore[override]
        words = list(sys.argv[1:] if args is None else args)
        standalone = extra.pop("standalone_mode", True)
        announce([])  # a call may follow another in one process
        front, rest = parted(words, value_options(self))
        in_force.keep(front)
        ordered, name = [*front, *asked_for_help(rest)], prog_name or "tradebot"
        code = run_guarded(lambda: super(OpsGroup, self).main(ordered, name, standalone_mode=False, **extra), words)
        if standalone:
            sys.exit(code)
        return code


def renamed(args: list[str]) -> list[str]:
    """The words with an old name replaced by what it is called today, which is reported once on stderr."""
    entry = COMMANDS.get(args[0]) if args else None
    if entry is None or not entry.alias:
        return args
    sys.stderr.write(f"`tradebot {args[0]}` is called `tradebot {entry.alias}` now.\n")
    return [*entry.alias.split(), *args[1:]]


def load(name: str) -> Any:
    """Import a command's module and take the command of that name out of its Typer app."""
    return _loaded(name, COMMANDS[name])


@cache
def _stub(name: str, entry: Entry) -> TyperCommand:
    return TyperCommand(name, help=entry.help, hidden=entry.hidden)


@cache
def _loaded(name: str, entry: Entry) -> Any:
    """Made once: a page of documentation is read call by call, and to make a command takes longer than to read one."""
    app: typer.Typer = importlib.import_module(entry.module).app
    command = get_command(app)
    if isinstance(command, TyperGroup) and not entry.group:
        command = command.commands[entry.command or name]
    return named(command)


def value_options(group: TyperGroup) -> Mapping[str, bool]:
    """Every spelling of the global options, and whether it takes a value."""
    return {
        spelling: not getattr(parameter, "is_flag", False) and not getattr(parameter, "count", False)
        for parameter in group.params
        for spelling in (*parameter.opts, *parameter.secondary_opts)
        if spelling.startswith("-") and spelling != "--help"
    }


def asked_for_help(words: list[str]) -> list[str]:
    """`tradebot help jobs submit` is another spelling of `tradebot jobs submit --help`."""
    return [*words[1:], "--help"] if words[:1] == ["help"] else words


def run_guarded(call: Any, words: Sequence[str]) -> int:
    """Run a command; every way it can end becomes an exit code and, if it failed, one clear sentence."""
    try:
        plain_streams()
        result = call()
        return int(result) if isinstance(result, int) else int(ExitCode.OK)
    except OpsError as problem:
        return report_error(problem, words)
    except KeyboardInterrupt:
        return int(ExitCode.INTERRUPTED)
    except typer.Abort:
        return int(ExitCode.INTERRUPTED)
    except typer.TyperException as usage:
        return report_usage(usage, words)
    except OSError as error:
        # Help and the like write by themselves.
        lost = error.errno in {errno.ENOSPC, errno.EBADF}
        return report_error(output_lost(error) if lost else unexpected(error), words)
    except Exception as error:  # noqa: BLE001 - the last line of defence: no traceback reaches a user
        return report_error(unexpected(error), words)


def report_usage(usage: typer.TyperException, words: Sequence[str]) -> int:
    """A wrong call. A group without a command shows its help to people and is an error to programs."""
    context = getattr(usage, "ctx", None)
    message = usage.format_message()
    if type(usage).__name__ == "NoArgsIsHelpError":
        if not wants_json(words):
            sys.stderr.write(f"{message}\n")
            return int(ExitCode.USAGE)
        message = "Missing command."
    path = context.command_path if context is not None else "tradebot"
    return report_error(OpsError(sentence(message), code="TB-0200", hint=f"{path} --help"), words)


def unexpected(error: Exception) -> OpsError:
    return OpsError(
        f"Something unexpected went wrong: {type(error).__name__}: {error}.",
        code="TB-0199",
        hint="Run the command again with -vv to see where, and report it with that output.",
    )


def report_error(problem: OpsError, words: Sequence[str]) -> int:
    """Say what failed, as JSON on stdout when ``--json`` was asked for, else as text on stderr."""
    problem = in_force.of_error(problem)
    if wants_json(words) and not isinstance(problem, LostOutputError):
        from tradebot_ops.render import error_envelope, json_

        try:
            with writing_stdout() as stdout:
                json_.write(error_envelope(command_name(), problem), stdout)
        except LostOutputError as lost:
            return report_error(lost, words)
    else:
        from tradebot_ops.render import table

        no_color = "--no-color" in words or bool(os.environ.get("NO_COLOR"))
        table.error(problem, sys.stderr, False if no_color else None)
    if any(word in {"-vv", "-vvv"} for word in words) or words.count("-v") > 1:
        sys.stderr.write(traceback.format_exc())
    return int(problem.exit_code)


def wants_json(words: Sequence[str]) -> bool:
    words = list(itertools.takewhile(lambda word: word != "--", words))
    pairs = itertools.pairwise([*words, ""])
    return (
        "--json" in words
        or any(
            word in {"-ojson", "--output=json"} or (word in {"-o", "--output"} and following == "json")
            for word, following in pairs
        )
        or ("TRADEBOT_OUTPUT" in os.environ and os.environ["TRADEBOT_OUTPUT"] == "json")
    )
