"""Settings of the stack: REDIS_MAXMEMORY."""

from tradebot_ops.context import Ops
from tradebot_ops.glossary.kind import Kind
from tradebot_ops.model import Section, Table
from tradebot_ops.settings import STACK_SETTINGS

_DECLARED = {setting.name: setting for setting in STACK_SETTINGS}


def _names(ops: Ops) -> list[str]:
    del ops
    return list(_DECLARED)


def _explained(ops: Ops, name: str) -> Section:
    setting, value = _DECLARED[name], ops.settings.stack[name]
    rows = (("default", setting.default or "none"), ("now", value.text), ("from", value.origin))
    lines = (f"Setting {name}: {setting.help}.", "Set it in .env, in the environment, or in tradebot.toml.")
    return Section(lines=lines, tables=(Table(("", ""), rows),))


KIND = Kind("setting", _names, _explained)
