"""``prometheus``: its configuration is rendered for this host, its rules are read where they lie."""

from pathlib import Path

from tradebot_ops.engines.local.launching import fetched
from tradebot_ops.engines.local.launching.program import Launch, LocalReplica, Program
from tradebot_ops.monitoring.prometheus import on_this_host
from tradebot_ops.private_folder import PrivateFolder

_CONFIG = "--config.file"
_ABSENT = frozenset({"grafana"})


def _launch(replica: LocalReplica) -> Launch:
    argv = fetched.with_option(replica.argv[1:], _CONFIG, str(_rendered(replica)))
    return Launch((str(fetched.binary(replica, "prometheus")), *argv), replica.folder(""))


def _render(replica: LocalReplica) -> None:
    path = Path(fetched.option(replica.argv, _CONFIG))
    present = replica.stack.services.keys() - _ABSENT
    text = on_this_host(
        path.read_text(encoding="utf-8"),
        rewrite=replica.rewrite,
        present=present,
        discovery={name: str(replica.layout.discovery(name)) for name in present},
        folder=path.parent,
    )
    PrivateFolder(replica.own_folder).write(_rendered(replica).name, text)


def _rendered(replica: LocalReplica) -> Path:
    return replica.own_folder / "prometheus.yml"


PROGRAM = Program(
    ("prometheus",),
    _launch,
    _render,
    obtain=fetched.obtaining("prometheus"),
    texts=lambda service: fetched.text_of(fetched.mounted_file(service, _CONFIG)),
)
