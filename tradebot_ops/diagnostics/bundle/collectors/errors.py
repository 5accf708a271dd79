"""Errors in the logs of a day, grouped."""

from datetime import timedelta

from tradebot_ops.context import Ops
from tradebot_ops.diagnostics.bundle.collector import Collector, Files
from tradebot_ops.diagnostics.fingerprints import Group, group
from tradebot_ops.diagnostics.redaction import of_project
from tradebot_ops.engines.base import LogQuery


def collect(ops: Ops) -> Files:
    lines = ops.engine.logs(LogQuery(since=ops.clock() - timedelta(days=1)))
    found = group(lines, of_project(ops))
    return {
        "errors.json": {
            "lines": found.lines,
            "beyond": found.beyond,
            "groups": [_content(each) for each in found.groups],
        }
    }


def _content(each: Group) -> dict[str, object]:
    return {"id": each.key.id, "key": each.key, "count": each.count, "first": each.first, "last": each.last,
            "replicas": sorted(each.replicas), "jobs": each.jobs, "sample": each.sample}  # fmt: skip


COLLECTOR = Collector("errors", collect, seconds=30)
