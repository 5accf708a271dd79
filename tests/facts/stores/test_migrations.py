"""The newest revision is read from the files that the services bring."""

from pathlib import Path

import pytest

from services.common.migrate import HEAD, MIGRATIONS
from tradebot_ops.errors import OpsError
from tradebot_ops.facts.stores.migrations import head


def test_it_is_the_one_that_the_migration_brings() -> None:
    assert head(MIGRATIONS / "versions") == HEAD


def test_two_ends_are_an_error(tmp_path: Path) -> None:
    for name, before in (("a", None), ("b", "a"), ("c", "a")):
        (tmp_path / f"{name}.py").write_text(f"revision = {name!r}\ndown_revision = {before!r}\n")
    with pytest.raises(OpsError, match="end in 2 revisions: b, c"):
        head(tmp_path)
