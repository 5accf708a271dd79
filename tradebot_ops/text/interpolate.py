"""Variables in values: ``$VAR``, ``${VAR}``, defaults, alternatives, required ones, and ``$$`` for a dollar sign.

The forms and their meaning are those of the Compose specification, with one difference: a variable that is not
set and has no default is an error, never an empty string. What stands after an operator may itself hold
variables, and is looked at only when it is used.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_OPERATOR = re.compile(r":?[-?+]")


class MissingVariableError(ValueError):
    """A variable has no value and no default; ``message`` is what the file's author wrote for that case."""

    def __init__(self, name: str, message: str = "") -> None:
        super().__init__(f"needs the variable {name}, which is not set" + (f": {message}" if message else ""))
        self.name = name


class BadTemplateError(ValueError):
    """A dollar sign that starts no variable, or a brace that is never closed."""


@dataclass(frozen=True, slots=True)
class Expanded:
    """The text with every variable replaced, and the names of all variables that were looked at."""

    text: str
    variables: frozenset[str]


def expand(template: str, environ: Mapping[str, str]) -> Expanded:
    """Replace variables; raises ``MissingVariableError`` or ``BadTemplateError``."""
    if "$" not in template:
        return Expanded(template, frozenset())
    seen: set[str] = set()
    return Expanded(_expand(template, environ, seen), frozenset(seen))


def escape(text: str) -> str:
    """The template that expands to exactly ``text``."""
    return text.replace("$", "$$")


def _expand(template: str, environ: Mapping[str, str], seen: set[str]) -> str:
    parts: list[str] = []
    at = 0
    while (dollar := template.find("$", at)) >= 0:
        parts.append(template[at:dollar])
        after = template[dollar + 1 : dollar + 2]
        if after == "$":
            parts.append("$")
            at = dollar + 2
        elif after == "{":
            end = _closing_brace(template, dollar + 2)
            parts.append(_braced(template[dollar + 2 : end], environ, seen))
            at = end + 1
        elif name := _NAME.match(template, dollar + 1):
            parts.append(_required(name.group(), "", environ, seen))
            at = name.end()
        else:
            raise BadTemplateError(f"has a dollar sign that starts no variable: {template!r}")
    parts.append(template[at:])
    return "".join(parts)


def _closing_brace(template: str, start: int) -> int:
    """Braces of plain text balance, as those of JSON do. Where they do not, only variables' own braces count."""
    for opening in ("{", "${"):
        if (end := _balanced(template, start, opening)) is not None:
            return end
    raise BadTemplateError(f"has a `${{` that is never closed: {template!r}")


def _balanced(template: str, start: int, opening: str) -> int | None:
    depth = 1
    at = start
    while at < len(template):
        if template.startswith("$$", at):
            at += 2
        elif template.startswith(opening, at):
            depth += 1
            at += len(opening)
        else:
            depth -= template[at] == "}"
            if depth == 0:
                return at
            at += 1
    return None


def _braced(body: str, environ: Mapping[str, str], seen: set[str]) -> str:
    name = _NAME.match(body)
    if not name:
        raise BadTemplateError(f"has no variable name in `${{{body}}}`")
    rest = body[name.end() :]
    if not rest:
        return _required(name.group(), "", environ, seen)
    operator = _OPERATOR.match(rest)
    if not operator:
        raise BadTemplateError(f"has an unknown operator in `${{{body}}}`")
    return _operate(name.group(), operator.group(), rest[operator.end() :], environ, seen)


def _operate(name: str, operator: str, operand: str, environ: Mapping[str, str], seen: set[str]) -> str:
    value = environ.get(name)
    # A colon makes an empty value count as not set.
    present = bool(value) if operator.startswith(":") else value is not None
    seen.add(name)
    if operator.endswith("+"):
        return _expand(operand, environ, seen) if present else ""
    if present and value is not None:
        return value
    if operator.endswith("-"):
        return _expand(operand, environ, seen)
    raise MissingVariableError(name, _expand(operand, environ, seen))


def _required(name: str, message: str, environ: Mapping[str, str], seen: set[str]) -> str:
    seen.add(name)
    if name not in environ:
        raise MissingVariableError(name, message)
    return environ[name]
