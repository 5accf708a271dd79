"""Doors that this host shows, at every level."""

import pytest

from tradebot_ops.facts.access.ports import Door, Seen, Shown
from tradebot_ops.facts.fact import Skip
from tradebot_ops.model import Level
from tradebot_ops.prodcheck.stages.security.ports import bound, locked

LAN = "192.0.2.7"


def port(service: str, address: str = "127.0.0.1", reached: tuple[str, ...] = (), *, published: bool = True) -> Shown:
    return Shown(service, f"{service}-1", 1, address, 1, published, reached)


@pytest.mark.parametrize(
    ("shown", "level", "observed"),
    [
        (port("api"), Level.PASS, "1 port"),
        (port("redis", published=False), Level.PASS, "1 port"),
        (port("worker", "::1"), Level.PASS, "1 port"),
        (port("redis"), Level.WARN, "redis-1 on 127.0.0.1:1"),
        (port("grafana", "0.0.0.0"), Level.WARN, "grafana-1 on 0.0.0.0:1"),
        (port("api", reached=(LAN,)), Level.WARN, f"reached through {LAN}"),
        (port("worker", "0.0.0.0"), Level.FAIL, "worker-1 on 0.0.0.0:1"),
        (port("postgres", "::"), Level.FAIL, "postgres-1 on :::1"),
        (port("redis", reached=(LAN,), published=False), Level.FAIL, f"reached through {LAN}"),
    ],
)
def test_ports(shown: Shown, level: Level, observed: str) -> None:
    verdict = bound(Seen((shown,), (LAN,)))
    assert verdict.level is level
    assert observed in verdict.observed


def test_it_says_from_where_it_tried() -> None:
    assert f"tried from {LAN}" in bound(Seen((port("api"),), (LAN,))).evidence
    assert "not tried" in bound(Seen((port("api"),), ())).evidence
    assert bound(Seen((), (LAN,))).skip is Skip.PREREQUISITE


@pytest.mark.parametrize(
    ("status", "beyond", "level"),
    [
        (401, True, Level.PASS),
        (403, False, Level.PASS),
        (200, False, Level.WARN),
        (200, True, Level.FAIL),
        (500, True, Level.FAIL),
    ],
)
def test_doors(status: int, beyond: bool, level: Level) -> None:
    verdict = locked((Door("prometheus", "http://127.0.0.1:9090/x", status, beyond),))
    assert verdict.level is level
    assert f"prometheus: HTTP {status}" in verdict.observed
