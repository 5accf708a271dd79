"""Codes of errors: TB-0821."""

from tradebot_ops.context import Ops
from tradebot_ops.glossary.exit_codes import errors, exit_code_of, exit_codes
from tradebot_ops.glossary.kind import Kind
from tradebot_ops.model import Section


def _codes(ops: Ops) -> list[str]:
    del ops
    return list(errors())


def _explained(ops: Ops, code: str) -> Section:
    del ops
    meaning, remedy = errors()[code]
    exit_code = exit_code_of(code)
    lines = (
        f"Error {code}: {meaning}.",
        f"What to do: {remedy}.",
        f"The command ends with exit code {exit_code}: {exit_codes()[exit_code]}.",
    )
    return Section(lines=lines)


KIND = Kind("error", _codes, _explained)
