"""Basic authentication of the API where it asks other services."""

from collections.abc import Generator

import httpx
from pydantic import SecretStr


class Login(httpx.Auth):
    """A user with a password; httpx's own keeps both as base64."""

    def __init__(self, user: str, password: SecretStr) -> None:
        self._user, self._password = user, password

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        yield from httpx.BasicAuth(self._user, self._password.get_secret_value()).auth_flow(request)


def login(user: str, password: SecretStr | None) -> Login | None:
    """None without a password: the service asks for none."""
    return None if password is None else Login(user, password)
