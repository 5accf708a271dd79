"""A rotation that began is on the disk until it is over."""

from pathlib import Path

import pytest

from tradebot_ops.errors import OpsError
from tradebot_ops.operations.rotation.pending import Journal, Pending
from tradebot_ops.private_folder import PrivateFolder
from tradebot_ops.settings import Secret

BEGUN = Pending("api_key", Secret("old-value"), Secret("new-value"))


def test_it_is_kept_privately_and_ends(tmp_path: Path) -> None:
    journal = Journal(PrivateFolder(tmp_path))
    assert journal.find("api_key") is None
    journal.begin(BEGUN)
    assert journal.find("api_key") == BEGUN
    assert journal.find("alert_token") is None
    (path,) = (tmp_path / "secrets").iterdir()
    assert path.stat().st_mode & 0o777 == 0o600
    journal.finish("api_key")
    assert journal.find("api_key") is None


@pytest.mark.parametrize("content", ["{", '{"old": "x"}', '{"old": "", "new": "y"}', "[]"])
def test_a_damaged_one_is_never_taken_for_none(tmp_path: Path, content: str) -> None:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / ".api_key.rotating").write_text(content)
    with pytest.raises(OpsError) as caught:
        Journal(PrivateFolder(tmp_path)).find("api_key")
    assert caught.value.code == "TB-0801"
