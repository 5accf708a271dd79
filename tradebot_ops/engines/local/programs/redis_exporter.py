"""``redis_exporter``: its password file names Redis by address, so it is rendered for this host."""

from pathlib import Path

from tradebot_ops.engines.local.launching import fetched
from tradebot_ops.engines.local.launching.program import Launch, LocalReplica, Program
from tradebot_ops.private_folder import PrivateFolder

_PASSWORDS = "--redis.password-file"


def _launch(replica: LocalReplica) -> Launch:
    argv = replica.argv[1:]
    if fetched.option(argv, _PASSWORDS):
        argv = fetched.with_option(argv, _PASSWORDS, str(_rendered(replica)))
    return Launch((str(fetched.binary(replica, "redis_exporter")), *argv), replica.folder(""))


def _render(replica: LocalReplica) -> None:
    if path := fetched.option(replica.argv, _PASSWORDS):
        text = replica.rewrite(fetched.configuration(Path(path)))
        PrivateFolder(replica.own_folder).write(_rendered(replica).name, text)


def _rendered(replica: LocalReplica) -> Path:
    return replica.own_folder / "passwords.json"


PROGRAM = Program(("redis_exporter",), _launch, _render, obtain=fetched.obtaining("redis_exporter"))
