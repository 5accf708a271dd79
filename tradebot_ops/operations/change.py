"""The one boundary through which everything that changes a project goes: lease, audit log, hooks.

``with change(ops, "scale", "worker", "6", on_progress=on_progress): …`` stands around all that a command changes. No
operation takes a lock of its own; a test walks the source for writes that could run outside.
"""

import contextlib
from collections.abc import Iterator, Mapping

from tradebot_ops.context import Change, Ops
from tradebot_ops.errors import OpsError
from tradebot_ops.operations import hooks
from tradebot_ops.operations.audit.entry import Audited, sentence
from tradebot_ops.progress import OnProgress, Phase, ProgressEvent, ignore_progress
from tradebot_ops.settings import who


@contextlib.contextmanager
def change(
    ops: Ops, command: str, *arguments: str, on_progress: OnProgress = ignore_progress, lease: bool = True
) -> Iterator[None]:
    """Within, the project may be changed. ``command`` is what the operator types, ``arguments`` what it is about.

    Holds the project's lease, so that no other command changes it meanwhile (TB-0701 names that command), writes into
    the audit log who began what and how it ended, and runs the hooks of the command inside it. A pre hook that fails
    refuses the command before anything is changed (TB-0908); a post hook that fails is a warning. After Ctrl-C no post
    hook runs.

    Nested in another change of the same ``Ops`` it is a part of that one: the lease is held once, nothing is logged
    and no hook runs, because the operator typed one command.

    ``lease=False`` is for what no other command can spoil and what must work while an `up` takes its time: jobs
    (their queue puts them in order), silences and test alerts (Alertmanager keeps them), and images (the engine's,
    for all projects; building takes minutes). Their hooks run all the same.
    """
    made = Change(command, arguments, leased=lease)
    with contextlib.ExitStack() as held:
        if lease and not any(outer.leased for outer in ops.changes):
            held.enter_context(ops.state.lock(command))
        nested = bool(ops.changes)
        ops.changes.append(made)
        held.callback(ops.changes.pop)
        if nested:
            yield
            return
        audited = Audited(ops, made)
        try:
            _before(ops, made, on_progress)
        except BaseException as error:
            audited.end(error)
            raise
        try:
            yield
        except BaseException as error:
            audited.end(error)
            if isinstance(error, Exception):
                _after(ops, made, on_progress, audited, error)
            raise
        audited.end()
        _after(ops, made, on_progress, audited)


def _before(ops: Ops, made: Change, on_progress: OnProgress) -> None:
    """The hook that may refuse the command: whatever raises here does."""
    try:
        _run_hook(ops, "pre", made, on_progress, {})
    except hooks.Failed as failure:
        raise OpsError(
            f"{failure}, so nothing was changed.",
            code="TB-0908",
            hint="Correct what the hook complains of, or move it out of .tradebot/hooks.",
            detail=failure.lines,
        ) from None


def _after(ops: Ops, made: Change, on_progress: OnProgress, audited: Audited, error: Exception | None = None) -> None:
    """The hook that sees how a change ended. What fails here is a warning: the change itself is done."""
    facts = {"TRADEBOT_RESULT": "failed" if error else "ok", "TRADEBOT_RUNTIME": f"{audited.seconds:.0f}"}
    if audited.head:
        facts["TRADEBOT_AUDIT"] = str(audited.head)
    if error:
        facts["TRADEBOT_ERROR"] = sentence(error)
    try:
        _run_hook(ops, "post", made, on_progress, facts)
    except hooks.Failed as failure:
        ops.warnings.append(f"{failure}.")


def _run_hook(ops: Ops, moment: str, made: Change, on_progress: OnProgress, facts: Mapping[str, str]) -> None:
    """Raises ``hooks.Failed``, which then begins with the hook's path."""
    hook = hooks.find(ops, moment, made.command)
    if hook is None:
        return
    on_progress(ProgressEvent(hook.name, Phase.STARTING))
    environ = {**ops.settings.environ, **_facts(ops, made), **facts}
    try:
        hooks.run(
            hook,
            environ,
            lambda line: on_progress(ProgressEvent(hook.name, Phase.PREPARING, line)),
            ops.settings.timeout,
        )
    except hooks.Failed as failure:
        on_progress(ProgressEvent(hook.name, Phase.FAILED, str(failure)))
        raise hooks.Failed(f"The hook {hook} {failure}", failure.lines) from None
    on_progress(ProgressEvent(hook.name, Phase.DONE))


def _facts(ops: Ops, made: Change) -> dict[str, str]:
    """Variables for every hook. A `tradebot` that it calls reads some of them, and so means the same project."""
    facts = {
        "TRADEBOT_COMMAND": made.command,
        "TRADEBOT_ARGUMENTS": " ".join(made.arguments),
        "TRADEBOT_PROJECT": ops.settings.project,
        "TRADEBOT_ENGINE": ops.engine.name,
        "TRADEBOT_ENV": ops.settings.env,
        "TRADEBOT_ACTOR": actor(ops),
        "TRADEBOT_RECORDED_AT": ops.clock().isoformat(timespec="seconds"),
    }
    if ops.settings.files:
        facts["TRADEBOT_FILE"] = ":".join(map(str, ops.settings.files))
    return facts


def actor(ops: Ops) -> str:
    """Who gave the command: ``ana@host``."""
    return who.actor(ops.settings.environ)


def user(ops: Ops) -> str:
    """Who gave the command: ``ana``."""
    return who.user(ops.settings.environ)
