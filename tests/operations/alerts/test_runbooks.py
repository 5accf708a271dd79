"""The page of an alert, however its name is written."""

from pathlib import Path

import pytest

from tests.operations.seen import refusal, whole
from tests.paths import ROOT
from tradebot_ops.context import Ops
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.errors import OpsError
from tradebot_ops.model import Report, Section
from tradebot_ops.operations.alerts import runbooks
from tradebot_ops.settings import load_settings

TEXT = "# RedisDown\n\nWhy – and what to do.\n"


@pytest.fixture
def ops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ops:
    made = Ops(load_settings({"project": "demo"}, {"TRADEBOT_STATE": str(tmp_path)}, ROOT), StubEngine("demo"))
    pages = tmp_path / "pages"
    pages.mkdir()
    for name in ("RedisDown", "HighCPUUsage"):
        (pages / f"{name}.md").write_text(TEXT.replace("RedisDown", name), encoding="utf-8")
    monkeypatch.setattr(runbooks, "folder", {made: pages}.__getitem__)
    monkeypatch.setattr(runbooks, "names", lambda given: sorted(page.stem for page in {made: pages}[given].iterdir()))
    return made


@pytest.mark.parametrize("typed", ["RedisDown", "redisdown", "REDISDOWN"])
def test_a_page(ops: Ops, typed: str) -> None:
    lines = ("# RedisDown", "", "Why – and what to do.")
    expected = Report(data={"alert": "RedisDown", "text": TEXT}, sections=(Section(lines=lines, markdown=True),))
    assert runbooks.show(ops, typed) == expected


def test_all_pages(ops: Ops) -> None:
    names = ["HighCPUUsage", "RedisDown"]
    assert whole(runbooks.list_(ops)) == whole(Report(data=names, sections=(Section(lines=tuple(names)),)))


@pytest.mark.parametrize(("typed", "meant"), [("redisdwon", " Did you mean `RedisDown`?"), ("nothing like it", "")])
def test_no_page(ops: Ops, typed: str, meant: str) -> None:
    with pytest.raises(OpsError) as caught:
        runbooks.show(ops, typed)
    assert refusal(caught.value) == ("TB-0215", f"There is no runbook {typed}.{meant}", "tradebot runbook list")
