"""The schema: the revision that the database has, and the one that the services bring."""

import ast
from dataclasses import dataclass
from pathlib import Path

from tradebot_ops.context import Ops
from tradebot_ops.errors import OpsError
from tradebot_ops.facts.fact import NotApplicable, Skip, fact
from tradebot_ops.text.sentences import agreed

MIGRATIONS = Path("common/migrations/versions")


@dataclass(frozen=True)
class Schema:
    """The revision of the database, and the newest that the services bring."""

    revision: str
    head: str


@fact()
def schema(ops: Ops) -> Schema:
    rows = ops.postgres.rows("SELECT to_regclass('alembic_version')::text AS found")
    if rows[0]["found"] is None:
        return Schema("", head(versions_folder(ops)))
    rows = ops.postgres.rows("SELECT version_num AS revision FROM alembic_version")
    return Schema(rows[0]["revision"] if rows else "", head(versions_folder(ops)))


def versions_folder(ops: Ops) -> Path:
    """The folder with the revisions that the image of the migration is made from."""
    service = ops.stack.services.get("migrate")
    if service is None or service.build is None or not (folder := service.build.context / MIGRATIONS).is_dir():
        raise NotApplicable(Skip.PROFILE, "The description has no service `migrate` that is built from source.")
    return folder


def head(versions: Path) -> str:
    """The revision in this folder that no other one follows. Raises ``OpsError`` TB-0262 where that is not just one."""
    names = revisions(versions)
    heads = sorted(set(names) - set(names.values()))
    if len(heads) != 1:
        raise OpsError(
            agreed(f"The migrations in {versions} end in {len(heads)} revisions: {', '.join(heads)}."),
            code="TB-0262",
            hint="Let each revision follow another one: down_revision = …",
        )
    return heads[0]


def revisions(versions: Path) -> dict[str, str | None]:
    """Every revision in this folder, with the one that it follows."""
    names: dict[str, str | None] = {}
    for file in sorted(versions.glob("*.py")):
        found = _constants(file)
        if isinstance(found.get("revision"), str):
            names[str(found["revision"])] = found.get("down_revision")
    return names


def _constants(file: Path) -> dict[str, str | None]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return {
        target.id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name) and isinstance(node.value.value, str | None)
    }
