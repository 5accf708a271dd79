"""Hands for tests of backups: sessions of the stack's own database, folders of backups, and what they hold."""

import hashlib
import json
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg

from tests.integration.tradebot import Tradebot
from tradebot_ops.context import Ops
from tradebot_ops.settings import load_settings

#: A table that takes long enough to be dumped for somebody to come in between.
LARGE = "CREATE TABLE IF NOT EXISTS large AS SELECT repeat('x', 200) AS x FROM generate_series(1, 400000)"


def ops_of(tradebot: Tradebot) -> Ops:
    """The context of a command of this project, in this process."""
    flags = {"project": tradebot.project, "engine": tradebot.engine}
    return Ops(load_settings(flags, tradebot.environment(), tradebot.cwd))


def connect(tradebot: Tradebot) -> psycopg.Connection:
    ops = ops_of(tradebot)
    address = ops.engine.endpoint("postgres", 5432)
    password = ops.secret("postgres_password").reveal()
    return psycopg.connect(
        host=address.host, port=address.port, user="tradebot", password=password, dbname="tradebot", autocommit=True
    )


def rows(tradebot: Tradebot, query: str) -> list[tuple[Any, ...]]:
    with closing(connect(tradebot)) as connection:
        cursor = connection.execute(query.encode())
        return cursor.fetchall() if cursor.description else []


def make_large(tradebot: Tradebot) -> None:
    rows(tradebot, LARGE)


def drop_large(tradebot: Tradebot) -> None:
    rows(tradebot, "DROP TABLE IF EXISTS large")


def shelf(tradebot: Tradebot) -> Path:
    return Path(tradebot.environ["TRADEBOT_BACKUPS"]) / tradebot.project


def backups(tradebot: Tradebot) -> list[str]:
    """As `backup list` has them."""
    return [each["id"] for each in json.loads(tradebot.run("backup", "list", "--json").stdout)["data"]["backups"]]


def drafts(tradebot: Tradebot) -> list[Path]:
    return list(shelf(tradebot).glob(".*"))


def rewrite(folder: Path, name: str, change: Callable[[bytes], bytes]) -> None:
    """Change a file of a backup, and its checksum with it: as if it had been written so."""
    path = folder / name
    path.write_bytes(change(path.read_bytes()))
    sums = folder / "SHA256SUMS"
    lines = [line.split("  ") for line in sums.read_text().splitlines()]
    new = hashlib.sha256(path.read_bytes()).hexdigest()
    sums.write_text("".join(f"{new if each == name else digest}  {each}\n" for digest, each in lines))


def edited(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """The same for the manifest."""

    def apply(text: bytes) -> bytes:
        content = json.loads(text)
        change(content)
        return json.dumps(content).encode()

    rewrite(folder, "manifest.json", apply)
