"""A service's environment: its files first, then what the description says itself."""

from collections.abc import Mapping

from tradebot_ops.stack.problems import Code, Place
from tradebot_ops.stack.reading.document import Item
from tradebot_ops.stack.reading.mounts import Paths
from tradebot_ops.stack.reading.read import Reader
from tradebot_ops.text import dotenv


def read_environment(
    reader: Reader, fields: Mapping[str, Item], environ: Mapping[str, str], paths: Paths
) -> dict[str, str]:
    """Values as text. A key without value is taken from the caller's environment, and left out if not there."""
    own = reader.pairs(fields.get("environment"))
    values: dict[str, str | None] = {}
    for entry in reader.text_or_texts(fields.get("env_file")):
        values |= _file(reader, entry, {**_set(own), **environ}, values, paths)
    values |= own
    passed = {key: environ.get(key) if value is None else value for key, value in values.items()}
    return _set(passed)


def _set(values: Mapping[str, str | None]) -> dict[str, str]:
    return {key: value for key, value in values.items() if value is not None}


def _file(
    reader: Reader, item: Item, environ: Mapping[str, str], earlier: Mapping[str, str | None], paths: Paths
) -> dict[str, str | None]:
    fields = reader.fields(item, frozenset({"path", "required"})) if isinstance(item.value, dict) else {"path": item}
    named = list(reader.required(item, fields, "path"))
    if not named:
        return {}
    path = paths.resolve(reader.text(named[0]))

    def broken(error: dotenv.DotenvError) -> None:
        code = Code.VARIABLE if error.name else Code.YAML
        reader.problems.add(code, Place(path, error.line, error.name), str(error), error.hint)

    try:
        return dotenv.values(path.read_text(encoding="utf-8-sig"), environ, earlier, broken)
    except FileNotFoundError:
        if reader.boolean(fields.get("required"), fallback=True):
            reader.fail(item, f"names {path}, which does not exist", "Create it.", Code.MISSING_FILE)
    except (OSError, UnicodeDecodeError) as error:
        reader.fail(item, f"names {path}, which cannot be read: {error}", code=Code.MISSING_FILE)
    return {}
