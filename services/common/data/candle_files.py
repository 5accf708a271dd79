"""Candle files on their way from whoever uploads them to the worker that loads them, in Postgres.

Both reach it, on whatever host they run; a volume they share would be another matter on every engine.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID, uuid4

import psycopg
import psycopg.rows

from services.common.database import Database

#: A part is one row, which is written and read as a whole.
PART_BYTES = 1024**2
#: An upload that was cut off is removed after a day, when the next one begins.
_FORGET = "DELETE FROM candle_file WHERE NOT complete AND uploaded_at < now() - interval '1 day'"
_BEGIN = "INSERT INTO candle_file (id, name, uploaded_by) VALUES (%(id)s, %(name)s, %(by)s)"
_PART = "INSERT INTO candle_file_part (file_id, number, content) VALUES (%(id)s, %(number)s, %(content)s)"
_REPLACE = "DELETE FROM candle_file WHERE name = %(name)s AND complete"
_COMPLETE = "UPDATE candle_file SET complete = true, bytes = %(bytes)s, uploaded_at = now() WHERE id = %(id)s"
_DROP = "DELETE FROM candle_file WHERE id = %(id)s"
_LIST = "SELECT name, bytes, uploaded_by, uploaded_at FROM candle_file WHERE complete ORDER BY name"
_REMOVE = "DELETE FROM candle_file WHERE name = %(name)s AND complete RETURNING id"


@dataclass(frozen=True, slots=True)
class CandleFile:
    """An uploaded file that no job has loaded yet."""

    name: str
    bytes: int
    uploaded_by: str
    uploaded_at: datetime


class CandleFiles:
    """The uploaded files. Methods are safe from several threads; all raise ``DatabaseUnavailable``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, name: str, by: str) -> UUID:
        """The id of a new upload, which nobody sees until it is complete."""
        self._database.execute(_FORGET)
        file_id = uuid4()
        self._database.execute(_BEGIN, {"id": file_id, "name": name, "by": by})
        return file_id

    def add(self, file_id: UUID, number: int, content: bytes) -> None:
        self._database.execute(_PART, {"id": file_id, "number": number, "content": content})

    def complete(self, file_id: UUID, name: str, size: int) -> None:
        """From here on the file is there, in place of one of the same name."""
        with self._database.connection() as connection, connection.transaction():
            connection.execute(_REPLACE, {"name": name})
            connection.execute(_COMPLETE, {"id": file_id, "bytes": size})

    def drop(self, file_id: UUID) -> None:
        """Forget an upload that was not completed."""
        self._database.execute(_DROP, {"id": file_id})

    def all(self) -> list[CandleFile]:
        return [CandleFile(**row) for row in self._database.rows(_LIST)]

    def remove(self, name: str) -> bool:
        """False where there is none."""
        return self._database.row(_REMOVE, {"name": name}) is not None


@contextmanager
def fetched(connection: "psycopg.Connection[Any]", name: str) -> Iterator[Path | None]:
    """The uploaded file as one on disk, for the time of the block; None where there is none of that name."""
    cursor = connection.cursor(row_factory=psycopg.rows.tuple_row)
    row = cursor.execute("SELECT id FROM candle_file WHERE name = %s AND complete", [name]).fetchone()
    if row is None:
        yield None
        return
    with TemporaryDirectory(prefix="candles-") as folder:
        path = Path(folder) / name
        with path.open("wb") as stream:
            number = 0
            while part := _part(cursor, row[0], number):
                stream.write(part)
                number += 1
        yield path


def _part(cursor: "psycopg.Cursor[tuple[Any, ...]]", file_id: UUID, number: int) -> bytes | None:
    query = "SELECT content FROM candle_file_part WHERE file_id = %s AND number = %s"
    row = cursor.execute(query, [file_id, number]).fetchone()
    return None if row is None else bytes(row[0])


def loaded(connection: "psycopg.Connection[Any]", name: str) -> None:
    """Remove an uploaded file, in the transaction that has stored its candles."""
    connection.execute("DELETE FROM candle_file WHERE name = %s AND complete", [name])
