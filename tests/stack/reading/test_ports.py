"""Published ports in each spelling, who chose them, and what is said of one that is none."""

import pytest

from tests.stack.reading.kit import Told, read
from tradebot_ops.stack.model import Port
from tradebot_ops.stack.reading.document import Item
from tradebot_ops.stack.reading.ports import read_ports

HINT = 'Write "127.0.0.1:8010:8010": address, port outside, port inside.'


def ports(text: str) -> tuple[tuple[Port, ...], list[Told]]:
    return read(f"it: [{text}]\n", lambda reader, item: read_ports(reader, item, frozenset()))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("80", Port(80, 0, "0.0.0.0")),
        ("'8010:80'", Port(80, 8010, "0.0.0.0", explicit=True)),
        ("':80'", Port(80, 0, "0.0.0.0")),
        ("'127.0.0.1:8010:80/tcp'", Port(80, 8010, "127.0.0.1", explicit=True)),
        ("'127.0.0.1::80'", Port(80, 0, "127.0.0.1")),
        ("'[::1]:8010:80'", Port(80, 8010, "::1", explicit=True)),
        ("'9091-9190:91'", Port(91, 9091, "0.0.0.0", explicit=True)),
        ("'65535:65535'", Port(65535, 65535, "0.0.0.0", explicit=True)),
        ("'0:80'", Port(80, 0, "0.0.0.0")),
        ("{target: 80}", Port(80, 0, "0.0.0.0")),
        ("{target: 80, published: 8010}", Port(80, 8010, "0.0.0.0", explicit=True)),
        ("{target: 80, published: '9091-9190', protocol: tcp}", Port(80, 9091, "0.0.0.0", explicit=True)),
        ("{target: 80, published: 8010, host_ip: '::1'}", Port(80, 8010, "::1", explicit=True)),
        ("{target: 80, host_ip: 127.0.0.1}", Port(80, 0, "127.0.0.1")),
    ],
)
def test_a_port(text: str, expected: Port) -> None:
    assert ports(text) == ((expected,), [])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a", "is 'a', which is no port"),
        ("'80:x'", "is '80:x', which is no port"),
        ("'1:2:80'", "is '1:2:80', which is no port"),
        ("'80/udp'", "publishes udp; only tcp is supported"),
        ("{target: 80, protocol: udp}", "publishes udp; only tcp is supported"),
        ("0", "names a port outside 1-65535"),
        ("'80:0'", "names a port outside 1-65535"),
        ("65536", "names a port outside 1-65535"),
        ("'65536:80'", "names a port outside 1-65535"),
        ("'80-65536:80'", "names a port outside 1-65535"),
        ("{published: 80}", "has no usable port: target '', published '80'"),
        ("{target: a}", "has no usable port: target 'a', published ''"),
        ("{target: 80, published: a}", "has no usable port: target '80', published 'a'"),
    ],
)
def test_what_is_no_port_is_said_in_full_and_left_out(text: str, message: str) -> None:
    found, told = ports(f"{text}, 81")
    assert (found, told) == ((Port(81, 0, "0.0.0.0"),), [("TB-0819", "1: it[0]", message, HINT)])


def test_a_key_of_a_port_that_nothing_reads() -> None:
    said = "Supported here: host_ip, protocol, published, target."
    assert ports("{target: 80, mode: host}")[1] == [
        ("TB-0813", "1: it[0].mode", "is a key tradebot does not read", said)
    ]


@pytest.mark.parametrize("text", ["'8010:80'", "{target: 80, published: 8010}"])
@pytest.mark.parametrize(
    ("variables", "chosen", "explicit"),
    [
        ((), (), True),
        (("P",), (), False),
        (("P",), ("P",), True),
        (("A", "P"), ("P", "X"), True),
        (("P",), ("X",), False),
    ],
)
def test_who_chose_it(text: str, variables: tuple[str, ...], chosen: tuple[str, ...], explicit: bool) -> None:
    def named(item: Item) -> Item:
        """With these variables in the port outside."""
        assert isinstance(item.value, list)
        (entry,) = item.value
        inside = entry.value["published"] if isinstance(entry.value, dict) else entry
        inside.variables = frozenset(variables)
        return item

    found, _ = read(f"it: [{text}]\n", lambda reader, item: read_ports(reader, named(item), frozenset(chosen)))
    assert found == (Port(80, 8010, "0.0.0.0", explicit=explicit),)
