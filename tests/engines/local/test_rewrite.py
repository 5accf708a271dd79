"""Rewriting addresses and paths for this host: exactly the described forms, each once, nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradebot_ops.engines.local.rewrite import Places, localise, own_ports, referred_ports

PLACES = Places(
    services={
        ("redis", 6379): "127.0.0.1:16379",
        ("redis-exporter", 9121): "127.0.0.1:19121",
        ("postgres", 5432): "127.0.0.1:15432",
    },
    own={8010: "127.0.0.1:18010"},
    paths={"/data": "/home/jü x/data", "/data/deep": "/deep", "/run/secrets/pw": "/s/pw", "/host": "/"},
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("redis://redis:6379/0", "redis://127.0.0.1:16379/0"),
        ("postgresql://bot@postgres:5432/bot", "postgresql://bot@127.0.0.1:15432/bot"),
        ("redis:6379,postgres:5432", "127.0.0.1:16379,127.0.0.1:15432"),
        ("http://redis-exporter:9121/metrics", "http://127.0.0.1:19121/metrics"),
        ("--web.listen-address=0.0.0.0:8010", "--web.listen-address=127.0.0.1:18010"),
        ("/run/secrets/pw", "/s/pw"),
        ("--dir=/data/x", "--dir=/home/jü x/data/x"),
        ("/data/deep/x:/data", "/deep/x:/home/jü x/data"),
        ("--path.procfs=/host/proc", "--path.procfs=/proc"),
        ("--path.rootfs=/host", "--path.rootfs=/"),
    ],
)
def test_tokens_are_rewritten(text: str, expected: str) -> None:
    assert localise(text, PLACES) == expected


@pytest.mark.parametrize(
    "text",
    [
        "redis:8.0-bookworm",
        "redis:63790",
        "my-redis:6379",
        "redis.example.org:6379",
        "redis-exporter:6379",
        "redis://localhost",
        "0.0.0.0:8011",
        "10.0.0.0:8010",
        "/database",
        "/data.old",
        "/run/secrets/pw2",
        "/var/data",
        "/hostile",
        "",
    ],
)
def test_what_only_looks_like_a_token_stays(text: str) -> None:
    assert localise(text, PLACES) == text


def test_a_rewritten_path_is_not_rewritten_again() -> None:
    places = Places(paths={"/tmp": "/data/tmp", "/data": "/elsewhere"})
    assert localise("/tmp/x", places) == "/data/tmp/x"


def test_without_places_nothing_changes() -> None:
    assert localise("redis:6379 0.0.0.0:1 /data", Places()) == "redis:6379 0.0.0.0:1 /data"


@given(st.text())
def test_text_without_tokens_is_never_changed(text: str) -> None:
    if not any(word in text for word in ("redis", "postgres", "0.0.0.0", "/data", "/run", "/host")):
        assert localise(text, PLACES) == text


@given(st.lists(st.sampled_from(["redis:6379", "postgres:5432", "0.0.0.0:8010", "/run/secrets/pw", "x", "=", "1"])))
def test_every_token_between_blanks_is_rewritten_exactly_once(words: list[str]) -> None:
    known = {
        "redis:6379": "127.0.0.1:16379",
        "postgres:5432": "127.0.0.1:15432",
        "0.0.0.0:8010": "127.0.0.1:18010",
        "/run/secrets/pw": "/s/pw",
    }
    assert localise(" ".join(words), PLACES).split() == [known.get(word, word) for word in words]


def test_ports_are_found_where_they_are_named() -> None:
    texts = ["redis://redis:6379/0", "redis:8.0-x", "0.0.0.0:8010", "a@postgres:5432"]
    assert referred_ports(texts, ("redis", "postgres")) == {("redis", 6379), ("postgres", 5432)}
    assert referred_ports(texts, ()) == frozenset()
    assert own_ports(texts) == {8010}
