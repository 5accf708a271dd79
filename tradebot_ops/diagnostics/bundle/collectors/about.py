"""Which tradebot, engine and host this is."""

import platform

from tradebot_ops.context import Ops
from tradebot_ops.diagnostics.bundle.collector import Collector, Files, asked
from tradebot_ops.facts import engine
from tradebot_ops.version import version


def collect(ops: Ops) -> Files:
    about = {
        "tradebot": version(),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "project": ops.settings.project,
        "environment": ops.settings.env,
        "at": ops.clock().isoformat(timespec="seconds"),
        "engine": ops.engine.name,
        "engine_because": ops.choice.why,
        "profiles": list(ops.profiles),
    }
    return {"about.json": about, **asked(ops, {"engine.json": engine.info})}


COLLECTOR = Collector("about", collect)
