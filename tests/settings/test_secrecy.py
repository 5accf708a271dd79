"""What becomes of a text with secrets in it: exactly what is left, whatever stands around the value."""

import pytest

from tradebot_ops.settings.secrecy import names_secret, without_secrets

GONE = "[REDACTED]"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("PASSWORD=x", f"PASSWORD={GONE}"),
        ("password = x and more", f"password = {GONE} and more"),
        ('{"password": "a b", "user": "ana"}', f'{{"password": "{GONE}", "user": "ana"}}'),
        ("{'token': 'a b', 'user': 'ana'}", f"{{'token': '{GONE}', 'user': 'ana'}}"),
        ('{\\"token\\": \\"a b\\", \\"user\\": 1}', f'{{\\"token\\": \\"{GONE}\\", \\"user\\": 1}}'),
        ('{"secret": "cut', f'{{"secret": "{GONE}"'),
        ("a=1 token=x b=2 token=y c=3", f"a=1 token={GONE} b=2 token={GONE} c=3"),
        ("token=token=x", f"token={GONE}"),
        ("Authorization: Bearer abcdefgh next", f"Authorization: {GONE} next"),
        ("\u0130 password=x and secret: y", f"\u0130 password={GONE} and secret: {GONE}"),
        (f"password={GONE} more", f"password={GONE} more"),
        (f"password={GONE}{GONE}", f"password={GONE}{GONE}"),
        (f'"password": "a {GONE}"', f'"password": "{GONE}"'),
        ("password_file=/run/x token_count: 3", "password_file=/run/x token_count: 3"),
        ("password: null, secret: false, token: {", "password: null, secret: false, token: {"),
        ("redis://:x@redis:6379", f"redis://:{GONE}@redis:6379"),
        ("see bearer abcdefgh", f"see bearer {GONE}"),
        ("nothing of the kind = here", "nothing of the kind = here"),
        ("", ""),
    ],
)
def test_what_is_left(text: str, left: str) -> None:
    assert without_secrets(text) == left


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        ("POSTGRES_PASSWORD", True),
        ("db-passwd", True),
        ("apiKey", True),
        ("SMTP_PASSWORD_FILE", False),
        ("token_total", False),
        ("secrets_dir", False),
        ("LOG_LEVEL", False),
    ],
)
def test_a_name_of_a_secret(name: str, secret: bool) -> None:
    assert names_secret(name) is secret
