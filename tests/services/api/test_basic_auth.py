"""A login is sent, and kept in no form that a log could show."""

import base64

import httpx
from pydantic import SecretStr

from services.api.basic_auth import login


def test_user_and_password_go_into_the_header_and_nowhere_else() -> None:
    auth = login("tradebot", SecretStr("hush"))
    assert auth is not None
    request = next(auth.auth_flow(httpx.Request("GET", "http://prometheus")))
    assert request.headers["authorization"] == f"Basic {base64.b64encode(b'tradebot:hush').decode()}"
    kept = str(vars(auth))
    assert "hush" not in kept
    assert base64.b64encode(b"tradebot:hush").decode() not in kept


def test_without_a_password_there_is_no_login() -> None:
    assert login("tradebot", None) is None
