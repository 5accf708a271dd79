"""In which order breakers are listed. Their states are decided in Redis: tests/integration/services/test_breaker.py."""

from typing import Any, cast

from services.common.breaker import INDEX, PREFIX, Breakers

NAMES = ["b", "c", "a", "exchange-binance", "d"]


class Redis:
    """Has breakers that saw a failure each, in no order."""

    def register_script(self, text: str) -> str:
        return text

    def smembers(self, key: str) -> list[bytes]:
        assert key == INDEX
        return [name.encode() for name in NAMES]

    def hgetall(self, key: str) -> dict[bytes, bytes]:
        name = key.removeprefix(PREFIX)
        return {b"failures": b"1", b"error": f"of {name}".encode()}


def test_breakers_are_listed_by_name_each_with_what_is_known_of_it() -> None:
    found = Breakers(cast("Any", Redis())).all()
    assert [(each.name, each.error, each.failures, each.open) for each in found] == [
        (name, f"of {name}", 1, False) for name in sorted(NAMES)
    ]
