"""Rule files with parts left empty, which promtool accepts."""

import subprocess
from pathlib import Path

import pytest
import yaml

from tests.programs import program
from tradebot_ops.monitoring.contract import rule_uses
from tradebot_ops.monitoring.detectors import blind
from tradebot_ops.monitoring.loaded import written_rules
from tradebot_ops.monitoring.rules import alerts_of, rules_of


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("groups:\n  # none yet\n", []),
        ("groups: [{name: a, rules: }]", []),
        ("groups: [{name: a}]", []),
        ("groups: [{name: a, rules: [{alert: A, expr: up == 0, labels: , annotations: , for: }]}]", ["A"]),
        ("groups: [{name: a, rules: [{alert: A, expr: 1, annotations: {n: 1}}, {record: r, expr: up}]}]", ["A"]),
    ],
)
def test_what_promtool_accepts_is_read(text: str, names: list[str], tmp_path: Path) -> None:
    (tmp_path / "rules.yml").write_text(text)
    done = subprocess.run(
        [program("promtool"), "check", "rules", str(tmp_path / "rules.yml")], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    document = yaml.safe_load(text)
    assert [rule["alert"] for rule in alerts_of([document])] == names
    assert len(rule_uses(document)) == len(written_rules([document])) == len([*rules_of([document])])
    assert blind([document], []) == []
