"""The pages that say how to confirm, mend and prevent what an alert reports: which there are."""

from pathlib import Path

from tradebot_ops.context import Ops
from tradebot_ops.facts.fact import fact
from tradebot_ops.stack.source import default_folder


def folder(ops: Ops) -> Path:
    """The stack's own pages, else those that come with tradebot."""
    own = ops.stack.folder / "docs" / "runbooks"
    return own if own.is_dir() else default_folder() / "docs" / "runbooks"


def names(ops: Ops) -> list[str]:
    return sorted(page.stem for page in folder(ops).glob("*.md") if page.stem != "README")


@fact()
def pages(ops: Ops) -> dict[str, tuple[str, ...]]:
    """The headings of each page, by the name of its alert."""
    found = {}
    for name in names(ops):
        lines = (folder(ops) / f"{name}.md").read_text(encoding="utf-8").splitlines()
        found[name] = tuple(line.lstrip("# ").strip() for line in lines if line.startswith("#"))
    return found
