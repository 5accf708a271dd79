"""The audit log of this project, judged against everything that remembers an end of it."""

import socket
from collections.abc import Iterator

from tradebot_ops.audit.log import AuditLog
from tradebot_ops.audit.verify import Anchor, Verdict, judge
from tradebot_ops.backups.shelf import Shelf
from tradebot_ops.context import Ops
from tradebot_ops.facts.fact import fact


def anchors(ops: Ops) -> Iterator[Anchor]:
    """The note beside the log, and every backup of this project that names an end of it."""
    noted = AuditLog(ops.state.folder).noted()
    if noted:
        yield Anchor(noted, "the note beside the log", apart=False)
    for backup in Shelf(ops.settings.backups / ops.settings.project).all():
        made = backup.manifest
        if made and made.audit.entries and made.project == ops.settings.project:
            yield Anchor(made.audit, f"the backup {backup.id}", host=made.by.rpartition("@")[2])


@fact()
def judged(ops: Ops) -> Verdict:
    return judge(AuditLog(ops.state.folder).read(), tuple(anchors(ops)), socket.gethostname())
