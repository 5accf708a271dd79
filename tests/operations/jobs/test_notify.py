"""Whoever wishes for news of a job learns at once whether it would reach anybody."""

from pathlib import Path
from typing import Any

import pytest

from tradebot_ops.context import Ops
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.errors import OpsError
from tradebot_ops.operations.jobs import later, notify
from tradebot_ops.settings import load_settings

TO_SLACK = """
route: {receiver: store, routes: [{matchers: ['alertname="JobEnded"'], receiver: jobs}]}
receivers: [{name: store}, {name: jobs, slack_configs: [{channel: "#bots"}]}]
"""


class Alertmanager:
    def __init__(self, config: str) -> None:
        self.config = config

    def status(self) -> "Alertmanager":
        return self


class Api:
    def __init__(self) -> None:
        self.wishes: list[str | None] = []

    def submit(self, _type: str, _payload: object, not_before: str | None = None, notify: str | None = None) -> Any:
        self.wishes.append(notify)
        return {"id": "j1", "type": "canary", "state": "queued", "not_before": not_before}


def ops_with(folder: Path, config: str | None = None) -> Ops:
    settings = load_settings({"project": "demo"}, {"TRADEBOT_STATE": str(folder), "HOME": str(folder)}, folder)
    ops = Ops(settings, StubEngine("demo"))
    ops.__dict__["api"] = Api()
    if config is not None:
        ops.__dict__["alertmanager"] = Alertmanager(config)
    return ops


TO_BOTH = TO_SLACK.replace(
    "routes: [", "routes: [{matchers: ['alertname=\"JobEnded\"'], receiver: store, continue: true}, "
)


@pytest.mark.parametrize(
    ("config", "doubts"),
    [(TO_SLACK, []), (TO_BOTH, []), (TO_SLACK.replace("slack_configs", "x"), ["No channel leads to anybody"])],
)
def test_it_reaches_who_has_a_channel(tmp_path: Path, config: str, doubts: list[str]) -> None:
    assert [each.partition(",")[0] for each in notify.doubts(ops_with(tmp_path, config))] == doubts


def test_without_alertmanager_the_job_is_submitted_and_that_is_written_below(tmp_path: Path) -> None:
    ops = ops_with(tmp_path)
    report = later.submit(ops, "canary", [], later.Wishes(at="90m", notify="dead"), wait=False)
    assert ops.__dict__["api"].wishes == ["dead"]
    assert report.warnings[0].startswith("Nobody is notified until Alertmanager answers: ")


def test_who_wishes_for_nothing_is_not_bothered(tmp_path: Path) -> None:
    ops = ops_with(tmp_path)
    assert later.submit(ops, "canary", [], later.Wishes(at="90m"), wait=False).warnings == ()
    assert ops.__dict__["api"].wishes == [None]


def test_another_wish_is_refused() -> None:
    for wish in (None, "end", "dead"):
        notify.check(wish)
    with pytest.raises(OpsError, match="'always' is no reason") as raised:
        notify.check("always")
    assert raised.value.code == "TB-0246"
