"""A secret is found as everybody writes it, and never shown."""

import base64
import json
from urllib.parse import quote

import pytest

from tradebot_ops.facts.access import leaks

SECRET = 'p/ss"wörd+0815&%'


def found(text: str) -> list[str]:
    forms = {"key": dict(leaks._forms(SECRET))}
    return [leak.how for leak in leaks._found(forms, "api-1 log", text)]


@pytest.mark.parametrize(
    ("text", "how"),
    [
        (f"password={SECRET} refused", "plain"),
        (f"redis://:{quote(SECRET, safe='')}@redis:6379", "URL"),
        (json.dumps({"url": f"x{SECRET}"}), "JSON"),
        *(
            (encode(f"{user}:{SECRET}{tail}".encode()).decode(), "base64")
            for user in ("a", "ab", "abc")
            for tail in ("", "!")
            for encode in (base64.b64encode, base64.urlsafe_b64encode)
        ),
    ],
)
def test_each_form_is_found(text: str, how: str) -> None:
    assert found(text) == [how]


def test_another_text_is_no_leak() -> None:
    assert found("password=[REDACTED] refused " + base64.b64encode(b"tradebot:something else").decode()) == []


def test_it_is_counted_and_its_value_is_not_kept() -> None:
    forms = {"key": dict(leaks._forms("Zq3-x_8LkP0vR7tY"))}
    (leak,) = leaks._found(forms, "api-1 log", "Zq3-x_8LkP0vR7tY\nZq3-x_8LkP0vR7tY")
    assert (leak.secret, leak.place, leak.how, leak.count) == ("key", "api-1 log", "plain", 2)
    assert "Zq3" not in repr(leak)
