"""Checks of `prod-check`: API-06."""

from tradebot_ops.context import Ops
from tradebot_ops.glossary.kind import Kind
from tradebot_ops.model import Section
from tradebot_ops.prodcheck import command
from tradebot_ops.prodcheck.catalogue import catalogue


def _ids(ops: Ops) -> list[str]:
    del ops
    return [check.id for stage in catalogue() for check in stage.checks]


def _explained(ops: Ops, id_: str) -> Section:
    return command.explain(ops, id_).sections[0]


KIND = Kind("check", _ids, _explained)
