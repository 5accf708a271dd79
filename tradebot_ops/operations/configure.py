"""Read and change settings one by one: in the settings file, with what would restart, and with a look before a leap."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from tradebot_ops.context import Ops
from tradebot_ops.errors import OpsError
from tradebot_ops.facts.project.settings import known_names
from tradebot_ops.model import Report, Section, Table
from tradebot_ops.operations.change import change
from tradebot_ops.operations.lifecycle.up import up
from tradebot_ops.operations.project import example_env
from tradebot_ops.progress import OnProgress
from tradebot_ops.settings import STACK_SETTINGS, Value
from tradebot_ops.settings.declared import Setting
from tradebot_ops.settings.edit import set_values
from tradebot_ops.settings.files import settings_in
from tradebot_ops.settings.secrecy import names_secret
from tradebot_ops.settings.secret import SHOWN
from tradebot_ops.text.sentences import agreed
from tradebot_ops.text.suggest import did_you_mean

_DECLARED: Mapping[str, Setting] = {setting.name: setting for setting in STACK_SETTINGS}


def get(ops: Ops, name: str) -> Report:
    """The value of one setting, alone on its line, as a script wants it."""
    value = ops.settings.stack.get(_known(name, _readable(ops)))
    text, origin = (value.text, value.origin) if value else ("", "not set")
    shown = _shown(name, text)
    return Report(data={"name": name, "value": shown, "origin": origin}, sections=(Section(lines=(shown,)),))


def change_settings(
    ops: Ops, values: Mapping[str, str | None], on_progress: OnProgress, *, apply: bool = False, dry_run: bool = False
) -> Report:
    """Write values into the settings file, None for a name that goes; with ``apply`` bring the stack to it.

    Everything is checked before anything is written: names, values, and the description with them. Raises
    ``OpsError`` TB-0268 for a name that nothing reads, TB-0269 for a value that cannot be.
    """
    allowed = known_names(ops)
    for name, text in values.items():
        _known(name, allowed if text is not None else {*allowed, *ops.settings.stack})
        _check(name, text)
    changed = ops.with_settings(replace(ops.settings, stack=_with(ops, values)))
    restarts = _restarts(ops, changed)
    done: tuple[str, ...] = ()
    if not dry_run:
        verb = "config set" if any(text is not None for text in values.values()) else "config unset"
        with change(ops, verb, *values, on_progress=on_progress):
            set_values(ops.settings.env_file, values)
            if apply:
                done = up(changed, [], on_progress, prove=False).sections[0].lines
    return _report(ops, changed, values, restarts, (*_outcome(ops, restarts, apply=apply, dry_run=dry_run), *done))


def _outcome(ops: Ops, restarts: Sequence[str], *, apply: bool, dry_run: bool) -> tuple[str, ...]:
    file = ops.settings.env_file
    written = f"Nothing was written; it would go into {file}." if dry_run else f"Written to {file}."
    if apply and not dry_run:
        return (written,)
    if not restarts:
        return (written, "No service of the stack changes by it.")
    return (written, f"Would change: {', '.join(restarts)}. Do it: tradebot up")


def _report(
    ops: Ops, changed: Ops, values: Mapping[str, str | None], restarts: Sequence[str], lines: Sequence[str]
) -> Report:
    before, after = ops.settings.stack, changed.settings.stack
    rows = tuple((name, _text(name, before), _text(name, after)) for name in values)
    warnings = [
        f"{name} is set by {after[name].origin} as well, which outranks the file. Change it there."
        for name in values
        if _is_outranked(ops, name)
    ]
    warnings += [
        f"`tradebot scale` has set the replicas of {service}, which outranks {service.upper()}_REPLICAS."
        for service in ops.desired_replicas
        if f"{service.upper()}_REPLICAS" in values
    ]
    data = {
        "file": str(ops.settings.env_file),
        "changes": [{"name": name, "before": old, "after": new} for name, old, new in rows],
        "restarts": list(restarts),
    }
    sections = (Section(lines=tuple(lines), tables=(Table(("setting", "before", "after"), rows),)),)
    return Report(data=data, sections=sections, warnings=tuple(warnings))


def _with(ops: Ops, values: Mapping[str, str | None]) -> dict[str, Value]:
    """All values as they are once these stand in the file; what outranks the file stays."""
    stack = dict(ops.settings.stack)
    for name, text in values.items():
        if _is_outranked(ops, name):
            continue
        if text is not None:
            stack[name] = Value(text, ops.settings.env_file.name)
        elif name in _DECLARED:
            stack[name] = Value(_DECLARED[name].default, "default")
        else:
            stack.pop(name, None)
    return stack


def _is_outranked(ops: Ops, name: str) -> bool:
    value = ops.settings.stack.get(name)
    return value is not None and value.origin in {"environment", "tradebot.toml"}


def _restarts(ops: Ops, changed: Ops) -> tuple[str, ...]:
    """Services whose description is another one by it, or of which there are more or fewer."""
    before, after = ops.stack.services, changed.stack.services
    return tuple(
        name
        for name, service in after.items()
        if name not in before
        or (service.spec_hash, service.replicas) != (before[name].spec_hash, before[name].replicas)
    )


def _text(name: str, values: Mapping[str, Value]) -> str:
    return _shown(name, values[name].text) if name in values else ""


def _readable(ops: Ops) -> set[str]:
    """Names that have a value besides those of the whole environment."""
    return known_names(ops) | {name for name, value in ops.settings.stack.items() if value.origin != "environment"}


def _known(name: str, allowed: set[str]) -> str:
    if name not in allowed:
        raise OpsError(
            f"Nothing reads a setting {name}.",
            code="TB-0268",
            hint=f"{did_you_mean(name, allowed)} tradebot config docs lists them.".lstrip(),
        )
    return name


def _check(name: str, text: str | None) -> None:
    if text is None or name not in _DECLARED:
        return
    try:
        _DECLARED[name].check(text)
    except ValueError as error:
        raise OpsError(f"{name}: {error}.", code="TB-0269", hint=f"tradebot config docs {name}") from None


def pairs(words: Sequence[str]) -> dict[str, str | None]:
    """``NAME=VALUE`` words. Raises ``OpsError`` TB-0268."""
    found: dict[str, str | None] = {}
    for word in words:
        name, equals, text = word.partition("=")
        if not equals or not name:
            raise OpsError(
                f"'{word}' is no setting with its value.", code="TB-0268", hint="Write NAME=VALUE: LOG_LEVEL=warning"
            )
        found[name] = text
    return found


def docs(ops: Ops, name: str) -> Report:
    """Each setting with its meaning, its default and its value now; of one or of all."""
    chosen = [_DECLARED[_known(name, {*_DECLARED})]] if name else list(STACK_SETTINGS)
    rows = tuple((each.name, each.default, ops.settings.stack[each.name].text, each.help) for each in chosen)
    data = [{"name": each.name, "default": each.default, "help": each.help} for each in chosen]
    return Report(data=data, sections=(Section(tables=(Table(("setting", "default", "now", "meaning"), rows),)),))


def example() -> Report:
    """The settings file to begin with: every setting with its meaning, commented out at its default."""
    text = example_env()
    return Report(data={"text": text}, sections=(Section(lines=tuple(text.splitlines())),))


def diff(ops: Ops, first: Path, second: Path) -> Report:
    """Names that two settings files set to different values; those of secrets are compared and not shown."""
    ours, theirs = (settings_in(ops.settings.cwd / each, ops.settings.environ) for each in (first, second))
    names = [name for name in sorted(ours.keys() | theirs.keys()) if ours.get(name) != theirs.get(name)]
    rows = tuple((name, _shown(name, ours.get(name)), _shown(name, theirs.get(name))) for name in names)
    line = agreed(f"{len(rows)} settings differ.") if rows else "Both files set the same."
    tables = (Table(("setting", str(first), str(second)), rows),) if rows else ()
    data = [{"name": name, "first": old, "second": new} for name, old, new in rows]
    return Report(data=data, sections=(Section(lines=(line,), tables=tables),))


def _shown(name: str, text: str | None) -> str:
    if text is None:
        return "not set"
    return SHOWN if names_secret(name) and text else text
