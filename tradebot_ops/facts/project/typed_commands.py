"""Pages and the commands in them that people are to type: whether the command line knows it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tradebot_ops.context import Ops
from tradebot_ops.facts.alerting.runbooks import folder, names
from tradebot_ops.facts.fact import NotApplicable, Skip, fact

PAGES = ("PRODUCTION.md", "INSTALLATION.md")
_FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`([^`\n]+)`")
_CALL = re.compile(r"^(?:\$ )?(?:sudo (?:-E )?)?(?:[A-Z_]+=\S+ )*(?:\.venv/bin/)?tradebot ((?:-|[a-z]).*)$")
_PARTS = re.compile(r"&&|;|\s{3,}|\s#\s|\s\|\s")


@dataclass(frozen=True)
class StaleCommand:
    """A call in a page that the command line refuses, with its words."""

    page: str
    call: str
    why: str


@fact()
def texts(ops: Ops) -> Mapping[str, str]:
    """The text of each runbook, by the name of its alert."""
    return {name: (folder(ops) / f"{name}.md").read_text(encoding="utf-8") for name in names(ops)}


@fact(seconds=10, of=(texts,))
def stale_commands(ops: Ops, texts: Mapping[str, str]) -> tuple[StaleCommand, ...]:
    """Calls in runbooks that this version's command line refuses."""
    return _stale(ops, texts)


@fact(seconds=10)
def stale_in_pages(ops: Ops) -> tuple[StaleCommand, ...]:
    """The same in the pages on installing and running in production, as far as they are here."""
    docs = folder(ops).parent
    found = {name: docs / name for name in PAGES if (docs / name).is_file()}
    return _stale(ops, {name: page.read_text(encoding="utf-8") for name, page in found.items()})


def _stale(ops: Ops, pages: Mapping[str, str]) -> tuple[StaleCommand, ...]:
    if ops.complaint is None:
        raise NotApplicable(Skip.PREREQUISITE, "Only the command line knows its commands, and it did not start this.")
    asked: dict[str, str] = {}
    for text in pages.values():
        for call in calls(text):
            asked.setdefault(call, ops.complaint(call))
    return tuple(
        StaleCommand(page, call, asked[call])
        for page, text in pages.items()
        for call in dict.fromkeys(calls(text))
        if asked[call]
    )


def calls(text: str) -> Iterator[str]:
    """The words after ``tradebot`` of every call in a page: in its blocks of code, and between backticks."""
    for block in _FENCED.findall(text):
        for line in block.splitlines():
            yield from _calls(line)
    for span in _SPAN.findall(_FENCED.sub("", text)):
        yield from _calls(span)


def _calls(line: str) -> Iterator[str]:
    for part in _PARTS.split(line):
        if found := _CALL.match(part.strip()):
            yield found[1]
