"""Finding job types: built-ins by their file, others by entry point, broken ones in quarantine."""

import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import ValidationError

from services.common import jobtypes
from services.common.job_type_list import job_type_list
from services.common.jobtypes import FAILS_ON_PURPOSE, JobType, Payload, PayloadInvalid, load, registry, time_limits


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


def test_plug_ins_are_taken_in_the_order_of_their_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two that want one name the same wins on every host, in whatever order they were installed."""
    points = [SimpleNamespace(name=name, load=lambda: job("mine")) for name in ("c", "a", "b")]
    monkeypatch.setattr(jobtypes, "entry_points", lambda group: points * (group == jobtypes.ENTRY_POINT_GROUP))
    monkeypatch.setattr(jobtypes, "module_names", lambda _package: [])
    found = load(jobtypes._candidates())
    assert (list(found.types), [each.name for each in found.quarantined]) == (["mine"], ["b", "c"])


def test_a_payload_takes_a_number_for_a_name_and_nothing_that_it_does_not_know() -> None:
    class Trade(Payload):
        symbol: str

    kind = JobType("trade", 1, Trade, run)
    assert kind.validate({"symbol": 7203}) == Trade(symbol="7203")
    with pytest.raises(PayloadInvalid, match="amount"):
        kind.validate({"symbol": "A", "amount": 1})
    with pytest.raises(ValidationError, match="frozen"):
        kind.validate({"symbol": "A"}).symbol = "B"  # type: ignore[attr-defined]


def test_what_a_type_leaves_open_has_its_usual_value() -> None:
    """A job that says nothing is short, may run beside others of its type, and is tried three times in all."""
    plain = job("plain")
    assert (plain.long, plain.max_running, plain.max_attempts, plain.timeout_s) == (False, None, 3, 300)
    assert (plain.final, plain.accepts, plain.parts, plain.notify) == ((), (), None, None)


def test_the_list_of_types_is_by_name() -> None:
    found = load(iter([(name, lambda name=name: job(name)) for name in ("c", "a", "b")]))  # type: ignore[misc]
    assert [each["name"] for each in job_type_list(found)["job_types"]] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("text", "limits"),
    [("", {}), ("sweep=60", {"sweep": 60.0}), (" a=1, my-type=604800,", {"a": 1.0, "my-type": 604800.0})],
)
def test_time_limits_by_type(text: str, limits: dict[str, float]) -> None:
    assert time_limits(text) == limits


@pytest.mark.parametrize("text", ["sweep", "sweep=0", "sweep=1h", "sweep=604801", "sweep=-1", "a b=1"])
def test_what_limits_nothing(text: str) -> None:
    with pytest.raises(ValueError, match="is no type with seconds from 1 to 604800, such as load_candles=3600"):
        time_limits(text)


def test_a_type_may_take_the_time_that_an_operator_gives_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """As all processes find the types: the API and the workers that are told the same."""
    own = registry()
    monkeypatch.setenv("JOB_TIME_LIMITS", "load_candles=3600,nobodys=5")
    found = registry.__wrapped__()
    assert found.types["load_candles"].timeout_s == 3600 != own.types["load_candles"].timeout_s
    others = [name for name in own.types if name != "load_candles"]
    assert [found.types[name].timeout_s for name in others] == [own.types[name].timeout_s for name in others]
    assert (found.types.keys(), found.quarantined) == (own.types.keys(), own.quarantined)


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


@pytest.mark.parametrize("name", registry().types)
def test_jobs_that_wait_for_an_update_are_still_run_after_it(name: str) -> None:
    """Payloads of every version before are taken; a new one says how."""
    found = registry().types[name]
    assert set(found.accepts) == set(range(1, found.version))
