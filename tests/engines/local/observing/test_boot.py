"""A unit counts once something that starts with the host wants it."""

from pathlib import Path

import pytest

from tradebot_ops.engines.local.observing.boot import Places, starts_at_boot

UNIT = "[Service]\nExecStart=/usr/bin/tradebot -p demo up\n"


@pytest.fixture
def where(tmp_path: Path) -> Places:
    made = Places(tmp_path / "system", tmp_path / "user", tmp_path / "ana")
    made.system.mkdir()
    made.user.mkdir()
    return made


def put(folder: Path, text: str = UNIT, *, enabled: bool = True) -> Path:
    path = folder / "bot.service"
    path.write_text(text)
    if enabled:
        wants = folder / "default.target.wants"
        wants.mkdir()
        (wants / path.name).symlink_to(path)
    return path


def test_nothing_is_there(where: Places) -> None:
    starts, evidence = starts_at_boot("demo", where)
    assert not starts
    assert evidence == f"no unit that runs `tradebot up` for demo in {where.system} or {where.user}"


def test_folders_that_do_not_exist(tmp_path: Path) -> None:
    assert not starts_at_boot("demo", Places(tmp_path / "a", tmp_path / "b", tmp_path / "c"))[0]


def test_a_system_unit(where: Places) -> None:
    assert starts_at_boot("demo", where)[0] is False
    path = put(where.system)
    assert starts_at_boot("demo", where) == (True, str(path))


def test_one_that_nothing_wants(where: Places) -> None:
    path = put(where.system, enabled=False)
    assert starts_at_boot("demo", where) == (False, f"{path} is not enabled")


def test_a_users_unit_waits_for_a_login_unless_the_user_lingers(where: Places) -> None:
    path = put(where.user)
    assert starts_at_boot("demo", where) == (False, f"{path} waits until ana logs in: no lingering")
    where.linger.touch()
    assert starts_at_boot("demo", where) == (True, str(path))


@pytest.mark.parametrize(
    "text",
    [
        UNIT.replace("demo", "demo2"),
        UNIT.replace("demo", "my-demo"),
        UNIT.replace(" up", " down"),
        UNIT.replace("tradebot", "other"),
        "[Service]\nExecStop=/usr/bin/tradebot -p demo up\n",
    ],
)
def test_another_one(text: str, where: Places) -> None:
    put(where.system, text)
    assert not starts_at_boot("demo", where)[0]
