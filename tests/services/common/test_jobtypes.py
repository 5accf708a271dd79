"""Finding job types: built-ins by their file, others by entry point, broken ones in quarantine."""

import subprocess
import sys
from typing import Any

from services.common.jobtypes import FAILS_ON_PURPOSE, JobType, Payload, load, registry


class Nothing(Payload):
    pass


def run(ctx: Any, payload: Nothing) -> dict[str, Any]:
    return {}


def job(name: str) -> JobType:
    return JobType(name, 1, Nothing, run)


def broken() -> Any:
    raise ImportError("no module named luck")


def test_built_in_types_are_found() -> None:
    assert {"backtest", "canary", FAILS_ON_PURPOSE, "load_candles", "sweep"} <= set(registry().types)
    assert registry().get("nope") is None


def test_a_broken_type_is_quarantined_and_the_others_work() -> None:
    def leave() -> Any:
        raise SystemExit(3)

    found = load(
        iter([("a", lambda: job("a")), ("b", broken), ("c", lambda: 42), ("d", leave), ("e", lambda: job("e"))])
    )
    assert set(found.types) == {"a", "e"}
    assert [(entry.name, entry.error) for entry in found.quarantined] == [
        ("b", "ImportError: no module named luck"),
        ("c", "TypeError: c is int, not a JobType"),
        ("d", "SystemExit: 3"),
    ]


def test_a_plug_in_cannot_take_the_place_of_a_built_in() -> None:
    first = job("same")
    found = load(iter([("x", lambda: first), ("y", lambda: job("same"))]))
    assert found.types["same"] is first
    assert "already taken" in found.quarantined[0].error


def test_a_schema_is_built_once() -> None:
    """Building those of the built-in types anew at each request cost the API 10 ms of CPU time."""
    sweep = registry().types["sweep"]
    assert sweep.schema() is sweep.schema()


def test_finding_job_types_imports_nothing_heavy() -> None:
    program = (
        "import sys; from services.common.jobtypes import registry; registry();"
        "print(sorted({'numpy', 'pandas', 'scipy', 'empyrical', 'ccxt'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert run.stdout.strip() == "[]"
