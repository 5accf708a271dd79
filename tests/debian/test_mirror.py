"""Where Debian packages come from: what was chosen, else what the machine itself uses."""

import pytest

from tradebot_ops.debian import mirror
from tradebot_ops.debian.mirror import Mirror, find_mirror
from tradebot_ops.errors import OpsError


def test_a_chosen_mirror_outranks_the_machines_own() -> None:
    found = find_mirror({"TRADEBOT_DEBIAN_MIRROR": "http://mirror.example/debian/"})
    assert found == Mirror("http://mirror.example/debian")
    assert found.sources("trixie") == (
        "deb http://mirror.example/debian trixie main\ndeb http://mirror.example/debian trixie-updates main\n"
    )


def test_the_machines_mirrors_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    sites = [("http://a/debian", "bookworm-updates"), ("http://s/sec", "bookworm-security"), ("http://b/d", "bookworm")]
    monkeypatch.setattr(mirror, "_apt_sites", lambda: iter(sites))
    assert find_mirror({}) == Mirror("http://b/d", "http://s/sec")
    monkeypatch.setattr(mirror, "_apt_sites", lambda: iter(()))
    with pytest.raises(OpsError, match="names no Debian mirror") as caught:
        find_mirror({})
    assert "TRADEBOT_DEBIAN_MIRROR" in caught.value.hint
