"""The job type and the strategy that docs/jobs.md shows are written down as they stand there, found and run."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.paths import ROOT

JOB = """
import json
from services.common.jobtypes import registry
from tests.services.jobs.fakes import FileContext

job_type = registry().get("mean_price")
assert job_type is not None, registry().quarantined
payload = job_type.validate({"symbol": "AAPL", "days": "5"})
print(json.dumps([job_type.normalise({"symbol": "AAPL"}), job_type.run(FileContext(), payload)]))
"""
STRATEGY = """
import json
from services.common.jobtypes import registry
from tests.services.jobs.fakes import FileContext

check, backtest = registry().types["check_strategy"], registry().types["backtest"]
assert registry().quarantined == (), registry().quarantined
wanted = {"strategy": "three_up", "symbol": "AAPL"}
checked = check.run(FileContext(), check.validate(wanted))
made = backtest.run(FileContext(), backtest.validate({**wanted, "bars": 2}))
print(json.dumps([checked["faults"], checked["parameters"], made["parameters"], made["trades"]["gain"] != []]))
"""


@pytest.fixture
def plugins(tmp_path: Path) -> Path:
    """What pip makes of the documented packages: their modules, and their entry points."""
    page = (ROOT / "docs" / "jobs.md").read_text(encoding="utf-8")
    projects = re.findall(r"^```toml\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    modules = re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    for project, module in zip(projects, modules, strict=True):
        described = tomllib.loads(project)["project"]
        [(group, points)] = described["entry-points"].items()
        [(name, target)] = points.items()
        (tmp_path / f"{target.partition(':')[0]}.py").write_text(module)
        info = tmp_path / f"{name}-{described['version']}.dist-info"
        info.mkdir()
        metadata = f"Metadata-Version: 2.1\nName: {described['name']}\nVersion: {described['version']}\n"
        (info / "METADATA").write_text(metadata)
        (info / "entry_points.txt").write_text(f"[{group}]\n{name} = {target}\n")
    return tmp_path


@pytest.mark.parametrize(
    ("program", "said"),
    [
        # The last five closes of the sample: 2013-02-25 to 2013-03-01.
        (JOB, '[{"symbol": "AAPL", "days": 20}, {"symbol": "AAPL", "mean": 441.642}]\n'),
        (STRATEGY, '[[], {"bars": 3}, {"bars": 2}, true]\n'),
    ],
    ids=["job", "strategy"],
)
def test_it_is_found_and_works(plugins: Path, program: str, said: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={"PYTHONPATH": f"{ROOT}:{plugins}", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == said
