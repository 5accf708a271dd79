"""tradebot ci …"""

from pathlib import Path
from typing import Annotated

import typer

from tradebot_ops.cli.emit import emit, ops_of
from tradebot_ops.cli.streams import say, writing_stdout

app = typer.Typer(
    add_completion=False, rich_markup_mode=None, no_args_is_help=True, help="Check the stack in a pipeline."
)


@app.callback()
def ci() -> None:
    """Check the stack in a pipeline."""


@app.command()
def run(
    context: typer.Context,
    check_options: Annotated[
        list[str] | None, typer.Argument(metavar="-- OPTIONS", help="Of prod-check: -- --strict --skip ENG-03")
    ] = None,
    output_file: Annotated[
        list[Path] | None,
        typer.Option("--output-file", metavar="FILE", help="Also write it there: .xml .sarif .html .md .prom .json."),
    ] = None,
) -> None:
    """Bring up a stack under a name of its own, run prod-check, take it down whatever happens.

    The exit code is that of the check. A signal ends the run and takes the stack down, too: 130 or 143.

    \b
    Examples:
      tradebot ci run --output-file report.xml --output-file report.html
      tradebot ci run --engine local -o github -- --strict --skip ENG-03
    """
    from tradebot_ops.operations.ci import run as operation
    from tradebot_ops.render.files import formats_of

    ops = ops_of(context)
    files = formats_of(output_file or (), ops.settings.output)
    words = [*(check_options or ()), *(word for file in files for word in ("--output-file", str(file)))]
    _refuse_wrong(words)
    code = operation.run(ops, words, (lambda _: None) if ops.settings.quiet else say)
    if code:
        raise typer.Exit(code)


@app.command()
def template(
    context: typer.Context,
    service: Annotated[str, typer.Argument(metavar="github|gitlab")],
    install: Annotated[
        str, typer.Option("--install", metavar="WHAT", help="What pip installs; else this version of tradebot.")
    ] = "",
) -> None:
    """Print a pipeline that brings the stack up, checks it and keeps the reports.

    \b
    Examples:
      tradebot ci template github | tee .github/workflows/prod-check.yml
      tradebot ci template gitlab --install '.[local]' | tee .gitlab-ci.yml
    """
    from tradebot_ops.operations.ci import pipeline

    ops = ops_of(context)
    if ops.settings.output == "table":
        text = pipeline.text(ops, service, install)
        with writing_stdout() as stdout:  # as it stands: no line of it may be wrapped
            stdout.write(text)
        return
    emit(ops, pipeline.template(ops, service, install))


def _refuse_wrong(words: list[str]) -> None:
    """Before the stack is brought up, not after."""
    import shlex
    from concurrent.futures import ThreadPoolExecutor

    from tradebot_ops.cli.grammar import complaint
    from tradebot_ops.errors import OpsError

    with ThreadPoolExecutor(1) as pool:  # it announces commands as it goes, and this one is another
        problem = pool.submit(complaint, shlex.join(["prod-check", *words])).result()
    if problem:
        message = f"These are no options of prod-check: {problem.rstrip('.')}."
        raise OpsError(message, code="TB-0238", hint="tradebot prod-check --help")
