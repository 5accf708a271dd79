"""What is known never leaves, in no form; what is named or shaped like a secret does not either; the rest stays."""

import base64
import json
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.paths import ROOT
from tradebot_ops.context import Ops
from tradebot_ops.diagnostics.redaction import Redactor, forms, of_project
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.errors import OpsError
from tradebot_ops.settings import load_settings

SECRETS = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zs")), min_size=8, max_size=40).filter(
    lambda text: len(set(text)) > 4 and "REDACTED" not in text
)
AROUND = st.text("abc xyz:=,\"'{}\\/\n", max_size=20)
ENCODE: dict[str, Callable[[str], str]] = {
    "plain": str,
    "url": lambda value: quote(value, safe=""),
    "url path": quote,
    "form": quote_plus,
    "json": json.dumps,
    "json in json": lambda value: json.dumps(json.dumps({"a": value})),
    "json in unicode": lambda value: json.dumps(value, ensure_ascii=False),
    "hex": lambda value: value.encode().hex(),
    "base64": lambda value: base64.b64encode(value.encode()).decode(),
    "base64 of a login": lambda value: base64.b64encode(f"user:{value}".encode()).decode(),
    "base64 within": lambda value: base64.urlsafe_b64encode(f"ab{value}yz".encode()).decode(),
    "repr": repr,
}


@pytest.mark.parametrize("how", ENCODE)
@given(secret=SECRETS, before=AROUND, after=AROUND)
def test_a_known_value_leaves_in_no_form(how: str, secret: str, before: str, after: str) -> None:
    told = ENCODE[how](secret)
    cleaned = Redactor([secret]).clean(before + told + after)
    assert told.strip("\"'") not in cleaned
    assert not any(form in cleaned for form in forms(secret))


@given(st.lists(SECRETS, min_size=2, max_size=4), AROUND)
def test_values_within_values_leave_too(secrets: list[str], around: str) -> None:
    joined = [*secrets, "".join(secrets)]
    cleaned = Redactor(joined).clean(around.join(joined))
    assert not any(secret in cleaned for secret in secrets)


@pytest.mark.parametrize(
    "text",
    [
        "POSTGRES_PASSWORD=hunter22x",
        '{"password": "hunter22x", "user": "ana"}',
        '{"password": "hunter22x\\"hunter22x", "user": "ana"}',
        '{\\"password\\": \\"hunter22x\\\\\\"hunter22x\\", \\"user\\": \\"ana\\"}',
        '{"password": "hunter22x and then it was cut',
        "PASSWORD=a,hunter22x;hunter22x",
        "PASSWORD=a\"hunter22x'hunter22x",
        '{\\"api_key\\": \\"hunter22x\\"}',
        "api-key: hunter22x",
        "Authorization: Bearer hunter22x",
        "curl -H 'X-API-Key: hunter22x'",
        "redis://:hunter22x@redis:6379/0",
        "postgresql://ana:hunter22x@db/x?sslmode=disable",
        "Cookie: session=hunter22x",
        "smtp_auth_password: 'hunter22x'",
        "slack_webhook_url=https://example.com/hunter22x",
        "https://hooks.slack.com/services/T0/B0/hunter22x",
        "token=eyJhbGciOiJIUzI1NiJ9.hunter22x.sig",
        "see eyJhbGciOiJIUzI1NiJ9.hunter22x.sig",
        "-----BEGIN RSA PRIVATE KEY-----\nhunter22x\n-----END RSA PRIVATE KEY-----",
        "-----BEGIN PRIVATE KEY-----\nhunter22x and then it was cut",
        "ghp_hunter22xhunter22xhunter22x",
        "xoxb-hunter22x-hunter22x",
    ],
)
def test_what_is_named_or_shaped_like_a_secret_leaves(text: str) -> None:
    cleaned = Redactor([]).clean(text)
    assert "hunter22x" not in cleaned
    assert "[REDACTED]" in cleaned


