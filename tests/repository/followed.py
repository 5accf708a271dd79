"""Commands that pages have people type, so that a test can type them: the blocks of chapters, in the page's order."""

import re
from dataclasses import dataclass

from tests.paths import ROOT

INSTALLATION = "docs/INSTALLATION.md"
PRODUCTION = "docs/PRODUCTION.md"
#: (page, chapter), in the order in which somebody comes through them.
CHAPTERS = (
    (INSTALLATION, "Without Docker"),
    (INSTALLATION, "On your PATH"),
    (INSTALLATION, "Verify"),
    (PRODUCTION, "Backup and recovery"),
    (INSTALLATION, "Upgrade and roll back"),
    (INSTALLATION, "Remove everything"),
)
#: Chapters of INSTALLATION.md whose blocks no test types, and lines of those above, each with the reason.
NOT_TYPED = {
    "With Docker": "the same command for the other engine: tests/integration/docker types every command there",
    "Configuration": "files, no commands",
    "Start at boot": "changes the units of systemd of whoever runs it: tests/integration/local/unattended has its own",
    "tradebot prune --images --yes": "takes old images of all projects, which other tests make and look for",
    "docker image ls --filter reference='tradebot/*' --quiet | awk '!seen[$0]++' | xargs -r docker image rm --force": (
        "takes the images that other tests need"
    ),
}
_BLOCK = re.compile(r"^```\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Typed:
    chapter: str
    line: str


def chapters(page: str) -> dict[str, list[str]]:
    """The lines of the blocks of each chapter that has some."""
    parts = re.split(r"^## (.+)$", (ROOT / page).read_text(encoding="utf-8"), flags=re.MULTILINE)
    found = {
        title: [line for block in _BLOCK.findall(text) for line in block.splitlines() if line.strip()]
        for title, text in zip(parts[1::2], parts[2::2], strict=True)
    }
    return {title: lines for title, lines in found.items() if lines}


def typed() -> list[Typed]:
    """Every line of the chapters that are followed, but those that no test types."""
    pages = {page: chapters(page) for page, _ in CHAPTERS}
    lines = [Typed(chapter, line) for page, chapter in CHAPTERS for line in pages[page][chapter]]
    return [each for each in lines if each.line not in NOT_TYPED]
