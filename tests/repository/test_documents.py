"""Documents that the tests remember hold no empty text where a time or a number belongs."""

import pytest

from tests.paths import ROOT
from tests.repository.empty_times import EMPTY


def test_no_snapshot_has_an_empty_text_for_a_time_or_a_number() -> None:
    files = sorted((ROOT / "tests").rglob("*.ambr"))
    found = {str(file.relative_to(ROOT)): EMPTY.findall(file.read_text(encoding="utf-8")) for file in files}
    assert len(found) > 10
    assert {file: members for file, members in found.items() if members} == {}


@pytest.mark.parametrize("text", ['{"refuted_at": ""}', '{"at":""}', '{"idle_seconds": ""}', '{"bytes": ""}'])
def test_it_is_found(text: str) -> None:
    assert EMPTY.search(text)


@pytest.mark.parametrize("text", ['{"at": null}', '{"format": ""}', '{"note": ""}', '{"what": ""}', '{"at": "x"}'])
def test_a_text_may_be_empty(text: str) -> None:
    assert not EMPTY.search(text)
