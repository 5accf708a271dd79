from pathlib import Path

import pytest

import tradebot_ops
from tests.operations.seen import refusal
from tradebot_ops.errors import OpsError
from tradebot_ops.stack.source import default_folder, find


def made(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("services: {}\n", encoding="utf-8")
    return path


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """An installed package without any stack."""
    folder = tmp_path / "site-packages" / "tradebot_ops"
    folder.mkdir(parents=True)
    return folder


def test_named_files_win_and_keep_their_order(tmp_path: Path, package: Path) -> None:
    base, over = made(tmp_path / "a" / "base.yaml"), made(tmp_path / "over.yaml")
    made(tmp_path / "compose.yaml")
    found = find(["a/base.yaml", str(over)], tmp_path, package)
    assert found.files == (base, over)
    assert found.folder == base.parent
    assert found.why == "named with -f"


def test_a_named_file_that_is_missing_is_refused_with_the_one_meant(tmp_path: Path, package: Path) -> None:
    made(tmp_path / "compose.yaml")
    with pytest.raises(OpsError, match=r"no file .*compse.yaml") as caught:
        find(["compse.yaml"], tmp_path, package)
    assert caught.value.code == "TB-0810"
    assert "`compose.yaml`" in caught.value.hint


def test_the_nearest_compose_file_upwards_is_found_from_below(tmp_path: Path, package: Path) -> None:
    made(tmp_path / "compose.yaml")
    near = made(tmp_path / "project" / "compose.yaml")
    below = tmp_path / "project" / "deep" / "er"
    below.mkdir(parents=True)
    found = find([], below, package)
    assert (found.files, found.folder) == ((near,), near.parent)
    assert str(near.parent) in found.why


def test_an_override_beside_it_is_merged_as_compose_does(tmp_path: Path, package: Path) -> None:
    base, over = made(tmp_path / "compose.yaml"), made(tmp_path / "compose.override.yaml")
    assert find([], tmp_path, package).files == (base, over)


def test_an_old_docker_compose_file_of_some_other_project_is_left_alone(tmp_path: Path, package: Path) -> None:
    made(tmp_path / "docker-compose.yml")
    shipped = made(package / "_stack" / "compose.yaml")
    assert find([], tmp_path, package).files == (shipped,)


def test_a_checkout_is_used_from_anywhere(tmp_path: Path) -> None:
    checkout = tmp_path / "checkout"
    stack = made(checkout / "compose.yaml")
    made(checkout / "pyproject.toml")
    package = checkout / "tradebot_ops"
    package.mkdir()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    found = find([], elsewhere, package)
    assert found.files == (stack,)
    assert "checkout" in found.why
    assert default_folder(package) == checkout


def test_a_compose_file_that_happens_to_lie_beside_the_package_is_not_a_checkout(package: Path, tmp_path: Path) -> None:
    made(package.parent / "compose.yaml")
    shipped = made(package / "_stack" / "compose.yaml")
    found = find([], tmp_path, package)
    assert found.files == (shipped,)
    assert "ships with tradebot" in found.why
    assert default_folder(package) == shipped.parent


def test_nothing_anywhere_is_refused(tmp_path: Path, package: Path) -> None:
    with pytest.raises(OpsError, match=r"no compose\.yaml") as caught:
        find([], tmp_path, package)
    assert caught.value.code == "TB-0810"
    assert "-f" in caught.value.hint


def test_this_repository_finds_its_own_stack(tmp_path: Path) -> None:
    repository = Path(tradebot_ops.__file__).resolve().parent.parent
    assert find([], tmp_path).files[0] == repository / "compose.yaml"


def test_a_named_file_that_is_like_no_other_is_refused_all_the_same(tmp_path: Path, package: Path) -> None:
    with pytest.raises(OpsError) as caught:
        find(["no/folder/compose.yaml"], tmp_path, package)
    why = f"There is no file {tmp_path}/no/folder/compose.yaml."
    assert refusal(caught.value) == ("TB-0810", why, "Name an existing file with -f.")
