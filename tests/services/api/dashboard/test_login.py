"""Sessions that cannot be forged, and logins that cannot be tried in bulk."""

import time
from dataclasses import dataclass

import pytest
from pydantic import SecretStr

from services.api.dashboard.login import SESSION_S, TRIES, TRIES_WITHIN_S, Sessions, Tries

SESSIONS = Sessions(SecretStr("a-generated-password"))


def test_an_issued_cookie_is_valid() -> None:
    assert SESSIONS.valid(SESSIONS.issue())


@pytest.mark.parametrize("cookie", [None, "", "dashboard", "dashboard.x.y", "é", "." * 5000])
def test_no_other_is(cookie: str | None) -> None:
    assert not SESSIONS.valid(cookie)


def test_a_cookie_cut_or_changed_is_refused() -> None:
    cookie = SESSIONS.issue()
    assert not SESSIONS.valid(cookie[:-1])
    assert not SESSIONS.valid("x" + cookie)


def test_another_password_ends_the_session() -> None:
    assert not Sessions(SecretStr("the-next-password")).valid(SESSIONS.issue())


def test_a_session_ends_after_half_a_day(monkeypatch: pytest.MonkeyPatch) -> None:
    cookie, now = SESSIONS.issue(), time.time()
    monkeypatch.setattr(time, "time", lambda: now + SESSION_S + 2)
    assert not SESSIONS.valid(cookie)


@dataclass
class Clock:
    now: float = 100.0

    def __call__(self) -> float:
        return self.now


def test_an_address_waits_after_too_many_tries() -> None:
    clock = Clock()
    tries = Tries(clock)
    for _ in range(TRIES):
        assert tries.wait_s("1.1.1.1") == 0
        tries.failed("1.1.1.1")
    assert tries.wait_s("1.1.1.1") == TRIES_WITHIN_S
    assert tries.wait_s("2.2.2.2") == 0
    clock.now += TRIES_WITHIN_S
    assert tries.wait_s("1.1.1.1") == 0


def test_tries_long_apart_never_wait_and_a_success_forgets_them() -> None:
    clock = Clock()
    tries = Tries(clock)
    for _ in range(3 * TRIES):
        tries.failed("slow")
        clock.now += TRIES_WITHIN_S / TRIES
        assert tries.wait_s("slow") == 0
    for _ in range(TRIES):
        tries.failed("1.1.1.1")
    tries.passed("1.1.1.1")
    assert tries.wait_s("1.1.1.1") == 0


def test_addresses_are_kept_within_bounds() -> None:
    tries = Tries(Clock())
    for number in range(5000):
        tries.failed(f"address {number}")
    assert len(tries._failed) == 1000


def test_whoever_tries_now_waits_however_many_others_have_tried_before() -> None:
    tries = Tries(Clock())
    for number in range(2000):
        tries.failed(f"10.0.{number // 256}.{number % 256}")
    for _ in range(TRIES):
        tries.failed("1.1.1.1")
    assert tries.wait_s("1.1.1.1") > 0
