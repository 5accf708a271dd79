"""What a command is told of a service that it wants to ask and that does not run."""

from pathlib import Path

import pytest

from tests.paths import ROOT
from tradebot_ops.context import Ops
from tradebot_ops.engines.base import Address
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.errors import ExitCode, NoAddress, OpsError
from tradebot_ops.records import Absence, UnavailableServices
from tradebot_ops.settings import load_settings

ASKED = [
    ("api", "The API does not run.", "TB-0501", "tradebot up"),
    ("prometheus", "Prometheus does not run.", "TB-0510", "tradebot monitoring start"),
    ("alertmanager", "Alertmanager does not run.", "TB-0520", "tradebot monitoring start"),
    ("postgres", "Postgres does not run.", "TB-0535", "tradebot up"),
    ("postgres_app", "Postgres does not run.", "TB-0535", "tradebot up"),
    ("postgres_monitor", "Postgres does not run.", "TB-0535", "tradebot up"),
]


class DockerLike(StubEngine):
    """Says of what does not run what the Docker engine says."""

    def endpoint(self, service: str, port: int, number: int = 1) -> Address:
        raise NoAddress(f"{service} {number} is not running.", code="TB-0507", hint="tradebot up")


def world(tmp_path: Path, engine: StubEngine) -> Ops:
    environ = {"TRADEBOT_STATE": str(tmp_path), "HOME": str(tmp_path), "TRADEBOT_PROFILES": "monitoring"}
    return Ops(load_settings({"project": "demo"}, environ, ROOT), engine)


@pytest.mark.parametrize(("service", "message", "code", "hint"), ASKED)
@pytest.mark.parametrize("engine", [StubEngine, DockerLike])
def test_what_never_ran_does_not_run(
    tmp_path: Path, engine: type[StubEngine], service: str, message: str, code: str, hint: str
) -> None:
    """Before the first `up` there are no passwords either; that is not the news."""
    with pytest.raises(OpsError) as caught:
        getattr(world(tmp_path, engine("demo")), service)
    assert (caught.value.message, caught.value.code, caught.value.hint) == (message, code, hint)
    assert caught.value.exit_code == ExitCode.DEPENDENCY_UNREACHABLE


def test_what_cannot_run_here_says_what_it_lacks(tmp_path: Path) -> None:
    ops = world(tmp_path, StubEngine("demo"))
    ops.state.store(UnavailableServices({"prometheus": Absence("no program", "apt-get install prometheus")}))
    with pytest.raises(OpsError) as caught:
        _ = ops.prometheus
    assert caught.value.hint == "apt-get install prometheus"


def test_what_runs_and_has_no_such_port_keeps_the_engines_own_words(tmp_path: Path) -> None:
    engine = DockerLike("demo")
    ops = world(tmp_path, engine)
    engine.prepare(ops.stack, lambda service, line: None)
    engine.apply(ops.stack, "prometheus", 1)
    with pytest.raises(OpsError) as caught:
        _ = ops.prometheus
    assert caught.value.code == "TB-0507"
