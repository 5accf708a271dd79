"""Exit codes of commands: 9."""

from tradebot_ops.context import Ops
from tradebot_ops.glossary.exit_codes import errors, exit_code_of, exit_codes
from tradebot_ops.glossary.kind import Kind
from tradebot_ops.model import Section, Table


def _codes(ops: Ops) -> list[str]:
    del ops
    return list(exit_codes())


def _explained(ops: Ops, code: str) -> Section:
    del ops
    rows = tuple((error, *cells) for error, cells in errors().items() if exit_code_of(error) == code)
    tables = (Table(("error", "meaning", "what to do"), rows),) if rows else ()
    return Section(lines=(f"Exit code {code}: {exit_codes()[code]}.",), tables=tables)


KIND = Kind("exit code", _codes, _explained)
