"""Errors in the logs of a day, grouped."""

from tradebot_ops.context import Ops
from tradebot_ops.diagnostics.bundle.collector import Collector, Files
from tradebot_ops.diagnostics.errors import of_logs
from tradebot_ops.diagnostics.fingerprints import Group

DAY_S = 24 * 3600.0
#: Of each replica: a collector has half a minute for all of them.
MOST_LINES = 200_000


def collect(ops: Ops) -> Files:
    found = of_logs(DAY_S, MOST_LINES)(ops)
    return {
        "errors.json": {
            "lines": found.lines,
            "beyond": found.beyond,
            "cut": list(found.cut),
            "groups": [_content(each) for each in found.groups],
        }
    }


def _content(each: Group) -> dict[str, object]:
    return {"id": each.key.id, "key": each.key, "count": each.count, "first": each.first, "last": each.last,
            "replicas": sorted(each.replicas), "jobs": each.jobs, "sample": each.sample}  # fmt: skip


COLLECTOR = Collector("errors", collect, seconds=30)
