"""What the documentation tells people to type exists; what exists is documented; links lead somewhere."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import cast

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from tests.paths import ROOT
from tradebot_ops.cli.boundary import value_options
from tradebot_ops.cli.grammar import MENTIONED, resolve
from tradebot_ops.cli.grammar import words as words_of
from tradebot_ops.cli.main import app
from tradebot_ops.cli.registry import COMMANDS
from tradebot_ops.cli.words import hoist
from tradebot_ops.monitoring.alertmanager import channels
from tradebot_ops.operations.project import example_env
from tradebot_ops.operations.urls import LOGINS
from tradebot_ops.settings import STACK_SETTINGS

PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("tests/**/*.md")])
#: Commands that runbooks and hints name before they exist. The list must shrink: naming one that exists is an error,
#: and so is keeping one that nobody mentions.
COMING: set[str] = set()
#: Pages that may name them.
MAY_NAME_COMING = ("docs/runbooks/", "docs/engines-docker.md", "docs/exit-codes.md", "tradebot_ops/")

_CALL = re.compile(r"^(?:\$ )?(?:sudo (?:-E )?)?(?:[A-Z_]+=\S+ )*(?:\.venv/bin/)?tradebot ((?:-|[a-z]).*)$")
#: In prose a command stands in backticks, or ends a sentence after a colon or semicolon.
_IN_PROSE = re.compile(
    r"(?:^|[:;(] |`)((?:[A-Z_]+=\S+ )*tradebot (?:-|[a-z])(?:'[^']*'|.)*?)(?=$|[;`)]|, | \| )", re.MULTILINE
)
_FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


def _calls(line: str) -> Iterator[str]:
    """The words after ``tradebot`` of every call that a line of shell holds."""
    for part in re.split(r"&&|;|\s{3,}|\s#\s|\s\|\s", line):
        if found := _CALL.match(part.strip()):
            yield found[1]


def _page_calls(page: Path) -> Iterator[str]:
    text = page.read_text(encoding="utf-8")
    for block in _FENCED.findall(text):
        for line in block.splitlines():
            yield from _calls(line)
    for span in re.findall(r"`([^`\n]+)`", _FENCED.sub("", text)):
        yield from _calls(span)


def _source_calls(path: Path) -> Iterator[str]:
    """Hints and examples: every string of the source that holds a call, placeholders filled in."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    parts = {part for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        text = ""
        if isinstance(node, ast.JoinedStr):
            text = "".join(str(part.value) if isinstance(part, ast.Constant) else "1" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in parts:
            text = node.value
        for line in text.splitlines():
            for found in _IN_PROSE.findall(line.strip()):
                yield from _calls(found)


@cache
def _everything() -> list[tuple[str, str]]:
    """(file, call) of every call in pages and source."""
    pages = [(str(page.relative_to(ROOT)), call) for page in PAGES for call in _page_calls(page)]
    files = sorted((ROOT / "tradebot_ops").rglob("*.py"))
    return pages + [(str(file.relative_to(ROOT)), call) for file in files for call in _source_calls(file)]


def _command(words: list[str]) -> str:
    rest = hoist(words, value_options(cast(TyperGroup, get_command(app))))
    return next((word for word in rest if word in COMING | COMMANDS.keys()), "")


def test_there_are_calls_to_check() -> None:
    assert len(_everything()) > 150


def test_what_people_are_told_to_type_is_a_command() -> None:
    assert [fault for file, call in _everything() if (fault := _fault(file, call))] == []


def _fault(file: str, call: str) -> str:
    words = words_of(call)
    if _command(words) in COMING:
        return "" if file.startswith(MAY_NAME_COMING) else f"{file}: tradebot {call} does not exist yet"
    try:
        resolve(words)
    except Exception as error:  # noqa: BLE001 - Typer's own classes, whatever they are
        return "" if type(error).__name__ in MENTIONED else f"{file}: tradebot {call}: {error}"
    return ""


def test_commands_to_come_are_still_to_come_and_asked_for() -> None:
    assert COMING & COMMANDS.keys() == set()
    assert {_command(words_of(call)) for _, call in _everything()} & COMING == COMING


def test_every_command_has_its_row() -> None:
    """A new command: paste the missing line. It is the command's own line in ``--help``."""
    rows = [line for line in (ROOT / "docs" / "commands.md").read_text().splitlines() if line.startswith("| `")]
    assert rows == [f"| `tradebot {name}` | {entry.help} |" for name, entry in COMMANDS.items() if not entry.hidden]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_relative_links_lead_somewhere(page: Path) -> None:
    text = _FENCED.sub("", page.read_text(encoding="utf-8"))
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        linked = (page.parent / path).resolve() if path else page
        assert linked.exists(), f"{page.name} links to {target}"
        assert not anchor or anchor in _anchors(linked), f"{page.name} links to {target}"


def _anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_page_is_reached_from_the_index() -> None:
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    pages = [page.name for page in ROOT.glob("docs/*.md") if page.name != "README.md"]
    assert [page for page in pages if f"({page})" not in index] == []


def test_the_readme_needs_exactly_two_shell_commands() -> None:
    blocks = re.findall(r"^```\n(.*?)^```$", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    assert [block.strip() for block in blocks if "pip install" in block] == [
        "python3 -m venv .venv && .venv/bin/pip install -e '.[local]' && .venv/bin/tradebot up",
        "python3 -m venv .venv && .venv/bin/pip install -e '.[test]' && .venv/bin/pytest",
    ]


def test_the_example_of_settings_is_up_to_date() -> None:
    """Written by ``tradebot init`` and kept in the repository as it writes it."""
    assert (ROOT / ".env.production.example").read_text(encoding="utf-8") == example_env()


def test_the_page_on_monitoring_names_every_channel_and_every_login() -> None:
    page = (ROOT / "docs" / "monitoring.md").read_text(encoding="utf-8")
    settings = {setting.name: "on" for setting in STACK_SETTINGS if setting.name.startswith("ALERT_")}
    secrets = {*channels(settings).secret_files, *(login.secret for login in LOGINS.values())}
    assert len(settings) == 9
    assert len(secrets) == 9
    assert [name for name in {*settings, *secrets} if f"`{name}" not in page] == []


def recipes(page: str) -> dict[str, list[str]]:
    """The lines to read and to type of each recipe under "Add …", without blank ones and fences."""
    text = page.partition("\n## Add …\n")[2].partition("\n## ")[0]
    return {
        part.partition("\n")[0]: [line for line in part.splitlines()[1:] if line.strip() and not line.startswith("```")]
        for part in text.split("\n### ")[1:]
    }


def test_a_recipe_has_ten_lines() -> None:
    found = recipes((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"))
    assert len(found) >= 7
    assert {name: len(lines) for name, lines in found.items() if len(lines) > 10} == {}


def test_the_lines_of_a_recipe_are_counted() -> None:
    assert recipes("\n## Add …\n\n### A b\n\nOne:\n\n```python\ntwo\n\nthree\n```\n\n## End\nx") == {
        "A b": ["One:", "two", "three"]
    }
