"""Who gives commands: behind sudo and in containers, too."""

import pytest

from tradebot_ops.settings import who


@pytest.mark.parametrize(
    ("environ", "name"),
    [
        ({"USER": "ana"}, "ana"),
        ({"USER": "root", "LOGNAME": "root", "SUDO_USER": "ana"}, "ana"),
        ({"USER": "", "LOGNAME": "bo"}, "bo"),
    ],
)
def test_the_user_by_the_environment(environ: dict[str, str], name: str) -> None:
    assert who.user(environ) == name
    assert who.actor(environ).startswith(f"{name}@")
    assert not who.actor(environ).endswith("@")


def test_a_user_without_a_name_is_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.getuid", lambda: 98_765)
    assert who.user({}) == "98765"
