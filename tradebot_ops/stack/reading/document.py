"""YAML text into a tree that remembers where every value was written.

Scalars follow YAML 1.2 as Compose reads it: ``yes`` and ``on`` are text, ``22:22`` is not a number. Keys that
appear twice are an error, because the loser of the two would be ignored silently.

Our own reading on PyYAML's scanner: PyYAML's own loader forgets where a value stood, reads YAML 1.1, and lets the
later of two equal keys win.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from tradebot_ops.errors import OpsError
from tradebot_ops.stack.problems import Code, Place, Problems
from tradebot_ops.text.yaml_ import Loader, integer

Scalar = str | int | float | bool | None

_MERGE = "tag:yaml.org,2002:merge"


@dataclass(slots=True)
class Item:
    """One value of the file. ``raw`` is a scalar's text as written; ``tag`` is ``!reset``, ``!override`` or empty.

    ``variables`` names the variables that interpolation put into it.
    """

    value: "dict[str, Item] | list[Item] | Scalar"
    place: Place
    raw: str = ""
    tag: str = ""
    variables: frozenset[str] = frozenset()

    def with_text(self, text: str, variables: frozenset[str]) -> "Item":
        return replace(self, value=text, raw=text, variables=variables)

    def plain(self) -> Any:
        """The value as ordinary Python data, without places."""
        if isinstance(self.value, dict):
            return {key: item.plain() for key, item in self.value.items()}
        if isinstance(self.value, list):
            return [item.plain() for item in self.value]
        return self.value


def parse(text: str, file: Path) -> Item:
    """The document's root mapping; ``OpsError`` for broken YAML, an empty file, or a key written twice."""
    problems = Problems()
    try:
        root = yaml.compose(text, Loader)
    except yaml.YAMLError as error:
        raise _syntax_error(error, file) from error
    item = _Builder(file, problems).build(root, "") if root else None
    problems.raise_if_any()
    if item is None or not isinstance(item.value, dict):
        raise OpsError(
            f"{file} does not describe a stack: it has no keys.", code=Code.FILE, hint="It needs `services:`."
        )
    return item


def _syntax_error(error: yaml.YAMLError, file: Path) -> OpsError:
    mark = getattr(error, "problem_mark", None)
    place = Place(file, mark.line + 1 if mark else 0)
    reason = getattr(error, "problem", None) or str(error).splitlines()[0]
    return OpsError(f"{place}: not valid YAML: {reason}.", code=Code.YAML, hint="Check indentation, quotes and colons.")


class _Builder:
    """Turns YAML nodes into items, resolving merge keys (``<<``)."""

    def __init__(self, file: Path, problems: Problems) -> None:
        self.file = file
        self.problems = problems

    def build(self, node: yaml.Node, path: str) -> Item:
        place = Place(self.file, node.start_mark.line + 1, path)
        tag = node.tag if node.tag in {"!reset", "!override"} else ""
        if isinstance(node, yaml.MappingNode):
            return Item(self.mapping(node, path), place, tag=tag)
        if isinstance(node, yaml.SequenceNode):
            return Item([self.build(n, f"{path}[{i}]") for i, n in enumerate(node.value)], place, tag=tag)
        return Item(self.scalar(node, place), place, raw=node.value, tag=tag)

    def mapping(self, node: yaml.MappingNode, path: str) -> dict[str, Item]:
        own: dict[str, Item] = {}
        inherited: dict[str, Item] = {}
        for key, value in node.value:
            if key.tag == _MERGE:
                self.inherit(value, path, inherited)
                continue
            name = str(key.value)
            below = f"{path}.{name}" if path else name
            if name in own:
                place = Place(self.file, key.start_mark.line + 1, below)
                message = f"is written twice (first on line {own[name].place.line})"
                self.problems.add(Code.YAML, place, message, "Keep one of the two.")
            item = self.build(value, below)
            own[name] = replace(item, place=replace(item.place, line=key.start_mark.line + 1))
        return inherited | own

    def inherit(self, node: yaml.Node, path: str, into: dict[str, Item]) -> None:
        """``<<: *base`` or ``<<: [*a, *b]``; what comes first wins, as YAML's merge key says."""
        sources = node.value if isinstance(node, yaml.SequenceNode) else [node]
        for source in sources:
            if isinstance(source, yaml.MappingNode):
                for name, item in self.mapping(source, path).items():
                    into.setdefault(name, item)
            else:
                place = Place(self.file, node.start_mark.line + 1, path)
                self.problems.add(Code.YAML, place, "merges (`<<`) something that is not a mapping")

    def scalar(self, node: yaml.Node, place: Place) -> Scalar:
        text = str(node.value)
        if "\0" in text:
            self.problems.add(Code.YAML, place, "holds a NUL character, which no path or argument can")
        kind = node.tag.rpartition(":")[2]
        if kind == "null":
            return None
        if kind == "bool":
            return text.lower() == "true"
        if kind == "int":
            return integer(text)
        if kind == "float":
            return float(text)
        # Behind `!override` Compose, too, takes the text as written: its place makes a number or a truth of it.
        if kind != "str" and node.tag not in {"!reset", "!override"}:
            self.problems.add(Code.YAML, place, f"has the tag {node.tag}, which a stack description does not use")
        return text
