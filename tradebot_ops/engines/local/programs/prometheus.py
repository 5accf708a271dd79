"""``prometheus``: its configuration is rendered for this host, its rules are read where they lie."""

from pathlib import Path

from tradebot_ops.engines.base import Address
from tradebot_ops.engines.local.launching import fetched
from tradebot_ops.engines.local.launching.program import Launch, LocalReplica, Program
from tradebot_ops.engines.local.records import reachable
from tradebot_ops.monitoring.prometheus import BOTS, on_this_host
from tradebot_ops.private_folder import PrivateFolder, make_private

_CONFIG = "--config.file"
_ABSENT = frozenset({"grafana"})


def _launch(replica: LocalReplica) -> Launch:
    argv = fetched.with_option(replica.argv[1:], _CONFIG, str(_rendered(replica)))
    return Launch((str(fetched.binary(replica, "prometheus")), *argv), replica.folder(""))


def _render(replica: LocalReplica) -> None:
    path = Path(fetched.option(replica.argv, _CONFIG))
    stack = replica.stack
    present = stack.services.keys() - _ABSENT
    bots = replica.layout.alias_discovery(BOTS, "*")
    make_private(bots.parent)  # Prometheus complains every five seconds of a folder that is not there
    found = on_this_host(
        fetched.configuration(path),
        rewrite=lambda text: _itself(text, replica) or replica.rewrite(text),
        absent={*stack.services, *stack.inactive} - present,
        discovery={name: str(replica.layout.discovery(name)) for name in present} | {BOTS: str(bots)},
        folder=path.parent,
    )
    for service, line in found.left_out:
        if service not in _ABSENT:  # `up` reports these by itself
            replica.say(line)
    PrivateFolder(replica.own_folder).write(_rendered(replica).name, found.text)


def _itself(text: str, replica: LocalReplica) -> str:
    """In a container, localhost is Prometheus alone: where its own port is on this host; empty for any other."""
    host, _, port = text.rpartition(":")
    own = replica.ports.get(int(port)) if host in {"localhost", "127.0.0.1"} and port.isdecimal() else None
    return str(Address(reachable(replica.listen), own)) if own else ""


def _rendered(replica: LocalReplica) -> Path:
    return replica.own_folder / "prometheus.yml"


PROGRAM = Program(
    ("prometheus",),
    _launch,
    _render,
    obtain=fetched.obtaining("prometheus"),
    texts=lambda service: fetched.text_of(fetched.mounted_file(service, _CONFIG)),
)
