"""tradebot prod-check …"""

from pathlib import Path
from typing import Annotated

import typer

from tradebot_ops.cli.emit import emit, ops_of
from tradebot_ops.cli.streams import say

app = typer.Typer(add_completion=False, rich_markup_mode=None)

Limit = Annotated[int, typer.Option("--limit", min=1, max=500, help="At most so many runs, newest first.")]


@app.callback(invoke_without_command=True)
def prod_check(
    context: typer.Context,
    stage: Annotated[list[str] | None, typer.Option("--stage", metavar="N", help="Only this stage: 3 or SVC.")] = None,
    only: Annotated[list[str] | None, typer.Option("--only", metavar="ID", help="Only these checks: 'WRK-*'.")] = None,
    skip: Annotated[list[str] | None, typer.Option("--skip", metavar="ID", help="Without these checks.")] = None,
    severity: Annotated[str, typer.Option("--severity", metavar="S+", help="minor+, major+ or critical.")] = "",
    offline: Annotated[bool, typer.Option("--offline", help="Write nothing: no canary, no test alert.")] = False,
    no_canary: Annotated[bool, typer.Option("--no-canary", help="Submit no jobs.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 3 for warnings alone.")] = False,
    fail_on: Annotated[
        str, typer.Option("--fail-on", metavar="STATE", help="error, fail or warn: what ends with 1.")
    ] = "fail",
    exit_zero: Annotated[bool, typer.Option("--exit-zero", help="Report only: exit with 0.")] = False,
    min_score: Annotated[float, typer.Option("--min-score", min=0, max=100, help="Exit with 1 below this score.")] = 0,
    retry_timeout: Annotated[
        float, typer.Option("--retry-timeout", metavar="SECONDS", min=0, help="Look again at what failed for so long.")
    ] = 0,
    sleep: Annotated[
        float, typer.Option("--sleep", metavar="SECONDS", min=0.1, help="Between two looks of --retry-timeout.")
    ] = 2,
    output_file: Annotated[
        list[Path] | None,
        typer.Option("--output-file", metavar="FILE", help="Also write it there: .xml .sarif .html .md .prom .json."),
    ] = None,
    diff: Annotated[bool, typer.Option("--diff", help="Show what changed since the last run.")] = False,
    fix: Annotated[bool, typer.Option("--fix", help="Run the safe remedies of what failed, and look again.")] = False,
) -> None:
    """Prove the stack before it trades: ten stages of live checks. Exit code 1 when one fails.

    \b
    Examples:
      tradebot prod-check
      tradebot prod-check --stage 4 --stage WRK
      tradebot prod-check --env prod --strict --output-file report.xml --output-file report.html
      tradebot prod-check explain MON-02
    """
    if context.invoked_subcommand is not None:
        return
    from tradebot_ops.prodcheck import command
    from tradebot_ops.prodcheck.catalogue import Selection
    from tradebot_ops.render.checks import watching
    from tradebot_ops.render.files import formats_of

    ops = ops_of(context)
    files = formats_of(output_file or (), ops.settings.output)
    wishes = command.Wishes(
        Selection(stage or (), only or (), skip or (), severity),
        offline=offline,
        canary=not no_canary,
        strict=strict,
        exit_zero=exit_zero,
        fail_on=fail_on,
        min_score=min_score,
        retry_timeout=retry_timeout,
        retry_sleep=sleep,
        diff=diff,
        fix=fix,
    )
    with watching(color=ops.settings.color, quiet=ops.settings.quiet) as watch:
        report = command.prod_check(ops, wishes, watch)
    emit(ops, report, files)


@app.command("list")
def list_(context: typer.Context) -> None:
    """List every check, without running any.

    \b
    Examples:
      tradebot prod-check list
    """
    from tradebot_ops.prodcheck import command

    ops = ops_of(context)
    emit(ops, command.list_(ops))


@app.command()
def explain(context: typer.Context, id_: Annotated[str, typer.Argument(metavar="ID", help="Such as MON-02.")]) -> None:
    """Show what a check proves, why it matters and what to do when it fails.

    \b
    Example:
      tradebot prod-check explain MON-02
    """
    from tradebot_ops.prodcheck import command

    ops = ops_of(context)
    emit(ops, command.explain(ops, id_))


@app.command()
def history(context: typer.Context, limit: Limit = 20) -> None:
    """Show earlier runs: when, score and grade.

    \b
    Examples:
      tradebot prod-check history --limit 5
    """
    from tradebot_ops.prodcheck import command

    ops = ops_of(context)
    emit(ops, command.history(ops, limit))


@app.command()
def trend(context: typer.Context, limit: Limit = 20) -> None:
    """Show how the checks that were not always fine changed over the last runs.

    \b
    Examples:
      tradebot prod-check trend
    """
    from tradebot_ops.prodcheck import command

    ops = ops_of(context)
    emit(ops, command.trend(ops, limit))


@app.command()
def serve(
    context: typer.Context,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="On 127.0.0.1; 0 takes a free one.")] = 9095,
    every: Annotated[float, typer.Option("--every", metavar="SECONDS", min=1, help="Between two runs.")] = 300,
    no_canary: Annotated[bool, typer.Option("--no-canary", help="Submit no jobs.")] = False,
) -> None:
    """Run the checks again and again, and serve the last run: /readyz and /metrics on 127.0.0.1.

    /readyz is 200 while the last run has no failure, else 503. Ends with Ctrl-C or SIGTERM.

    \b
    Examples:
      tradebot prod-check serve
      tradebot prod-check serve --port 9095 --every 60 --no-canary
    """
    from tradebot_ops.prodcheck import serve as serving
    from tradebot_ops.render.formats import prometheus

    serving.serve(ops_of(context), port, every, canary=not no_canary, metrics=prometheus.text, report=say)
