"""What grows: dead and finished jobs, keys in Redis, logs. What reads them against a hundredth of it: time and memory.

``pytest -n 0 -m drill -s tests/drill/test_growth.py`` prints the table. A gigabyte of logs lies in the temporary folder
meanwhile.
"""

import contextlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
import redis

from tests.drill import faults
from tests.drill.measured import Run, measured
from tests.integration.tradebot import Tradebot
from tests.services.past_jobs import add_dead, add_ended
from tradebot_ops.context import Ops
from tradebot_ops.diagnostics.catalogue import catalogue
from tradebot_ops.diagnostics.runner import WITHIN_S
from tradebot_ops.settings import load_settings

pytestmark = [
    pytest.mark.integration,
    pytest.mark.drill,
    pytest.mark.xdist_group("drill-growth"),
    pytest.mark.timeout(1800),
]

JOBS, ENDED, KEYS, LOGS = 100_000, 1_000_000, 1_000_000, 1_000_000_000
PARTS = 100
COMMANDS = (
    ("jobs", "list"),
    ("jobs", "list", "--state", "dead"),
    ("dlq", "summary"),
    ("dlq", "list"),
    ("queue", "status"),
    *(("diag", each.name) for each in catalogue()),
    ("diag", "full"),
    ("diag", "explain"),
    ("diag", "errors", "--since", "1d"),
    ("diag", "bundle"),
)
#: Of the whole against a hundredth of it.
MEMORY_RATIO = 1.5
#: And of its time, beyond what the machine's other work may take in between.
TIME_RATIO, NOISE_S = 1.5, 1.0
#: To start Python and to write the screen, on a machine that does other things, too.
REST_S = 5.0
#: Reading all of it takes longer than anybody waits; they end all the same, and say what they left out.
MOST_S = {("diag", "errors"): 70.0, ("diag", "errors", "--since", "1d"): 70.0, ("diag", "bundle"): 40.0}


def test_time_and_memory_do_not_grow_with_what_grows(stack: Tradebot) -> None:
    ops = Ops(load_settings({"project": stack.project, "engine": stack.engine}, stack.environment(), stack.cwd))
    logs = stack.state / "local" / "logs"
    try:
        fill(stack, ops, logs, range(1))
        small = {words: measured(stack, *words) for words in COMMANDS}
        fill(stack, ops, logs, range(1, PARTS))
        large = {words: measured(stack, *words) for words in COMMANDS}
    finally:
        for path in logs.glob("api-1.log.*"):
            path.unlink()
    print("\n" + table(small, large))
    odd = strange(logs)
    found = measured(stack, "diag", "errors", "--since", "1d", "--json")
    odd.unlink()
    assert found.code in {0, 1}, found.err
    assert "what is wrong here" in found.out
    for words, run in large.items():
        assert run.code in {0, 1}, f"{words}: {run.err}"
        assert run.seconds < MOST_S.get(words, WITHIN_S) + REST_S, words
        assert run.memory < MEMORY_RATIO * small[words].memory, words
        if words not in MOST_S:
            assert run.seconds < TIME_RATIO * small[words].seconds + NOISE_S, words


def table(small: dict[tuple[str, ...], Run], large: dict[tuple[str, ...], Run]) -> str:
    rows = [f"| {'command':24} | of 1/100: s | MB | of all: s | MB | memory |"]
    for words, run in large.items():
        was = small[words]
        rows.append(
            f"| {' '.join(words):24} | {was.seconds:.1f} | {was.memory / 1e6:.0f} | {run.seconds:.1f} |"
            f" {run.memory / 1e6:.0f} | {run.memory / was.memory:.2f} |"
        )
    return "\n".join(rows)


def fill(stack: Tradebot, ops: Ops, logs: Path, parts: range) -> None:
    """These hundredths of all."""
    jobs, ended, keys = JOBS // PARTS, ENDED // PARTS, KEYS // PARTS
    with psycopg.connect(faults.postgres(stack, ops), autocommit=True) as connection:
        add_dead(connection, range(parts.start * jobs, parts.stop * jobs))
        for part in parts:
            add_ended(connection, range(1 + part * ended, 1 + (part + 1) * ended))
        # Of jobs that end one by one, Postgres has tidied up long before; not of a million within a minute.
        connection.execute("VACUUM ANALYZE")
        connection.execute("CHECKPOINT")
    write_keys(ops, range(parts.start * keys, parts.stop * keys))
    for part in parts:
        write_log(logs / f"api-1.log.{1000 - part}", part)


def write_keys(ops: Ops, numbers: range) -> None:
    address = ops.engine.endpoint("redis", 6379)
    with contextlib.closing(
        redis.Redis(host=address.host, port=address.port, password=ops.secret("redis_password").reveal())
    ) as client:
        for start in range(numbers.start, numbers.stop, 10_000):
            client.mset({f"growth:{number}": "x" * 20 for number in range(start, start + 10_000)})


def write_log(path: Path, part: int) -> None:
    """Lines as the API writes them, all of the last hour; one in fifty is an error."""
    at = datetime.now(UTC) - timedelta(minutes=40) + timedelta(seconds=20 * part)
    size, number = 0, 0
    with path.open("w", encoding="utf-8") as out:
        while size < LOGS // PARTS:
            number += 1
            moment = (at + timedelta(microseconds=600 * number)).isoformat()
            level, event = ("info", "request") if number % 50 else ("error", f"request {number} failed")
            size += out.write(
                f'{{"method": "POST", "path": "/alerts/webhook", "endpoint": "/alerts/webhook", "status": 200, '
                f'"duration_ms": 6.26, "client": "127.0.0.1", "event": "{event}", "request_id": "{number:032x}", '
                f'"level": "{level}", "logger": "services.api.access", "timestamp": "{moment}"}}\n'
            )


def strange(logs: Path) -> Path:
    """Lines that no program should write: a megabyte long, not UTF-8, not JSON, nested without end."""
    path = logs / "api-1.log.1"
    now = datetime.now(UTC).isoformat()
    long = json.dumps({"timestamp": now, "level": "error", "event": "e" * 1_000_000})
    lines = [
        long.encode(),
        b"\xff\xfe\x00 ERROR: \xc3\x28",
        b'{"level": "error"',
        b'{"error":' * 10_000,
        b"ERROR: " * 150_000,
    ]
    lines.append(json.dumps({"timestamp": now, "level": "error", "event": "what is wrong here"}).encode())
    path.write_bytes(b"\n".join(lines) + b"\n")
    return path
