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


@pytest.mark.parametrize(
    "shape",
    [
        "https://hooks.slack.com/services/T0/B0/x",
        "https://discord.com/api/webhooks/1/x",
        "https://discordapp.com/api/webhooks/1/x",
        f"$2b$12${53 * 'a'}",
        "SCRAM-SHA-256$4096:salt$key:key",
        f"AKIA{16 * 'A'}",
        f"ASIA{16 * '0'}",
        *(f"{start}{16 * 'a'}" for start in ("ghp_", "gho_", "github_pat_", "glpat-", "xoxb-", "sk_live_", "sk-test-")),
        *(f"{start}{16 * 'a'}" for start in ("AIza", "npm_", "pypi-")),
        f"#{64 * 'a'}",
        f"eyJ{8 * 'a'}.{4 * 'b'}.c",
        "-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY-----",
    ],
)
def test_what_has_the_shape_of_one_is_gone_whatever_it_is_called(shape: str) -> None:
    assert without_secrets(f"see {shape} there") == f"see {GONE} there"


@pytest.mark.parametrize(
    "word",
    [
        "password", "passwd", "pwd", "secret", "token", "api_key", "apikey", "access-key", "private_key", "routing-key",
        "authorization", "cookie", "credential", "webhook", "dsn", "session_id", "encryption_key", "signing-key",
        "passphrase",
    ],
)  # fmt: skip
def test_every_name_of_a_secret_is_known_in_either_case(word: str) -> None:
    for name in (word, word.upper(), f"MY_{word}_2"):
        assert without_secrets(f"{name}=x") == f"{name}={GONE}"
        assert names_secret(name)


@pytest.mark.parametrize(
    "ending", ["file", "path", "folder", "dir", "count", "total", "limit", "ttl", "seconds", "age", "user", "users"]
)
def test_what_is_about_a_secret_is_none(ending: str) -> None:
    assert without_secrets(f"token_{ending}=x") == f"token_{ending}=x"
    assert not names_secret(f"TOKEN-{ending}".upper())


#: One of each shape that is known, put together here so that nobody takes this file for a leak.
SHAPES = {
    "private key": "-----BEGIN EC PRIVATE " + "KEY-----\nMHcCAQEE\n-----END EC PRIVATE " + "KEY-----",
    "bearer": "Bearer " + "abcdefgh",
    "basic": "Basic " + "YW5hOmFuYQ==",
    "JSON web token": "ey" + "JhbGciOiJI.eyJzdWIiOiIx.c2lnbmF0dXJl",
    "Slack's hook": "https://hooks.sl" + "ack.com/services/T0/B0/x",
    "Discord's hook": "https://disc" + "ord.com/api/webhooks/1/x",
    "Discord's old hook": "https://disc" + "ordapp.com/api/webhooks/1/x",
    "bcrypt": "$2" + "b$12$" + "a" * 53,
    "SCRAM": "SCRAM-SHA" + "-256$4096:c2FsdA==$c3RvcmVk:c2VydmVy",
    "Amazon's key": "AK" + "IA" + "ABCDEFGHIJKLMNOP",
    "Amazon's short key": "AS" + "IA" + "ABCDEFGHIJKLMNOP",
    "GitHub's": "gh" + "p_" + "a" * 36,
    "GitHub's other": "github" + "_pat_" + "a" * 36,
    "GitLab's": "gl" + "pat-" + "a" * 20,
    "Slack's": "xo" + "xb-" + "1" * 20,
    "Stripe's": "sk" + "_live_" + "a" * 24,
    "Google's": "AI" + "za" + "a" * 35,
    "npm's": "np" + "m_" + "a" * 36,
    "PyPI's": "py" + "pi-" + "a" * 40,
    "Redis' hash": "#" + "0123456789abcdef" * 4,
}


@pytest.mark.parametrize("kind", SHAPES)
def test_each_shape_of_a_secret_is_taken_out_wherever_it_stands(kind: str) -> None:
    left = without_secrets(f"it wrote {SHAPES[kind]} and went on")
    assert left.startswith("it wrote ")
    assert left.endswith(f"{GONE} and went on")
    assert SHAPES[kind].split()[-1] not in left
