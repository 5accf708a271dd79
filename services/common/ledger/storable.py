"""JSON that Postgres can store."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.types.json import Json, Jsonb

from services.common.ledger.model import UnstorableValue


def jsonb(value: dict[str, Any]) -> Jsonb:
    """For a column whose contents are compared."""
    return Jsonb(value, dumps=_dumps)


def plain_json(value: dict[str, Any]) -> Json:
    """For a column that gives its text back as it was."""
    return Json(value, dumps=_dumps)


#: An escaped NUL, the one character of JSON that Postgres cannot give back.
_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")


def _dumps(value: Any) -> str:
    """JSON text that Postgres can store; raises ``ValueError`` for NaN, NUL and lone surrogates."""
    text = json.dumps(value, allow_nan=False, ensure_ascii=False)
    if _NUL.search(text):
        raise ValueError("a text holds a NUL character")
    text.encode("utf-8")  # refuses a lone surrogate
    return text


@contextmanager
def storable() -> Iterator[None]:
    """Raises ``UnstorableValue`` for what the block could not store."""
    try:
        yield
    except (psycopg.DataError, ValueError, TypeError) as error:
        raise UnstorableValue(f"not storable as JSON: {' '.join(str(error).split())}") from error
