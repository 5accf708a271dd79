"""There is no audit log yet, and nothing passes for one."""

from pathlib import Path

from tests.prodcheck.kit import make_stages
from tradebot_ops.context import Ops
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.facts.fact import Skip
from tradebot_ops.prodcheck.runner import Options, run
from tradebot_ops.prodcheck.stages.security.audit import audited
from tradebot_ops.prodcheck.waivers import Waivers
from tradebot_ops.settings import load_settings


def test_it_is_skipped_with_its_reason(tmp_path: Path) -> None:
    ops = Ops(load_settings({"project": "demo"}, {"TRADEBOT_STATE": str(tmp_path)}, tmp_path), StubEngine("demo"))
    found = run(ops, make_stages(audited), [audited], Waivers({}), Options(timeout=10), lambda _: None)
    verdict = found.results[0].verdict
    assert verdict.skip is Skip.LATER
    assert "audit log" in verdict.message
