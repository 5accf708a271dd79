"""Where nothing was ever started, no check passes that is about what runs: it looked at nothing."""

from pathlib import Path

from tests.paths import ROOT
from tradebot_ops.context import Ops
from tradebot_ops.engines.inspection import EngineInfo, Inspected
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.facts.fact import Skip
from tradebot_ops.prodcheck.catalogue import catalogue
from tradebot_ops.prodcheck.runner import Options, Run, State, run
from tradebot_ops.prodcheck.waivers import Waivers
from tradebot_ops.settings import load_settings

#: They judge the engine, this host, or the files of the repository: there is something to look at before the first up.
LOOK_ELSEWHERE = frozenset(
    {
        *("ENG-01", "ENG-02", "ENG-03", "ENG-04", "ENG-05", "ENG-07", "ENG-10", "ENG-12", "ENG-13"),
        *("MON-10", "MON-11", "ALR-02", "ALR-03", "OPS-05", "OPS-07", "OPS-08", "OPS-09"),
        *("OPS-01", "OPS-02", "OPS-03", "OPS-13", "OPS-14"),  # backups outlive what runs
    }
)
#: Stages about files, which are there without a service.
ABOUT_FILES = frozenset({"CFG"})


class Empty(StubEngine):
    """Knows all that an engine can tell, of no replica."""

    def inspected(self) -> tuple[Inspected, ...]:
        return ()

    def info(self) -> EngineInfo:
        return EngineInfo("stub", "1", "none", 16 * 2**30, 8, "/", on_this_host=True)


def judged(state: Path) -> Run:
    ops = Ops(load_settings({}, {"TRADEBOT_STATE": str(state)}, ROOT), Empty("nothere"))
    stages = catalogue()
    chosen = [
        check
        for stage in stages
        if stage.prefix not in ABOUT_FILES
        for check in stage.checks
        if check.id not in LOOK_ELSEWHERE
    ]
    return run(ops, stages, chosen, Waivers({}), Options(timeout=60), lambda _: None)


def test_no_check_of_what_runs_passes(tmp_path: Path) -> None:
    results = {result.check.id: result for result in judged(tmp_path).results}
    passed = {id_ for id_, result in results.items() if result.state is State.PASS}
    assert passed == set()
    for id_ in ("SVC-03", "SVC-04", "SVC-05", "SVC-07", "SVC-08", "SVC-09"):
        assert results[id_].verdict.skip is Skip.PREREQUISITE, results[id_].verdict.message
        assert results[id_].verdict.message == "No replica runs."
