"""What is said of settings as somebody wrote them."""

import pytest

from tradebot_ops.facts.access.env_files import Kept, SettingsFile
from tradebot_ops.facts.project.settings import Placeholders, Settings, Written
from tradebot_ops.model import Level
from tradebot_ops.prodcheck.stages.configuration import settings

PASS, WARN, FAIL = Level.PASS, Level.WARN, Level.FAIL


@pytest.mark.parametrize(
    ("found", "level"),
    [
        (Settings((Written("LOG_LEVEL", ".env"),)), PASS),
        (Settings((Written("LOG_LEVL", ".env", unknown=True, meant="Did you mean `LOG_LEVEL`?"),)), WARN),
        (Settings((Written("LOG_LEVEL", ".env", problem="'x' is not one of debug"),)), FAIL),
        (Settings((), missing=("IMAGE",)), FAIL),
        (Settings((), secrets=("api_key",)), FAIL),
    ],
)
def test_complete(found: Settings, level: Level) -> None:
    assert settings.complete(found).level is level


def test_the_name_that_was_meant_is_asked_for() -> None:
    found = Settings((Written("LOG_LEVL", ".env", unknown=True, meant="Did you mean `LOG_LEVEL`?"),))
    verdict = settings.complete(found)
    assert "Did you mean `LOG_LEVEL`?" in verdict.hint
    assert verdict.anchor == ".env"


def test_placeholders() -> None:
    assert settings.filled_in(Placeholders((), 12)).level is PASS
    assert settings.filled_in(Placeholders(("secret api_key",), 12)).level is FAIL


@pytest.mark.parametrize(
    ("mode", "tracked", "ignored", "ours", "level"),
    [
        (0o600, False, True, True, PASS),
        (0o400, False, True, True, PASS),
        (0o640, False, True, True, WARN),
        (0o600, False, True, False, WARN),
        (0o600, False, False, True, WARN),
        (0o644, False, True, True, FAIL),
        (0o600, True, True, True, FAIL),
    ],
)
def test_files(mode: int, tracked: bool, ignored: bool, ours: bool, level: Level) -> None:
    file = SettingsFile(".env", mode, ours, "mallory", tracked, ignored, in_repository=True)
    assert settings.private(Kept((file,), "/here")).level is level


def test_outside_a_repository_nothing_needs_to_be_ignored() -> None:
    assert settings.private(Kept((SettingsFile(".env", 0o600, ours=True),), "/here")).level is PASS


@pytest.mark.parametrize(("mode", "level"), [(0o700, PASS), (0o750, FAIL), (0o755, FAIL)])
def test_the_folder_of_secrets(mode: int, level: Level) -> None:
    assert settings.private(Kept((), "/here", "/state/secrets", mode)).level is level


def test_where_nothing_is_kept_nothing_is_open() -> None:
    assert settings.private(Kept((), "/here")).level is PASS
