"""tradebot ci on a real Docker engine: a project of its own for one run, of which nothing is left."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from junitparser import JUnitXml

from tests.engines.docker.parts import require_docker
from tests.integration.docker.rig import NEEDED, api, project, remains
from tests.integration.tradebot import Tradebot
from tests.paths import ROOT

pytestmark = [
    pytest.mark.integration,
    pytest.mark.docker,
    pytest.mark.xdist_group("docker-ci"),
    pytest.mark.timeout(420),
]


@pytest.fixture
def pipeline(tmp_path: Path) -> Iterator[Tradebot]:
    """A folder as a runner has it; whatever a failed test left on the engine is removed."""
    require_docker(*NEEDED)
    made = project(tmp_path / "home", TRADEBOT_FILE=str(ROOT / "compose.yaml"))
    made.cwd = tmp_path
    try:
        yield made
    finally:
        with api() as engine:
            for name in projects(made):
                left = remains(name)
                for container in left["containers"]:
                    engine.remove_container(container, v=True, force=True)
                for network in left["networks"]:
                    engine.remove_network(network)
                for volume in left["volumes"]:
                    engine.remove_volume(volume)


def projects(pipeline: Tradebot) -> set[str]:
    """Projects on the engine whose name was made of this one's."""
    label = "com.docker.compose.project"
    with api() as engine:
        found = [each["Labels"] for each in engine.containers(all=True, filters={"label": label})]
        found += [each["Labels"] for each in engine.networks(filters={"label": label})]
        found += [each["Labels"] for each in engine.volumes(filters={"label": label})["Volumes"] or ()]
    return {labels[label] for labels in found if labels[label].startswith(pipeline.project)}


def nothing_is_left(pipeline: Tradebot) -> None:
    assert projects(pipeline) == set()
    assert pipeline.processes() == []
    assert list(pipeline.state.parent.glob(f"{pipeline.project}*")) == []


def test_a_stack_is_made_checked_reported_and_taken_down(pipeline: Tradebot) -> None:
    """The load of the host is left out: it is no matter of this stack."""
    words = ("--output-file", "report.xml", "--", "--stage", "SVC", "--skip", "ENG-12")
    done = pipeline.run("ci", "run", *words, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    found = JUnitXml.fromfile(str(pipeline.cwd / "report.xml"))
    assert found.tests > 5
    assert (found.failures, found.errors) == (0, 0)
    nothing_is_left(pipeline)
