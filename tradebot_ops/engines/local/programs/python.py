"""``python``: the interpreter that runs this command, with the stack's own packages importable."""

import os
import sys

from tradebot_ops.engines.local.launching.program import Launch, LocalReplica, Program
from tradebot_ops.text.labels import label


def _launch(replica: LocalReplica) -> Launch:
    environ = {
        "PYTHONPATH": os.pathsep.join(
            filter(None, (str(replica.stack_folder), replica.service.environment.get("PYTHONPATH", "")))
        ),
        "PYTHONUNBUFFERED": "1",
        "WORKER_NAME": label(replica.service.name, replica.number),
    }
    described = {key: value for key, value in replica.environ.items() if key != "PYTHONPATH"}
    return Launch((sys.executable, *replica.argv[1:]), replica.folder(""), {**environ, **described})


PROGRAM = Program(("python", "python3"), _launch)
