from pathlib import Path

import pytest

import tradebot_ops
from tests.operations.seen import refusal
from tradebot_ops.errors import OpsError
from tradebot_ops.stack.source import Source, default_folder, find


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


def test_why_a_description_was_chosen(tmp_path: Path, package: Path) -> None:
    shipped = made(package / "_stack" / "compose.yaml")
    here = tmp_path / "here"
    here.mkdir()
    assert find([], here, package) == Source(
        (shipped,), shipped.parent, "the stack that ships with tradebot; `tradebot init` copies it for editing"
    )
    checkout = made(package.parent / "compose.yaml")
    made(package.parent / "pyproject.toml")
    override = made(package.parent / "compose.override.yml")
    why = f"the checkout this tradebot runs from, {checkout.parent}"
    assert find([], here, package) == Source((checkout, override), checkout.parent, why)
    file = made(here / "compose.yml")
    assert find([], here, package) == Source((file,), here, f"compose.yml in {here}")
    overrides = [made(here / f"compose.override.{ending}") for ending in ("yml", "yaml")]
    assert find([], here, package).files == (file, overrides[1]), "one of them, as Compose does it"


def test_a_named_file_may_begin_at_home_and_lie_behind_a_link(
    tmp_path: Path, package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    file = made(tmp_path / "real" / "bot.yaml")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert find(["~/link/bot.yaml"], Path("/"), package) == Source((file,), file.parent, "named with -f")


def test_nothing_anywhere_says_what_to_do(tmp_path: Path, package: Path) -> None:
    for act in (lambda: find([], tmp_path, package), lambda: default_folder(package)):
        with pytest.raises(OpsError) as caught:
            act()
        assert refusal(caught.value) == (
            "TB-0810",
            "There is no compose.yaml here or above, and this installation ships none.",
            "Name one with -f FILE, or install tradebot again: pip install --force-reinstall tradebot-ops",
        )


def test_a_misspelt_file_is_compared_with_those_beside_it(tmp_path: Path, package: Path) -> None:
    for name in ("bot.yml", "robot.yaml", "bot.yaml.txt", "bots.json"):
        made(tmp_path / name)
    with pytest.raises(OpsError) as caught:
        find(["bt.yml"], tmp_path, package)
    assert caught.value.hint == "Did you mean `bot.yml`? Name an existing file with -f."
