"""The project's own files: write them out for editing, show and check the configuration."""

import shutil
from pathlib import Path

from tradebot_ops.context import Ops
from tradebot_ops.errors import OpsError
from tradebot_ops.model import Report, Section, Table
from tradebot_ops.private_folder import writable
from tradebot_ops.records import DesiredReplicas
from tradebot_ops.settings import STACK_SETTINGS, Value
from tradebot_ops.stack.source import default_folder
from tradebot_ops.text.sentences import agreed

PARTS = ("compose.yaml", "config", "services")


def init(target: Path) -> Report:
    """Write the stack into a folder. Raises ``OpsError`` TB-0906 rather than overwrite anything."""
    source = default_folder()
    taken = [name for name in PARTS if (target / name).exists()]
    if taken:
        raise OpsError(
            f"{target} already holds {', '.join(taken)}; nothing was written.",
            code="TB-0906",
            hint="Choose an empty folder: tradebot init my-stack",
        )
    with writable(target):
        target.mkdir(parents=True, exist_ok=True)
        for name in PARTS:
            _copy(source / name, target / name)
        (target / ".env.production.example").write_text(example_env(), encoding="utf-8")
    written = [*PARTS, ".env.production.example"]
    line = f"Wrote {', '.join(written)} into {target}."
    return Report(
        data={"folder": str(target), "written": written},
        sections=(Section(lines=(line, "Edit them, then, in that folder: tradebot up")),),
    )


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy(source, target)


def example_env() -> str:
    """``.env.production.example``: every setting with its meaning and default, generated from the settings."""
    lines = [
        "# Settings of the stack. Copy to .env.production, set ENVIRONMENT=production, uncomment what you change.",
        "",
    ]
    for setting in STACK_SETTINGS:
        lines += [f"# {setting.help}.", f"#{setting.name}={setting.default}", ""]
    return "\n".join(lines)


def show_config(ops: Ops) -> Report:
    """Each setting's value and where it came from; what `scale` stored outranks the rest."""
    values = {setting.name: ops.settings.stack[setting.name] for setting in STACK_SETTINGS}
    origin = f"tradebot scale ({ops.state.folder / DesiredReplicas.FILE})"
    for service, count in ops.desired_replicas.items():
        values[f"{service.upper()}_REPLICAS"] = Value(str(count), origin)
    helps = {setting.name: setting.help for setting in STACK_SETTINGS}
    rows = tuple((name, value.text, value.origin, helps.get(name, "")) for name, value in values.items())
    where = f"Stack: {ops.source.folder} ({ops.source.why}). State: {ops.state.folder}."
    data = {
        "stack": {"folder": str(ops.source.folder), "why": ops.source.why},
        "state": str(ops.state.folder),
        "settings": [{"name": name, "value": value.text, "origin": value.origin} for name, value in values.items()],
    }
    return Report(
        data=data,
        sections=(Section(lines=(where,), tables=(Table(("setting", "value", "from", "meaning"), rows),)),),
    )


def validate_config(ops: Ops) -> Report:
    """Read and check everything; whatever is wrong is raised with file, key and what to write."""
    stack = ops.stack
    names = list(stack.services)
    line = agreed(f"The configuration is valid: {len(names)} services ({', '.join(names)}) from {ops.source.folder}.")
    return Report(
        data={"services": names, "folder": str(ops.source.folder)},
        sections=(Section(lines=(line,)),),
    )
