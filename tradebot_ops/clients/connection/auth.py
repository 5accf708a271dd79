"""Puts a secret into each request while it is sent, so that no client holds a readable one in between."""

from collections.abc import Generator

import httpx

from tradebot_ops.clients.rest import Login
from tradebot_ops.settings import Secret

Flow = Generator[httpx.Request, httpx.Response, None]


class KeyAuth(httpx.Auth):
    """A secret in a header of its own; among a client's headers, ``repr`` would show it."""

    def __init__(self, header: str, key: Secret) -> None:
        self._header, self._key = header, key

    def auth_flow(self, request: httpx.Request) -> Flow:
        request.headers[self._header] = self._key.reveal()
        yield request


class LoginAuth(httpx.Auth):
    """Basic authentication; httpx's own keeps user and password as base64."""

    def __init__(self, login: Login) -> None:
        self._login = login

    def auth_flow(self, request: httpx.Request) -> Flow:
        yield from httpx.BasicAuth(self._login.user, self._login.password.reveal()).auth_flow(request)
