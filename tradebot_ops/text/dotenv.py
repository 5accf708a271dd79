"""Files of ``NAME=value`` lines, as Compose reads ``.env`` and ``env_file``.

Our own reading: python-dotenv differs from Compose in escapes, comments, ``NAME: value``, names without a value, and in
what a variable stands for; and whoever moves a stack from one to the other must not find other values. The difference
left is that of compose files: a variable that is not set and has no default is an error, never an empty text.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from tradebot_ops.text.interpolate import BadTemplateError, MissingVariableError, expand

_BETWEEN = re.compile(r"(?:\s+|#[^\n]*)*")
_EXPORT = re.compile(r"export\s+")
_SPACES = r"[^\S\n]*"
_NAME = re.compile(rf"{_SPACES}([\w.\-\[\]]+){_SPACES}(?:[=:]{_SPACES}|(\n|\Z))")
_ESCAPE = re.compile(r"\\([abcfnrtv$\"\\]|0[0-7]{0,3})")
_ESCAPED = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "$": "$$"}


class DotenvError(ValueError):
    """A line that cannot be read: ``message`` is a clause about it, ``hint`` what to write."""

    def __init__(self, line: int, name: str, message: str, hint: str) -> None:
        super().__init__(message)
        self.line = line
        self.name = name
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Entry:
    """One ``NAME=value`` at ``start`` … ``end`` of the text, the rest of its last line included.

    ``template`` is the value with its variables, None for a name alone; a ``literal`` one has no variables.
    """

    name: str
    template: str | None
    literal: bool
    line: int
    start: int
    end: int


def entries(text: str) -> Iterator[Entry | DotenvError]:
    """Everything that a text sets, in order, and lines that cannot be read in their places."""
    at = 0
    while True:
        start = _between(text, at)
        if start == len(text):
            return
        line = text.count("\n", 0, start) + 1
        exported = _EXPORT.match(text, start)
        named = _NAME.match(text, exported.end() if exported else start)
        rest = text.find("\n", start) + 1 or len(text)
        if named is None:
            yield DotenvError(line, "", "is no line of NAME=value", "Write NAME=value, or # for a comment.")
            at = rest
        elif named[2] is not None:
            at = named.end()
            yield Entry(named[1], None, True, line, start, at)
        elif (found := _value(text, named.end())) is not None:
            template, literal, at = found
            yield Entry(named[1], template, literal, line, start, at)
        else:
            yield DotenvError(line, named[1], "has a quote that is never closed", "Close it.")
            at = rest


def values(
    text: str,
    environ: Mapping[str, str],
    earlier: Mapping[str, str | None],
    broken: Callable[[DotenvError], None] | None = None,
) -> dict[str, str | None]:
    """The values that a text sets; None for a name alone, which takes its value from ``environ`` where that has one.

    Variables are looked up in ``environ``, then in the lines before, then in ``earlier``. ``broken`` hears of each line
    that cannot be read; without it the first one is raised.
    """
    found: dict[str, str | None] = {}
    for entry in entries(text):
        try:
            if isinstance(entry, DotenvError):
                raise entry
            before = {name: value for name, value in {**earlier, **found}.items() if value is not None}
            found[entry.name] = _meaning(entry, before | dict(environ), environ)
        except DotenvError as error:
            if broken is None:
                raise
            broken(error)
    return found


def _meaning(entry: Entry, known: Mapping[str, str], environ: Mapping[str, str]) -> str | None:
    if entry.template is None:
        return environ.get(entry.name)
    if entry.literal:
        return entry.template
    try:
        return expand(entry.template, known).text
    except MissingVariableError as error:
        hint = "Set it, or write $$ for a plain dollar sign; between single quotes nothing is replaced."
        raise DotenvError(entry.line, entry.name, str(error), hint) from None
    except BadTemplateError:  # its message quotes the value, which may be a secret
        message = "has a dollar sign that starts no variable, or a brace that is never closed"
        raise DotenvError(entry.line, entry.name, message, "Write $$ for a plain dollar sign.") from None


def line_of(name: str, value: str) -> str:
    """The line that sets a name to exactly this value."""
    if all(letter.isalnum() or letter in "-_.:/@%+," for letter in value):
        return f"{name}={value}\n"
    if not set(value) & set("'\\\n\r"):
        return f"{name}='{value}'\n"
    quoted = re.sub(r'([\\"$])', r"\\\1", value).replace("\n", "\\n").replace("\r", "\\r")
    return f'{name}="{quoted}"\n'


def _between(text: str, at: int) -> int:
    found = _BETWEEN.match(text, at)
    return found.end() if found else at


def _value(text: str, at: int) -> tuple[str, bool, int] | None:
    """The template, whether it is literal, and where the next statement may begin; None for an open quote."""
    quote = text[at : at + 1]
    if quote not in {"'", '"'} or not quote:
        end = text.find("\n", at) + 1 or len(text)
        return text[at:end].partition(" #")[0].rstrip(), False, end
    letters: list[str] = []
    index = at + 1
    while index < len(text) and text[index] != quote:
        step = 2 if text[index] == "\\" else 1
        part = text[index : index + step]
        letters.append(quote if part == f"\\{quote}" else part)
        index += step
    if index >= len(text):
        return None
    inside = "".join(letters)
    comment = re.compile(rf"{_SPACES}(?:#[^\n]*)?(?:\n|\Z)").match(text, index + 1)
    template = inside if quote == "'" else _ESCAPE.sub(_unescaped, inside)
    return template, quote == "'", comment.end() if comment else index + 1


def _unescaped(match: re.Match[str]) -> str:
    letter = match[1]
    if letter[0] == "0":
        return chr(int(letter, 8) % 256) if len(letter) > 1 else match[0]
    return _ESCAPED.get(letter, match[0] if letter == "c" else letter)
