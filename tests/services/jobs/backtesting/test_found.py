"""A strategy that is broken is left out alone; what can be found can be run and swept."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from pydantic import BaseModel

from services.common.jobtypes import JobType, Payload, PayloadInvalid
from services.jobs import backtest, sweep
from services.jobs.backtesting import found
from services.jobs.backtesting.request import by_strategy
from services.jobs.backtesting.strategy import Strategy
from tests.paths import ROOT
from tests.services.jobs.fakes import FileContext

REGISTERED = """
import json
from services.common.job_type_list import job_type_list
from services.common.jobtypes import registry
found = job_type_list(registry())
print(json.dumps([[each["name"] for each in found["job_types"]], found["quarantined"]]))
"""
MODULES = ROOT / "services" / "jobs"


class Nothing(Payload):
    pass


class Costly(Payload):
    cash: float = 1.0


def always(bars: Any, parameters: Any) -> Any:
    return np.ones(len(bars), dtype=bool)


def strategy(name: str, parameters: type[BaseModel] = Nothing) -> Strategy:
    return Strategy(name, parameters, always, lambda _: 0)


def fails(error: BaseException) -> Callable[[], Any]:
    def fetch() -> Any:
        raise error

    return fetch


def test_each_broken_strategy_is_quarantined_alone() -> None:
    result = found.load(
        [
            ("good", lambda: strategy("good")),
            ("absent", fails(ImportError("no module named talib"))),
            ("leaves", fails(SystemExit(3))),
            ("number", lambda: 42),
            ("again", lambda: strategy("good")),
            ("costly", lambda: strategy("costly", Costly)),
            ("last", lambda: strategy("last")),
        ]
    )
    assert list(result.usable) == ["good", "last"]
    assert [(each.name, each.error) for each in result.quarantined] == [
        ("strategy absent", "ImportError: no module named talib"),
        ("strategy leaves", "SystemExit: 3"),
        ("strategy number", "TypeError: number is int, not a Strategy"),
        ("strategy again", "ValueError: the name 'good' is already taken"),
        ("strategy costly", "ValueError: its parameter 'cash' is a key of every backtest; give it another name"),
    ]


def test_what_ships_comes_first_and_then_the_packages_of_others_by_their_names(monkeypatch: pytest.MonkeyPatch) -> None:
    points = [SimpleNamespace(name=name, load=partial(strategy, name)) for name in ("zulu", "alpha")]
    monkeypatch.setattr(found, "entry_points", lambda group: points if group == "tradebot.strategies" else [])
    candidates = list(found._candidates())
    shipped = sorted(file.stem for file in (MODULES / "strategies").glob("[a-z]*.py"))
    assert [name for name, _ in candidates] == [*shipped, "alpha", "zulu"]
    result = found.load(candidates)
    assert (list(result.usable), result.quarantined) == ([*shipped, "alpha", "zulu"], ())


def test_with_a_module_that_does_not_import_every_job_type_works(tmp_path: Path) -> None:
    """The same program that ``tradebot up`` runs where no API answers."""
    (tmp_path / "services").symlink_to(ROOT / "services")
    (tmp_path / "sitecustomize.py").write_text(
        "import services.jobs.strategies as package\npackage.__path__.append({!r})\n".format(str(tmp_path / "mine"))
    )
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "ichimoku.py").write_text("import talib_that_is_not_there\n")
    done = subprocess.run(
        [sys.executable, "-c", REGISTERED],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path), "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    job_types, quarantined = json.loads(done.stdout)
    # Each file of the room whose last lines make a job type.
    assert job_types == sorted(file.stem for file in MODULES.glob("*.py") if "\nJOB = " in file.read_text("utf-8"))
    error = "ModuleNotFoundError: No module named 'talib_that_is_not_there'"
    assert quarantined == [{"name": "strategy ichimoku", "error": error}]


@pytest.fixture
def hold(monkeypatch: pytest.MonkeyPatch) -> found.Usable:
    """A strategy without parameters, alone in this installation."""
    only = found.load([("hold", lambda: strategy("hold"))])
    monkeypatch.setattr(found, "found", lambda: only)
    return only.usable["hold"]


def test_a_strategy_without_parameters_runs_and_can_be_swept(hold: found.Usable) -> None:
    payload = by_strategy("Run", [hold.Run]).model_validate({"symbol": "FB", "strategy": "hold"})
    once = backtest.run(FileContext(), payload)
    asked = {"symbol": "FB", "strategy": "hold", "holdout": 0}
    swept = sweep.run(FileContext(), by_strategy("Sweep", [hold.Sweep]).model_validate(asked))
    assert swept["runs"] == 1
    assert swept["best"] == [{"parameters": {}, "metrics": once["metrics"]}]


def test_a_wrong_key_is_named_also_where_there_is_one_strategy(hold: found.Usable) -> None:
    only = JobType("backtest", 1, by_strategy("Run", [hold.Run]), backtest.run)
    with pytest.raises(PayloadInvalid) as caught:
        only.validate({"symbol": "FB", "strategy": "hold", "fee_bps": -1})
    assert [name for name, _ in caught.value.errors] == ["fee_bps"]


def test_without_any_strategy_a_backtest_cannot_be_defined() -> None:
    with pytest.raises(ValueError, match="no strategy can be loaded"):
        by_strategy("Run", [])
