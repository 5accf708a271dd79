"""What is suggested next means the stack that this call meant."""

import json

import pytest

from tests.cli.conftest import Run
from tradebot_ops.cli import in_force
from tradebot_ops.model import Finding, Level, Report, Section, Table


@pytest.mark.parametrize(
    ("options", "text", "expected"),
    [
        (["-p", "shop"], "tradebot down", "tradebot -p shop down"),
        (["--project=shop", "--engine", "local"], "tradebot up", "tradebot -p shop --engine local up"),
        (["-pshop"], "tradebot logs -f", "tradebot -p shop logs -f"),
        (["-p", "a", "-f", "x.yaml", "-p", "b", "-f", "y.yaml"], "tradebot up", "tradebot -f x.yaml -p b -f y.yaml up"),
        (["-f", "my stack.yaml"], "tradebot up", "tradebot -f 'my stack.yaml' up"),
        (
            ["-p", "a"],
            "tradebot status   tradebot scale workers 4",
            "tradebot -p a status   tradebot -p a scale workers 4",
        ),
        (["-p", "a"], "tradebot dash; then tradebot up", "tradebot -p a dash; then tradebot -p a up"),
        # What the suggestion is about stays: it is another engine that helps.
        (["--engine", "local", "-p", "a"], "tradebot up --engine docker", "tradebot -p a up --engine docker"),
        # Options of one call are not repeated, words that are no command are left alone, help needs no stack.
        (["--json", "--timeout", "5"], "tradebot up", "tradebot up"),
        (["-p", "a"], "what tradebot made, tradebot upgrades", "what tradebot made, tradebot upgrades"),
        (["-p", "a"], "tradebot jobs submit --help", "tradebot jobs submit --help"),
    ],
)
def test_options_that_choose_a_stack_are_kept(options: list[str], text: str, expected: str) -> None:
    in_force.keep(options)
    assert in_force.suggested(text) == expected


def test_screens_errors_and_json_suggest_the_same_stack(run: Run) -> None:
    assert "tradebot -p other logs -f" in run("up", "-p", "other", "--no-canary").stdout
    assert "tradebot -p other exec worker" in run("-p", "other", "exec", "worker", "--").stderr
    failed = json.loads(run("-p", "other", "exec", "worker", "--json", "--").stdout)
    assert "tradebot -p other exec worker" in failed["errors"][0]["hint"]
    assert "tradebot -p demo exec worker" in run("exec", "worker", "--").stderr


def test_what_a_failed_job_suggests_means_the_same_stack() -> None:
    """Its sentence is the service's, which knows nothing of the options of this call."""
    in_force.keep(["-p", "shop"])
    said = "There are no candles of X. Load some: tradebot jobs submit load_candles."
    table = Table(("job", "error"), (("1", said),))
    report = Report(findings=(Finding(Level.FAIL, "job", said),), sections=(Section(tables=(table,)),))
    shown = in_force.of_report(report)
    assert "tradebot -p shop jobs submit" in shown.findings[0].message
    assert "tradebot -p shop jobs submit" in shown.sections[0].tables[0].rows[0][1]
