"""Let nothing start, and let it start again; a report names each fact by itself, as it was read afterwards."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from tradebot_ops.context import Ops
from tradebot_ops.errors import OpsError
from tradebot_ops.model import Report, Section, Table
from tradebot_ops.operations.change import actor, change
from tradebot_ops.operations.trade import bot_facts
from tradebot_ops.operations.trade.bot_facts import BotFacts
from tradebot_ops.operations.trade.halting import Halt, way
from tradebot_ops.operations.trade.known import NO_BOT, Known
from tradebot_ops.progress import OnProgress, ignore_progress
from tradebot_ops.text.quantities import ago
from tradebot_ops.text.sentences import agreed, ended

COLUMNS = ("fact", "state", "detail")


@dataclass(frozen=True)
class Standing:
    """The facts after a halt or a resume. None of them follows from another."""

    intake: Known
    jobs: Known
    orders: Known = NO_BOT
    positions: Known = NO_BOT


def halt(
    ops: Ops,
    reason: str,
    on_progress: OnProgress = ignore_progress,
    *,
    close: bool = False,
    cancel_running: bool = False,
) -> Report:
    """Take and start no jobs from here on, but for canaries; what runs goes on, or with ``cancel_running``
    is asked to end. The watched bot opens nothing more.

    With ``close`` the bot closes its positions, too. What became of that is read afterwards, and the report is not ok
    where it did not do it, or nobody knows.

    Raises ``OpsError`` TB-0277 without a reason, TB-0163 where no halt is found afterwards, TB-0566 where running jobs
    cannot be asked: the stack is halted then.
    """
    if not reason.strip():
        raise OpsError(
            "A halt needs a reason: whoever is refused will ask for it.",
            code="TB-0277",
            hint="tradebot halt --reason 'fills look wrong'",
        )
    options = {"--close-positions": close, "--cancel-running": cancel_running}
    words = [name for name, wanted in options.items() if wanted]
    with change(ops, "halt", *words, reason, on_progress=on_progress, lease=False):
        through, before = way(ops, actor(ops))
        through.close_intake(reason)
        after = through.latest()
        if not after["halted"]:
            raise OpsError(
                f"The stack is not halted: {after['ended_by']} has resumed it at the same moment.",
                code="TB-0163",
                hint=f"tradebot halt --reason '{reason}'",
            )
        bot = bot_facts.halted(ops, close=close)
        asked = through.cancel_jobs() if cancel_running else 0
        jobs = jobs_after(through.jobs(), halted=True, asked=asked)
        standing = Standing(Known("closed", "a job is refused (423)"), jobs, bot.orders, bot.positions)
    already = "The stack was halted already, " if before["halted"] else "The stack is halted, "
    why = f"{already}by {after['by']} {ago(after['at'], ops.clock())} ago: {ended(after['reason'])}"
    return _report(after, standing, bot, (f"{why} Once you know why: tradebot resume",))


def resume(ops: Ops, reason: str, on_progress: OnProgress = ignore_progress) -> Report:
    """Take and start jobs again. Raises ``OpsError`` TB-0164 where a halt is found afterwards."""
    with change(ops, "resume", *([reason] if reason else []), on_progress=on_progress, lease=False):
        through, before = way(ops, actor(ops))
        through.open_intake(reason)
        after = through.latest()
        if after["halted"]:
            raise OpsError(
                f"The stack is still halted: {after['by']} has halted it at the same moment: {ended(after['reason'])}",
                code="TB-0164",
                hint="tradebot resume, once you know why",
            )
        bot = bot_facts.standing(ops)
        jobs = jobs_after(through.jobs(), halted=False)
        standing = Standing(Known("open", "jobs are taken"), jobs, bot.orders, bot.positions)
    if before["halted"]:
        was = f"It was halted by {before['by']} {ago(before['at'], ops.clock())} ago: {ended(before['reason'])}"
        return _report(after, standing, bot, (f"The stack works again. {was}",))
    return _report(after, standing, bot, ("The stack was not halted; nothing was changed.",))


def jobs_after(jobs: Mapping[str, int], *, halted: bool, asked: int = 0) -> Known:
    """How many run, of which some were ``asked`` to end, and what becomes of those that wait."""
    waiting = jobs["waiting"] + jobs["retrying"]
    running = f"{jobs['running']} running"
    goes_on = f"{asked} asked to end" if asked else "what runs goes on to its end"
    details = [goes_on] if halted and (asked or jobs["running"]) else []
    wait = agreed(f"{waiting} jobs wait") + (" for the resume" if halted else " to start within seconds")
    details += [wait] if waiting else []
    details += [agreed(f"{jobs['scheduled']} jobs wait for a later time")] if jobs["scheduled"] else []
    return Known(running, ", ".join(details) or "none waits")


def _report(halt: Halt, standing: Standing, bot: BotFacts, lines: tuple[str, ...]) -> Report:
    facts = asdict(standing)
    rows = tuple((name, fact["state"], fact["detail"]) for name, fact in facts.items())
    table = Table(COLUMNS, rows)
    sections = (Section(lines=lines, tables=(table,)),)
    return Report(data=dict(halt) | {"facts": facts}, sections=sections, findings=bot.findings)
