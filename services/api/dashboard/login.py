"""Who may look: a signed cookie for people, after a login that cannot be guessed in bulk."""

import time
from collections import OrderedDict, deque
from collections.abc import Callable
from hashlib import sha256

from fastapi import Request
from itsdangerous import BadSignature, TimestampSigner
from pydantic import SecretStr

SESSION_S = 12 * 3600
TRIES = 5
TRIES_WITHIN_S = 60.0
_ADDRESSES = 1000
_LOOKER = "dashboard"


class Sessions:
    """Cookies signed with a key made from the password: a new password ends every session."""

    def __init__(self, password: SecretStr) -> None:
        key = password.get_secret_value()
        self._signer = TimestampSigner(key, salt="tradebot.dashboard", key_derivation="hmac", digest_method=sha256)

    def issue(self) -> str:
        return self._signer.sign(_LOOKER).decode()

    def valid(self, cookie: str | None) -> bool:
        """False for none, a forged one, and one older than ``SESSION_S`` seconds."""
        if not cookie:
            return False
        try:
            return self._signer.unsign(cookie, max_age=SESSION_S) == _LOOKER.encode()
        except BadSignature:
            return False


class Tries:
    """Failed logins by address: after ``TRIES`` within ``TRIES_WITHIN_S`` seconds, the address waits."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failed: OrderedDict[str, deque[float]] = OrderedDict()

    def wait_s(self, address: str) -> float:
        """Seconds until the address may try again; 0 when it may now."""
        failed = self._failed.get(address, deque())
        if len(failed) < TRIES:
            return 0.0
        return max(0.0, failed[0] + TRIES_WITHIN_S - self._clock())

    def failed(self, address: str) -> None:
        self._failed.setdefault(address, deque(maxlen=TRIES)).append(self._clock())
        self._failed.move_to_end(address)
        if len(self._failed) > _ADDRESSES:
            self._failed.popitem(last=False)

    def passed(self, address: str) -> None:
        self._failed.pop(address, None)


def cookie_name(request: Request) -> str:
    """With the port in it: browsers do not keep apart the cookies of two projects on one host."""
    return f"tradebot_dashboard_{request.url.port or request.url.scheme}"
