"""Logs of several containers as one stream, across restarts."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.engines.docker.parts import PYTHON, require_docker
from tests.integration.docker.rig import remains
from tests.integration.docker.test_faults import Project
from tests.waiting import until
from tradebot_ops.engines.base import LogLine, LogQuery
from tradebot_ops.stack.model import Logging

pytestmark = [pytest.mark.integration, pytest.mark.docker]


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    require_docker(PYTHON)
    made = Project(tmp_path)
    yield made
    made.engine.destroy(None, volumes=True)
    assert not any(remains(made.name).values())


def test_lines_of_several_replicas_are_merged_by_time(project: Project) -> None:
    project.apply(project.stack, "once")
    project.apply(project.stack, "failing")
    lines = until(lambda: found if len(found := list(project.engine.logs(LogQuery()))) == 2 else None, "two lines")
    assert [line.text for line in lines] == ["done", "sorry"]
    assert [line.service for line in lines] == ["once", "failing"]


def test_a_service_that_keeps_no_log_does_not_end_those_of_the_others(project: Project) -> None:
    project.apply(project.with_service("failing", logging=Logging("none")), "failing")
    project.apply(project.stack, "once")
    lines = until(lambda: list(project.engine.logs(LogQuery())), "a line")
    assert [line.text for line in lines] == ["done"]


def test_half_a_line_is_not_a_line(project: Project) -> None:
    script = "import sys, time; sys.stdout.write('a' * 40000 + chr(10) + 'end'); sys.stdout.flush()"
    project.apply(project.with_service("once", command=("python", "-c", script)), "once")
    lines = until(lambda: found if len(found := list(project.engine.logs(LogQuery()))) == 2 else None, "both lines")
    assert [len(line.text) for line in lines] == [40000, 3]


def test_a_follower_sees_replicas_that_start_later_and_restarts(project: Project) -> None:
    project.apply(project.stack)
    until(lambda: list(project.engine.logs(LogQuery())), "a log line")
    lines = project.engine.logs(LogQuery(follow=True, tail=0))

    def three() -> list[LogLine]:
        return [next(lines) for _ in range(3)]

    with ThreadPoolExecutor(1) as pool:
        told = pool.submit(three)
        project.engine.apply(project.stack, "web", 2)
        until(lambda: list(project.engine.logs(LogQuery(number=2))), "the second replica's line")
        (first, _) = project.engine.list()
        project.engine.stop(first, 5)
        project.engine.apply(project.stack, "web", 1)
        project.engine.apply(project.stack, "once", 1)
        until(told.done, "three followed lines")
        found = {(line.service, line.number) for line in told.result()}
    assert found == {("web", 1), ("web", 2), ("once", 1)}
