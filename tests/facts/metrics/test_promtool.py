"""Words of promtool and amtool about a file that is wrong."""

from pathlib import Path

import pytest

from tradebot_ops.facts.metrics.promtool import Result, wrong

FILE = Path("/etc/am/alertmanager.yml")


@pytest.mark.parametrize(
    ("output", "where", "reason"),
    [
        (
            f"Checking '{FILE}'  FAILED: undefined receiver \"x\" used in route\n\namtool: error: failed",
            "alertmanager.yml",
            'FAILED: undefined receiver "x" used in route',
        ),
        (
            f"Checking '{FILE}'  FAILED: yaml: unmarshal errors:\n  line 3: field nme not found in type config.plain",
            "alertmanager.yml",
            "  line 3: field nme not found in type config.plain",
        ),
        (
            'Checking /etc/p/r.yml\n  FAILED:\n/etc/p/r.yml: 14:9: group "g", rule 1: could not parse',
            "/etc/p/r.yml, line 14",
            '/etc/p/r.yml: 14:9: group "g", rule 1: could not parse',
        ),
    ],
)
def test_the_reason_is_kept(output: str, where: str, reason: str) -> None:
    error = wrong(Result(ok=False, output=output), [FILE])
    assert where in error.message
    assert reason in error.detail
    assert not any(line.startswith("Checking") for line in error.detail)
