"""What a replica of the local engine is said to be."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.engines.local.records import a_record
from tradebot_ops.engines.local.layout import Layout
from tradebot_ops.engines.local.observing.observe import replica_of

START = 1_767_323_045


@pytest.mark.parametrize(("launched", "started"), [(START + 0.678, START + 0.678), (START - 60, START), (None, START)])
def test_a_start_is_known_to_the_millisecond(tmp_path: Path, launched: float | None, started: float) -> None:
    """The supervisor cuts it to whole seconds; a launch before that is another's, and so is none."""
    layout, record = Layout(tmp_path), a_record()
    if launched is not None:
        layout.starts.mkdir(parents=True)
        layout.start_count(record.label).write_text(".")
        os.utime(layout.start_count(record.label), (launched, launched))
    answer = {"statename": "RUNNING", "pid": 21, "start": START}
    found = replica_of(record, answer, None, layout, {}, "demo").started_at
    assert found is not None
    assert abs(found - datetime.fromtimestamp(started, UTC)).total_seconds() < 0.001
