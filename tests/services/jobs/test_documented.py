"""The job type that docs/jobs.md shows is written down as it stands there, found by its entry point, and run."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.paths import ROOT

RUN = """
import json
from services.common.jobtypes import registry
from tests.services.jobs.fakes import FileContext

job_type = registry().get("mean_price")
assert job_type is not None, registry().quarantined
payload = job_type.validate({"symbol": "AAPL", "days": "5"})
print(json.dumps([job_type.normalise({"symbol": "AAPL"}), job_type.run(FileContext(), payload)]))
"""


@pytest.fixture
def plugins(tmp_path: Path) -> Path:
    """What pip makes of the documented package: the module, and its entry points."""
    page = (ROOT / "docs" / "jobs.md").read_text(encoding="utf-8")
    (project,) = re.findall(r"^```toml\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    (module,) = re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    described = tomllib.loads(project)["project"]
    (tmp_path / "mean_price.py").write_text(module)
    info = tmp_path / f"mean_price-{described['version']}.dist-info"
    info.mkdir()
    metadata = f"Metadata-Version: 2.1\nName: {described['name']}\nVersion: {described['version']}\n"
    (info / "METADATA").write_text(metadata)
    lines = [f"{name} = {target}" for name, target in described["entry-points"]["tradebot.jobs"].items()]
    (info / "entry_points.txt").write_text("[tradebot.jobs]\n" + "\n".join(lines) + "\n")
    return tmp_path


def test_the_documented_job_type_is_found_and_works(plugins: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", RUN],
        cwd=ROOT,
        env={"PYTHONPATH": f"{ROOT}:{plugins}", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    # The last five closes of the sample: 2013-02-25 to 2013-03-01.
    assert done.stdout == ('[{"symbol": "AAPL", "days": 20}, {"symbol": "AAPL", "mean": 441.642}]\n')