@pytest.mark.parametrize(
    "text",
    [
        "DATABASE_PASSWORD_FILE=/run/secrets/postgres_password",
        "postgresql://tradebot@postgres:5432/tradebot",
        "password_encryption: scram-sha-256",
        '{"event": "job finished", "job_id": "0f8fad5b-d9cb-469f-a165-70867728950e", "seconds": 1.2}',
        "tokens_total 12",
        "http://127.0.0.1:8010/health",
    ],
)
def test_what_helps_stays(text: str) -> None:
    assert Redactor(["something-else"]).clean(text) == text


def test_a_document_loses_values_by_name_and_keeps_its_shape() -> None:
    found = Redactor([]).document(
        {"api_key": "x", "nested": [{"Authorization": "y", "port": 1}], "password": "", "token": None, "tokens": ["a"]}
    )
    assert found == {
        "api_key": "[REDACTED]",
        "nested": [{"Authorization": "[REDACTED]", "port": 1}],
        "password": "",
        "token": None,
        "tokens": ["[REDACTED]"],
    }


NAMES = st.sampled_from(["api_key", "ALERT_WEBHOOK", "token", "x", "password"]) | st.text(max_size=5)
DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=12) | NAMES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
)


@given(DOCUMENTS, st.sampled_from([None, 1]))
def test_json_stays_json(document: object, indent: int | None) -> None:
    redactor = Redactor(["a-known-value"])
    text = json.dumps(redactor.document(document), indent=indent)
    json.loads(redactor.clean(text))


@given(st.text(max_size=300))
def test_cleaning_twice_changes_no_more(text: str) -> None:
    redactor = Redactor(["a-known-value"])
    once = redactor.clean(text)
    assume("[REDACTED]" not in text)
    assert "a-known-value" not in redactor.clean(once)


def test_a_megabyte_does_not_take_long() -> None:
    redactor = Redactor([f"secret-value-{number}-abcdefgh" for number in range(30)])
    for text in (
        "x" * 10**6,
        "password" * 10**5,
        '"' * 10**6,
        "a:b@" * 10**5,
        "eyJ" * 10**5,
        "token=" * 10**5,
        "\\" * 10**6,
        "a." * 10**5,
        'token=\\"' * 10**5,
        "-eyJ" * 10**5,
        "password   " * 10**5,
    ):
        began = time.process_time()
        redactor.clean(text)
        assert time.process_time() - began < 3, text[:9]


def project(folder: Path, **environ: str) -> Ops:
    settings = load_settings({"project": "demo"}, {"TRADEBOT_STATE": str(folder / "state"), **environ}, ROOT)
    return Ops(settings, StubEngine("demo"))


def test_a_project_knows_its_files_and_what_is_set_under_such_a_name(tmp_path: Path) -> None:
    ops = project(tmp_path, AWS_SECRET_ACCESS_KEY="from-the-environment", PLAIN_SETTING="stays-as-it-is")
    ops.state.write("secrets/postgres_password", "of-a-declared-file\n")
    ops.state.write("secrets/slack_webhook_url", "https://chat.example/of-a-channel\n")
    ops.state.write("secrets/redis_acl", "user default on #0123456789abcdef0123456789 ~*\n")
    cleaned = of_project(ops).clean(
        "from-the-environment stays-as-it-is of-a-declared-file https://chat.example/of-a-channel "
        "on #0123456789abcdef0123456789"
    )
    assert cleaned == "[REDACTED] stays-as-it-is [REDACTED] [REDACTED] on [REDACTED]"


def test_a_secret_that_cannot_be_read_ends_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ops = project(tmp_path)
    path = ops.state.write("secrets/api_key", "x" * 30)
    of_project(ops)
    original = Path.read_bytes

    def refuse(self: Path) -> bytes:
        if self == path:
            raise PermissionError(13, "Permission denied")
        return original(self)

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(OpsError) as raised:
        of_project(ops)
    assert raised.value.code == "TB-0805"
