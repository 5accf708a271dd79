"""Any program of this host, taken from PATH."""

import shutil

from tradebot_ops.engines.local.launching.program import Launch, LocalReplica, Program
from tradebot_ops.errors import OpsError


def _launch(replica: LocalReplica) -> Launch:
    word = replica.argv[0]
    binary = shutil.which(word, path=replica.environ.get("PATH"))
    if binary is None:
        raise OpsError(
            f"The service {replica.service.name} needs the program {word}, which this host does not have.",
            code="TB-0404",
            hint=f"Install {word} so that it is on PATH, or use `--engine docker`.",
        )
    return Launch((binary, *replica.argv[1:]), replica.folder(""))


on_path = Program((), _launch)
