"""A backup has its name once it is whole; what was killed, cut or edited is seen."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.backups.test_manifest import MANIFEST
from tradebot_ops.backups.shelf import DUMP, REFUTED, SUMS, Backup, Proof, Refutation, Shelf, refuted_since
from tradebot_ops.backups.shelf import MANIFEST as MANIFEST_FILE
from tradebot_ops.errors import OpsError

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)


def put(shelf: Shelf, at: datetime = NOON, text: bytes = b"dump") -> Backup:
    with shelf.draft(at) as draft:
        (draft.folder / DUMP).write_bytes(text)
        return draft.finish(MANIFEST)


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "backups" / "demo")


def test_a_finished_one_is_listed_and_is_its_owners_alone(shelf: Shelf) -> None:
    made = put(shelf)
    assert [each.id for each in shelf.all()] == [made.id] == ["20261127T120000Z"]
    assert made.damaged_files() == ()
    assert {path.stat().st_mode & 0o777 for path in made.folder.iterdir()} == {0o600}
    assert shelf.folder.stat().st_mode & 0o777 == 0o700


def test_a_file_that_was_kept_and_changes_before_the_backup_has_its_name_is_found(shelf: Shelf) -> None:
    with shelf.draft(NOON) as draft:
        (draft.folder / DUMP).write_bytes(b"dump")
        draft.keep(DUMP)
        (draft.folder / DUMP).write_bytes(b"dumb")
        made = draft.finish(MANIFEST)
    assert made.damaged_files() == (f"{DUMP} is not as it was written.",)


def test_what_fails_on_the_way_is_never_listed(shelf: Shelf) -> None:
    with shelf.draft(NOON) as draft:
        (draft.folder / DUMP).write_bytes(b"half")
    assert shelf.all() == ()
    assert list(shelf.folder.iterdir()) == []


def test_what_was_killed_is_never_listed_and_goes_with_the_next(shelf: Shelf) -> None:
    killed = shelf.folder / ".20261127T110000Z.unfinished"
    killed.mkdir(parents=True)
    (killed / DUMP).write_bytes(b"half")
    assert shelf.all() == ()
    put(shelf)
    assert not killed.exists()


def test_two_in_one_second_have_two_names(shelf: Shelf) -> None:
    assert [put(shelf).id, put(shelf).id] == ["20261127T120000Z", "20261127T120000Z-2"]


def test_a_later_one_of_the_same_second_never_takes_the_name_of_one_that_was_cleared_away(shelf: Shelf) -> None:
    made = [put(shelf) for _ in range(10)]
    shelf.remove(made[0])
    made = [*made[1:], put(shelf)]
    assert made[-1].id == "20261127T120000Z-11"
    assert [each.id for each in shelf.all()] == [each.id for each in made]
    assert shelf.get("latest").id == made[-1].id


@pytest.mark.parametrize(
    ("name", "change", "sentence"),
    [
        (DUMP, b"", "postgres.dump is not as it was written."),
        (DUMP, b"du", "postgres.dump is not as it was written."),
        (DUMP, b"dumq", "postgres.dump is not as it was written."),
        (SUMS, b"", "SHA256SUMS does not name manifest.json."),
        (SUMS, b"\xff", "SHA256SUMS cannot be read."),
        (DUMP, None, "postgres.dump cannot be read: No such file or directory."),
        (SUMS, None, "SHA256SUMS cannot be read."),
    ],
)
def test_damage_is_named(shelf: Shelf, name: str, change: bytes | None, sentence: str) -> None:
    made = put(shelf)
    path = made.folder / name
    path.unlink() if change is None else path.write_bytes(change)
    assert made.damaged_files()[0] == sentence


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": 99}', '{"project": "demo"}'])
def test_without_its_manifest_it_is_listed_as_damaged(shelf: Shelf, text: str) -> None:
    (put(shelf).folder / MANIFEST_FILE).write_text(text)
    found = shelf.all()[0]
    assert found.manifest is None
    assert found.fault
    assert found.at == NOON


def test_it_is_found_by_id_as_the_latest_and_by_its_folder(shelf: Shelf, tmp_path: Path) -> None:
    first, second = put(shelf), put(shelf, NOON + timedelta(days=1))
    assert shelf.get(first.id).folder == first.folder
    assert shelf.get("latest").id == second.id
    assert Shelf(tmp_path / "nothing").get(str(first.folder)).id == first.id


@pytest.mark.parametrize("name", ["latest", "20200101T000000Z", "../demo", "/"])
def test_one_that_is_not_there_is_refused(shelf: Shelf, name: str) -> None:
    with pytest.raises(OpsError) as caught:
        shelf.get(name)
    assert caught.value.code == "TB-0130"


def test_a_proof_is_remembered_beside_it(shelf: Shelf) -> None:
    made = put(shelf)
    made.remember(Proof("2026-11-27T13:00:00+00:00", 0.5))
    assert shelf.all()[0].proof == Proof("2026-11-27T13:00:00+00:00", 0.5)
    assert shelf.all()[0].damaged_files() == ()
    (made.folder / "restored.json").write_text("{")
    assert shelf.all()[0].proof is None


def test_a_refutation_outlasts_the_proof_and_only_a_new_proof_ends_it(shelf: Shelf) -> None:
    made = put(shelf)
    made.remember(Proof("2026-11-27T13:00:00+00:00", 0.5))
    made.refute(Refutation("2026-11-27T14:00:00+00:00", "The dump is cut."))
    found = shelf.all()[0]
    assert (found.proof, found.refutation, found.usable) == (
        None,
        Refutation("2026-11-27T14:00:00+00:00", "The dump is cut."),
        False,
    )
    assert found.damaged_files() == ()
    made.remember(Proof("2026-11-27T15:00:00+00:00", 0.5))
    assert shelf.all()[0].usable


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "The state file"),
        ("{", "The state file"),
        ('{"why": 1}', "The state file"),
        ('{"at": 1}', "The record does not say why."),
        ('{"why": "It is cut."}', "It is cut."),
        ('{"at": null, "why": "It is cut."}', "It is cut."),
        ('{"at": "", "why": "It is cut."}', "It is cut."),
        ('{"at": "yesterday", "why": "It is cut."}', "It is cut."),
        ('{"at": "2026-11-27T14:00:00", "why": "It is cut."}', "It is cut."),
    ],
)
def test_a_refutation_that_cannot_be_read_is_one_of_a_time_that_nobody_knows(shelf: Shelf, text: str, why: str) -> None:
    made = put(shelf)
    (made.folder / REFUTED).write_text(text)
    found = shelf.all()[0]
    assert found.refutation is not None
    assert (found.usable, found.refutation.at, found.refutation.moment) == (False, None, None)
    assert found.refutation.why.startswith(why)


def test_the_latest_is_one_against_which_nothing_is_known(shelf: Shelf) -> None:
    first, second = put(shelf), put(shelf, NOON + timedelta(days=1))
    second.refute(Refutation("2026-11-27T14:00:00+00:00", "The dump is cut."))
    assert shelf.get("latest").id == first.id
    assert shelf.get("latest", refuted_too=True).id == second.id
    assert shelf.get(second.id).id == second.id
    assert refuted_since(shelf, first) == (f"The last verification of the backup {second.id} failed: The dump is cut.",)
    first.refute(Refutation("2026-11-27T14:00:00+00:00", "The dump is cut."))
    with pytest.raises(OpsError, match="the last verification of each of them failed") as caught:
        shelf.get("latest")
    assert caught.value.code == "TB-0130"


def test_one_that_is_removed_is_gone(shelf: Shelf) -> None:
    shelf.remove(put(shelf))
    assert list(shelf.folder.iterdir()) == []


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OpsError) as caught:
        put(Shelf(tmp_path / "file" / "demo"))
    assert caught.value.code == "TB-0802"
    assert Shelf(tmp_path / "file" / "demo").all() == ()
