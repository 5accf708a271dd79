"""`optimize apply` and `revert`: the settings file, then `up`; what was there before is remembered first."""

from collections.abc import Mapping
from dataclasses import replace

from tradebot_ops.context import Ops
from tradebot_ops.errors import OpsError
from tradebot_ops.model import Report, Section
from tradebot_ops.operations.change import actor, change
from tradebot_ops.operations.lifecycle import scale
from tradebot_ops.operations.lifecycle.up import up
from tradebot_ops.operations.optimize import plan
from tradebot_ops.operations.optimize.decide import Change, Decision
from tradebot_ops.operations.optimize.limits import WORKERS, outranked, written
from tradebot_ops.progress import OnProgress
from tradebot_ops.records import DesiredReplicas, Optimization, Optimizations
from tradebot_ops.settings import STACK_SETTINGS, Settings, Value
from tradebot_ops.settings.edit import set_values

KEPT = 50


def check(ops: Ops, window: str) -> tuple[Report, Decision]:
    """Changes that `apply` would make, for agreement. Raises ``OpsError`` TB-0920 when too little is known."""
    measured, decision = plan.look(ops, window)
    if decision.lacking:
        raise OpsError(
            decision.lacking, code="TB-0920", hint="Look at a shorter time: tradebot optimize plan --window 1h"
        )
    report = Report(data=plan.content(measured, decision), sections=plan.sections(measured, decision, ""))
    return report, decision


def apply(ops: Ops, shown: Report, decision: Decision, on_progress: OnProgress) -> Report:
    """Set what was decided and bring the stack to it. ``shown`` is the report on the decision.

    A setting that something stronger than the file sets stays, with a warning. When the `up` fails, the settings
    stand in the file already: the next `up` goes on, and `revert` goes back.
    """
    stuck = {each.setting: origin for each in decision.changes if (origin := outranked(ops, each))}
    changes = [each for each in decision.changes if each.setting not in stuck]
    warnings = tuple(f"{name} is set by: {origin}. Change it there." for name, origin in stuck.items())
    if not changes:
        return replace(shown, warnings=warnings)
    with change(ops, "optimize apply", *(each.setting for each in changes), on_progress=on_progress):
        _remember(ops, changes)
        done = _set(ops, {each.setting: written(each.setting, each.after) for each in changes}, on_progress)
    lines = (f"Set in {ops.settings.env_file}.", *done, "Go back: tradebot optimize revert")
    return replace(shown, warnings=warnings, sections=(*shown.sections, Section(lines=lines)))


def revert(ops: Ops, on_progress: OnProgress) -> Report:
    """Undo the last `apply`. What was changed by hand since then stays as it is, with a warning."""
    known = ops.state.load(Optimizations).optimizations
    if not known:
        line = "There is nothing to revert: nothing was optimized, or all of it was reverted."
        return Report(data={"reverted": {}}, sections=(Section(lines=(line,)),))
    last = known[-1]
    mine = {name for name, text in last.after.items() if _text(ops, name) == text}
    back = {name: last.before.get(name) for name in sorted(mine)}
    others = sorted(last.after.keys() - mine)
    with change(ops, "optimize revert", *sorted(back), on_progress=on_progress):
        done = _set(ops, back, on_progress, last.desired if WORKERS in back else None)
        ops.state.store(Optimizations(known[:-1]))
    lines = [f"{name}: {last.after[name]} -> {text or 'its default'}." for name, text in back.items()]
    warnings = tuple(f"{name} is not what was set on {last.at}, so it stays." for name in others)
    return Report(
        data={"reverted": back, "kept": others}, warnings=warnings, sections=(Section(lines=(*lines, *done)),)
    )


def _remember(ops: Ops, changes: list[Change]) -> None:
    after = {each.setting: written(each.setting, each.after) for each in changes}
    before = {name: text for name in after if (text := _text(ops, name)) is not None}
    at = ops.clock().isoformat(timespec="seconds")
    made = Optimization(at, actor(ops), before, after, ops.desired_replicas.get("worker"))
    ops.state.store(Optimizations((*ops.state.load(Optimizations).optimizations, made)[-KEPT:]))


def _text(ops: Ops, name: str) -> str | None:
    """The value in the file of settings; None where there is none."""
    value = ops.settings.stack.get(name)
    return None if value is None or value.origin == "default" else value.text


def _set(
    ops: Ops, values: Mapping[str, str | None], on_progress: OnProgress, desired: int | None = None
) -> tuple[str, ...]:
    """Write, let workers go or come, and let `up` do the rest; ``desired`` is what `scale` had stored before."""
    set_values(ops.settings.env_file, values)
    if WORKERS in values:
        others = {name: count for name, count in ops.desired_replicas.items() if name != "worker"}
        ops.state.store(DesiredReplicas(others if desired is None else {**others, "worker": desired}))
    changed = ops.with_settings(_settings(ops, values))
    if WORKERS in values:
        count = changed.stack.services["worker"].replicas
        scale.scale(ops, "worker", count, on_progress, persist=False)
    return up(changed, [], on_progress, prove=False).sections[0].lines


def _settings(ops: Ops, values: Mapping[str, str | None]) -> Settings:
    """Those of this command, as they are read with the file as it is now."""
    defaults = {setting.name: Value(setting.default, "default") for setting in STACK_SETTINGS}
    stack = {name: value for name, value in ops.settings.stack.items() if name not in values}
    stack |= {name: defaults[name] for name in values if name in defaults}
    stack |= {name: Value(text, ops.settings.env_file.name) for name, text in values.items() if text is not None}
    return replace(ops.settings, stack=stack)
