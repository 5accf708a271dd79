"""`ls`: the projects of both engines, and what is said of one that does not answer."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.operations.seen import whole
from tradebot_ops.context import Ops
from tradebot_ops.engines.base import State
from tradebot_ops.engines.docker.projects import grouped
from tradebot_ops.engines.projects import Project, project
from tradebot_ops.errors import OpsError, Unreachable
from tradebot_ops.operations import projects
from tradebot_ops.settings import load_settings

AWAY = Unreachable("No Docker engine answers.", code="TB-0401", hint="Start it.")
BOT = project("bot", "local", [State.RUNNING, State.RUNNING, State.EXITED], "/state/bot")
LAB = project("lab", "docker", [State.PAUSED], "/srv/lab")


@pytest.fixture
def listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    def call(docker: tuple[Project, ...] | OpsError, local: tuple[Project, ...], engine: str = "auto") -> Any:
        def on(name: str, environ: object) -> tuple[Project, ...]:
            del environ
            answer = docker if name == "docker" else local
            if isinstance(answer, OpsError):
                raise answer
            return answer

        monkeypatch.setattr(projects, "projects_on", on)
        return projects.list_(Ops(load_settings({"engine": engine}, {"HOME": str(tmp_path)}, tmp_path)))

    return call


def test_both_engines_are_asked(listed: Callable[..., Any]) -> None:
    report = listed((LAB,), (BOT,))
    assert report.sections[0].tables[0].rows == (
        ("bot", "local", "running (2), exited (1)", "/state/bot"),
        ("lab", "docker", "paused (1)", "/srv/lab"),
    )
    assert report.data["projects"][0]["states"] == {"running": 2, "exited": 1}
    assert report.warnings == ()


def test_an_engine_that_is_away_is_named_and_the_other_is_shown(listed: Callable[..., Any]) -> None:
    report = listed(AWAY, (BOT,))
    assert [row[0] for row in report.sections[0].tables[0].rows] == ["bot"]
    assert report.warnings == ("Projects on docker are not known: No Docker engine answers.",)
    assert report.data["not_asked"] == {"docker": "No Docker engine answers."}


def test_the_one_engine_that_was_asked_for_is_away(listed: Callable[..., Any]) -> None:
    with pytest.raises(OpsError) as raised:
        listed(AWAY, (BOT,), engine="docker")
    assert raised.value.code == "TB-0401"
    assert [row[1] for row in listed(AWAY, (BOT,), engine="local").sections[0].tables[0].rows] == ["local"]


def test_an_engine_that_is_not_there_yet_is_refused(listed: Callable[..., Any]) -> None:
    with pytest.raises(OpsError) as raised:
        listed((), (), engine="swarm")
    assert raised.value.code == "TB-0102"


def test_a_host_without_projects_says_so(listed: Callable[..., Any]) -> None:
    assert listed((), ()).sections[0].lines == ("There is no project on this host. Start one: tradebot up",)


def test_containers_are_grouped_by_their_project() -> None:
    def container(name: str, state: str) -> dict[str, Any]:
        labels = {"com.docker.compose.project": name, "com.docker.compose.project.working_dir": f"/srv/{name}"}
        return {"Labels": labels, "State": state}

    found = grouped([container("b", "running"), container("a", "exited"), container("b", "restarting")])
    assert [(each.name, each.status, each.where) for each in found] == [
        ("a", "exited (1)", "/srv/a"),
        ("b", "running (1), restarting (1)", "/srv/b"),
    ]


def test_screens(listed: Callable[..., Any], snapshot: SnapshotAssertion) -> None:
    twin = project("bot", "docker", [State.RUNNING], "/srv/bot")
    seen = [whole(listed((LAB, twin), (BOT,))), whole(listed(AWAY, ())), whole(listed((LAB,), (BOT,), engine="docker"))]
    assert "\n\n".join(seen) == snapshot
