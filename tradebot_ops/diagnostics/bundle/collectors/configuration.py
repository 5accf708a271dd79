"""The description and the settings with their origins; never the environment, nor a settings file as it is."""

from tradebot_ops.context import Ops
from tradebot_ops.diagnostics.bundle.collector import Collector, Files
from tradebot_ops.facts.metrics.config_files import folder
from tradebot_ops.settings import STACK_SETTINGS


def collect(ops: Ops) -> Files:
    files = {f"configuration/{path.name}": path for path in ops.source.files}
    files |= {f"configuration/{name}.yml": folder(ops, name) / f"{name}.yml" for name in ("prometheus", "alertmanager")}
    settings = {setting.name: ops.settings.stack[setting.name] for setting in STACK_SETTINGS}
    return {
        "settings.json": {name: {"value": value.text, "origin": value.origin} for name, value in settings.items()},
        "configuration/replicas.json": dict(ops.desired_replicas),
        **{name: path.read_text(encoding="utf-8", errors="replace") for name, path in files.items() if path.is_file()},
    }


COLLECTOR = Collector("configuration", collect)
