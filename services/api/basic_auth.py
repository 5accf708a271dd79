"""Basic authentication of the API where it asks other services."""

from collections.abc import Generator

import httpx
from pydantic import SecretStr

from services.api.live_secret import LiveSecret


class Login(httpx.Auth):
    """A user with a password, which may be another one at the next request; httpx's own keeps both as base64."""

    def __init__(self, user: str, password: SecretStr | LiveSecret) -> None:
        self._user, self._password = user, password

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        known = self._password.get() if isinstance(self._password, LiveSecret) else self._password
        yield from httpx.BasicAuth(self._user, known.get_secret_value()).auth_flow(request)


def login(user: str, password: SecretStr | LiveSecret | None) -> Login | None:
    """None without a password: the service asks for none."""
    return None if password is None else Login(user, password)
