"""A service's environment: its files first, then what the description says itself."""

import io
from collections.abc import Mapping
from pathlib import Path

from tradebot_ops.stack.problems import Code, Place
from tradebot_ops.stack.reading.document import Item
from tradebot_ops.stack.reading.interpolate import BadTemplateError, MissingVariableError, expand
from tradebot_ops.stack.reading.mounts import Paths
from tradebot_ops.stack.reading.read import Reader


def read_environment(
    reader: Reader, fields: Mapping[str, Item], environ: Mapping[str, str], paths: Paths
) -> dict[str, str]:
    """Values as text. A key without value is taken from the caller's environment, and left out if not there."""
    values: dict[str, str | None] = {}
    for entry in reader.text_or_texts(fields.get("env_file")):
        values |= _file(reader, entry, environ, paths)
    values |= reader.pairs(fields.get("environment"))
    passed = {key: environ.get(key) if value is None else value for key, value in values.items()}
    return {key: value for key, value in passed.items() if value is not None}


def _file(reader: Reader, item: Item, environ: Mapping[str, str], paths: Paths) -> dict[str, str | None]:
    fields = reader.fields(item, frozenset({"path", "required"})) if isinstance(item.value, dict) else {"path": item}
    named = list(reader.required(item, fields, "path"))
    if not named:
        return {}
    path = paths.resolve(reader.text(named[0]))
    try:
        return _parse(reader, path, path.read_text(encoding="utf-8"), environ)
    except FileNotFoundError:
        if reader.boolean(fields.get("required"), fallback=True):
            reader.fail(item, f"names {path}, which does not exist", "Create it.", Code.MISSING_FILE)
    except (OSError, UnicodeDecodeError) as error:
        reader.fail(item, f"names {path}, which cannot be read: {error}", code=Code.MISSING_FILE)
    return {}


def _parse(reader: Reader, path: Path, text: str, environ: Mapping[str, str]) -> dict[str, str | None]:
    """Lines of ``KEY=value``; variables are replaced except between single quotes, earlier lines included."""
    from dotenv.parser import parse_stream  # only stacks with an env_file pay for it

    values: dict[str, str | None] = {}
    for binding in parse_stream(io.StringIO(text)):
        place = Place(path, binding.original.line, binding.key or "")
        if binding.error:
            reader.problems.add(Code.YAML, place, "is no line of KEY=value", "Correct the line or start it with #.")
        elif binding.key is not None:
            literal = binding.value is None or binding.original.string.partition("=")[2].lstrip().startswith("'")
            known = {**{key: value for key, value in values.items() if value is not None}, **environ}
            try:
                values[binding.key] = binding.value if literal else expand(binding.value or "", known).text
            except (MissingVariableError, BadTemplateError) as error:
                reader.problems.add(Code.VARIABLE, place, str(error), "Write $$ for a plain dollar sign.")
    return values
