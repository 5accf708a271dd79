"""``alertmanager``: its configuration is rendered for this host."""

import os
from collections.abc import Mapping
from pathlib import Path

from tradebot_ops.debian import packages
from tradebot_ops.engines.local.launching import fetched
from tradebot_ops.engines.local.launching.program import Launch, LocalReplica, Program, Say
from tradebot_ops.private_folder import PrivateFolder

_CONFIG = "--config.file"
#: Debian's build reads its templates from this folder of the host, and from nowhere else.
TEMPLATES = b"/usr/share/prometheus/alertmanager"
_WORKING_FOLDER = b"/proc/self/cwd"
MOVABLE = "alertmanager-movable"


def _launch(replica: LocalReplica) -> Launch:
    argv = fetched.with_option(replica.argv[1:], _CONFIG, str(_rendered(replica)))
    program = fetched.binary(replica, "alertmanager")
    movable = program.parent / MOVABLE
    if not movable.is_file():
        return Launch((str(program), *argv), replica.folder(""))
    return Launch((str(movable), *argv), packages.folder(replica.host) / TEMPLATES.decode().lstrip("/"))


def _obtain(host: Mapping[str, str], say: Say) -> None:
    program = packages.obtain("alertmanager", host, say)
    if program.is_relative_to(packages.folder(host)) and not (program.parent / MOVABLE).is_file():
        _make_movable(program)


def _make_movable(program: Path) -> None:
    """A copy that reads its templates from its working folder.

    Unpacked in a cache, the templates are not where the program looks, and only root could put them there. The
    name of the folder in the program is replaced by one of the same length, which the kernel resolves to wherever
    the program was started; the copy is made after the package was verified.
    """
    here = _WORKING_FOLDER.ljust(len(TEMPLATES), b"/")
    draft = program.with_name(f".{MOVABLE}.{os.getpid()}")
    draft.write_bytes(program.read_bytes().replace(TEMPLATES, here))
    draft.chmod(0o755)
    draft.replace(program.with_name(MOVABLE))


def _render(replica: LocalReplica) -> None:
    path = Path(fetched.option(replica.argv, _CONFIG))
    text = replica.rewrite(fetched.configuration(path))
    PrivateFolder(replica.own_folder).write(_rendered(replica).name, text)


def _rendered(replica: LocalReplica) -> Path:
    return replica.own_folder / "alertmanager.yml"


PROGRAM = Program(
    ("alertmanager",),
    _launch,
    _render,
    obtain=_obtain,
    texts=lambda service: fetched.text_of(fetched.mounted_file(service, _CONFIG)),
)
