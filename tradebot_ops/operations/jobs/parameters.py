"""The JSON schema of a payload as parameters to type. Pure."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Schema = Mapping[str, Any]

_TYPES = {"string": "text", "integer": "whole number", "number": "number", "boolean": "true or false"}


@dataclass(frozen=True)
class Parameter:
    """As ``NAME=VALUE`` wants it; an empty default is nothing, and one that must be given is "required"."""

    name: str
    type: str
    default: str
    meaning: str


def parameters(schema: Schema) -> list[tuple[str, list[Parameter]]]:
    """Those that always apply under no title, then those of each choice under that choice."""
    definitions = schema.get("$defs", {})
    if "oneOf" not in schema:
        return [("", _all_of(schema, definitions))]
    key = schema["discriminator"]["propertyName"]
    choices = [_resolved(each, definitions) for each in schema["oneOf"]]
    names = [choice["properties"][key]["const"] for choice in choices]
    per_choice = [_all_of(choice, definitions) for choice in choices]
    common = [each for each in per_choice[0] if all(each in rows for rows in per_choice)]
    chosen = Parameter(key, _one_of(names), "required", "which also decides what else there is")
    own = [[each for each in rows if each not in common and each.name != key] for rows in per_choice]
    return [("", [*common, chosen]), *((f"{key}={name}", rows) for name, rows in zip(names, own, strict=True))]


def _all_of(schema: Schema, definitions: Schema) -> list[Parameter]:
    required = schema.get("required", ())
    return [
        Parameter(name, _type(each, definitions), _default(each, name in required), each.get("description", ""))
        for name, each in schema.get("properties", {}).items()
    ]


def _type(schema: Schema, definitions: Schema) -> str:
    schema = _resolved(schema, definitions)
    if "anyOf" in schema:
        return " or ".join(_type(each, definitions) for each in schema["anyOf"] if each.get("type") != "null")
    if "enum" in schema:
        return _one_of([str(each) for each in schema["enum"]])
    if "const" in schema:
        return str(schema["const"])
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}), definitions)}"
    if schema.get("format") == "date":
        return "day"
    name = str(schema.get("type", "any"))
    return _TYPES.get(name, name) + _range(schema)


def _range(schema: Schema) -> str:
    least, most = schema.get("minimum"), schema.get("maximum")
    if least is not None and most is not None:
        return f", {least:g} to {most:g}"
    above, below = schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum")
    limits = (("from", least), ("above", above), ("up to", most), ("below", below))
    words = [f"{word} {value:g}" for word, value in limits if value is not None]
    return f", {' '.join(words)}" if words else ""


def _default(schema: Schema, required: bool) -> str:
    value = schema.get("default")
    if required:
        return "required"
    if value in (None, "", []):
        return ""
    return value if isinstance(value, str) else json.dumps(value)


def _resolved(schema: Schema, definitions: Schema) -> Schema:
    reference = schema.get("$ref", "").rpartition("/")[2]
    return {**definitions[reference], **schema} if reference else schema


def _one_of(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} or {names[-1]}" if len(names) > 1 else names[0]
