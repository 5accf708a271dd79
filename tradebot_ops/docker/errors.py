"""Refusals of a Docker engine, translated for the operator."""

import re
from dataclasses import dataclass

from docker.errors import APIError

from tradebot_ops.errors import DiskFull, OpsError, PortTaken

DISK_FULL = "no space left on device"
DISK_FULL_HINT = (
    "See what takes it with `docker system df`, free some with `tradebot prune --images` or `docker image prune`, "
    "then run the command again."
)


@dataclass(frozen=True)
class Explanation:
    """Translation of an engine's own words: ``pattern`` finds them, groups fill ``message`` and ``hint``."""

    pattern: str
    code: str
    message: str
    hint: str
    kind: type[OpsError] = OpsError


EXPLANATIONS = (
    Explanation(
        DISK_FULL,
        "TB-0802",
        "Docker's disk is full",
        DISK_FULL_HINT,
        DiskFull,
    ),
    Explanation(
        r"(?P<port>(?:[\d.]+|\[[\da-f:]*\]):\d+)\b.*(?:port is already allocated|address already in use)",
        "TB-0821",
        "port {port} is taken by another program or container",
        "See who holds it with `ss -ltnp` and `docker ps`, or choose another: API_PORT=8110 tradebot up",
        PortTaken,
    ),
    Explanation(
        r'container name "/?(?P<name>[^"]+)" is already in use by container "?(?P<id>\w{12})',
        "TB-0822",
        "the name {name} belongs to container {id}, which is not of this project",
        "Rename or remove it (`docker rename {id} …`, `docker rm {id}`), or use another project name.",
    ),
    Explanation(
        r"pool overlaps|non-overlapping IPv4 address pool|overlaps with other one",
        "TB-0823",
        "no free network address range is left",
        "Remove unused networks with `docker network prune`, or set `default-address-pools` of the engine.",
    ),
    Explanation(
        r"bind source path does not exist: (?P<path>\S+)",
        "TB-0824",
        "{path} does not exist where the engine runs",
        "Create it there; a remote engine does not see the files of this host.",
    ),
    Explanation(
        r"no such image: (?P<image>\S+)",
        "TB-0825",
        "the image {image} is missing",
        "Get it with `tradebot pull`, or build it with `tradebot images build --from debian`.",
    ),
    Explanation(
        r"volume is in use - \[(?P<users>[^]]+)\]",
        "TB-0904",
        "a container still uses the volume: {users}",
        "Remove that container first: docker rm -f {users}",
    ),
    Explanation(
        r"network (?P<network>\S+) .*has active endpoints",
        "TB-0905",
        "containers outside this project still use the network {network}",
        "Disconnect them first: docker network inspect {network}",
    ),
)


def explain(doing: str, error: APIError) -> OpsError:
    """The error that an engine's refusal means to the operator."""
    text = str(error.explanation or error).strip()
    for known in EXPLANATIONS:
        if match := re.search(known.pattern, text, re.IGNORECASE | re.DOTALL):
            groups = match.groupdict()
            message = f"Docker failed while {doing}: {known.message.format(**groups)}."
            return known.kind(message, known.code, known.hint.format(**groups), (text,))
    return OpsError(
        f"Docker refused while {doing}: {text.rstrip('.')}.",
        code="TB-0100",
        hint="Look at the engine's log: journalctl -u docker -n 50",
    )
