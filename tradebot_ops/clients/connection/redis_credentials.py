"""The login of a client of Redis."""

from redis.credentials import CredentialProvider

from tradebot_ops.settings import Secret


class Credentials(CredentialProvider):
    """Asked at each connect, so that no pool keeps a readable password, which older versions also print."""

    def __init__(self, password: Secret, user: str | None) -> None:
        self._password, self._user = password, user

    def get_credentials(self) -> tuple[str] | tuple[str, str]:
        return (self._user, self._password.reveal()) if self._user else (self._password.reveal(),)
