"""Refuse a restore that would do harm, before anything is touched."""

from collections.abc import Sequence

from tradebot_ops.backups.manifest import Manifest
from tradebot_ops.backups.shelf import Backup
from tradebot_ops.context import Ops
from tradebot_ops.engines.base import Replica
from tradebot_ops.errors import OpsError
from tradebot_ops.facts.fact import NotApplicable
from tradebot_ops.facts.stores import migrations

#: Where data come from; everything else that depends on them uses the database.
STORES = ("postgres", "redis")


def check_origin(ops: Ops, backup: Backup, manifest: Manifest, from_project: str) -> None:
    """Raises ``OpsError`` TB-0921 for another project's backup that was not named, TB-0922 for a newer schema."""
    if manifest.project not in {ops.settings.project, from_project}:
        raise OpsError(
            f"The backup {backup.id} is of the project {manifest.project}, and this is {ops.settings.project}.",
            code="TB-0921",
            hint=f"If it is meant to replace this one's data: --from-project {manifest.project}",
        )
    known = _known_revisions(ops)
    if manifest.revision and known and manifest.revision not in known:
        raise OpsError(
            f"The backup {backup.id} has schema {manifest.revision}, which this release does not know: its newest is "
            f"{max(known)}.",
            code="TB-0922",
            hint=f"Install the release that made it, tradebot {manifest.tradebot} or newer.",
        )


def check_server(backup: Backup, manifest: Manifest, major: int) -> None:
    """Raises ``OpsError`` TB-0924 for the dump of a newer Postgres, which the tools of an older one cannot read."""
    if 0 < major < manifest.major:
        raise OpsError(
            f"The backup {backup.id} was made by Postgres {manifest.server}, and Postgres {major} cannot read it.",
            code="TB-0924",
            hint=f"Run Postgres {manifest.major} or newer: POSTGRES_IMAGE, or --engine.",
        )


def users(ops: Ops) -> tuple[Replica, ...]:
    """Running replicas that use the database or the queue."""
    described = ops.stack.services
    stores = {*STORES, *(name for name, each in described.items() if each.one_shot)}
    using = {
        name
        for name, each in described.items()
        if name not in STORES and stores & {dependency.service for dependency in each.depends_on}
    }
    return tuple(found for found in ops.engine.list() if found.state.alive and found.service in using)


def check_stopped(running: Sequence[Replica], project: str) -> None:
    """Raises ``OpsError`` TB-0923 while something runs that works with the data."""
    if running:
        names = ", ".join(sorted(found.label for found in running))
        raise OpsError(
            f"{project} is running ({names}), and a restore would take its data away; nothing was done.",
            code="TB-0923",
            hint="Let the restore stop it first: add --stop. Or look at the data beside it: --into NAME",
        )


def _known_revisions(ops: Ops) -> frozenset[str]:
    """Empty where the description has no migration of ours."""
    try:
        return frozenset(migrations.revisions(migrations.versions_folder(ops)))
    except NotApplicable:
        return frozenset()
