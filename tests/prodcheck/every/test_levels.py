"""Each level that a check can end with is seen by a test of its judge."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import NoReturn, get_type_hints

from tests.paths import ROOT
from tests.prodcheck.every.levels import SEEN_FILE, possible
from tradebot_ops.model import Level
from tradebot_ops.prodcheck.catalogue import catalogue

ALL = [check for stage in catalogue() for check in stage.checks]
JUDGES = "tests/prodcheck/stages"


def test_tests_of_judges_see_every_level(tmp_path: Path) -> None:
    seen_file = tmp_path / "levels.json"
    words = ("-m", "pytest", "-n", "0", "-q", "-p", "tests.prodcheck.every.levels", "-p", "no:cacheprovider", JUDGES)
    environ = os.environ | {SEEN_FILE: str(seen_file)}
    done = subprocess.run(
        [sys.executable, *words], cwd=ROOT, env=environ, capture_output=True, text=True, timeout=150, check=False
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    seen = json.loads(seen_file.read_text(encoding="utf-8"))
    unseen = {check.id: sorted(possible(check) - set(seen.get(check.id, ()))) for check in ALL}
    assert {id_: levels for id_, levels in unseen.items() if levels} == {}


def test_levels_are_read_from_the_code_of_every_judge() -> None:
    """One that ends with none is one that waits for its part of the project; any other can pass."""
    for check in ALL:
        waits = get_type_hints(check.judge)["return"] is NoReturn
        assert (not possible(check)) is waits, check.id
        assert waits or Level.PASS in possible(check), check.id
