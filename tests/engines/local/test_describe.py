"""From the stack's description to a record of this host."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tradebot_ops.engines.local.describe import describe, ports_of, wishes, without_meaning
from tradebot_ops.engines.local.layout import MARK, Layout
from tradebot_ops.engines.local.records import Record
from tradebot_ops.errors import OpsError
from tradebot_ops.stack.model import (
    Host,
    Logging,
    Mount,
    MountKind,
    Port,
    Probe,
    SecretFile,
    SecretMount,
    Service,
    Stack,
)

WORKER = Service(
    name="worker",
    image="app",
    command=("python", "-m", "services.worker"),
    environment={
        "REDIS_URL": "redis://redis:6379/0",
        "PASSWORD_FILE": "/run/secrets/pw",
        "LISTEN": "0.0.0.0:9091",
        "SCRATCH": "/tmp/x",
    },
    ports=(Port(9091, 9091, explicit=True),),
    secrets=(SecretMount("pw", ""),),
    mounts=(Mount(MountKind.TMPFS, "", "/tmp"), Mount(MountKind.BIND, "/etc/app", "/app/config", read_only=True)),
    restart="unless-stopped",
    logging=Logging("json-file", {"max-size": "5m", "max-file": "4"}),
    spec_hash="w",
)
REDIS = Service(name="redis", image="redis", command=("sh", "-c", "true"), probe=Probe("redis", 6379))
STACK = Stack(
    "demo",
    Path("/stack"),
    (),
    {"redis": REDIS, "worker": WORKER},
    secrets={"pw": SecretFile("pw", Path("/secrets/pw"))},
)
PORTS = {"redis-1": {"6379": 16379}, "worker-2": {"9091": 19091}}


def _record(service: Service = WORKER, stack: Stack = STACK, number: int = 2) -> Record:
    layout = Layout(Path("/state/demo"))
    environ = {"HOME": "/home/me", "PATH": "/usr/bin:/bin", "SECRET_OF_MINE": "x", "LANG": "C.UTF-8"}
    return describe(stack, service, number, layout=layout, ports=PORTS, environ=environ).record


def test_addresses_and_paths_are_those_of_this_host() -> None:
    environ = _record().environ
    assert environ["REDIS_URL"] == "redis://127.0.0.1:16379/0"
    assert environ["LISTEN"] == "127.0.0.1:19091"
    assert environ["PASSWORD_FILE"] == "/secrets/pw"
    assert environ["SCRATCH"] == "/state/demo/local/tmp/worker-2/tmp/x"


def test_the_environment_is_the_described_one_and_little_else() -> None:
    environ = _record().environ
    assert "SECRET_OF_MINE" not in environ
    assert environ["HOME"] == "/home/me"
    assert environ["WORKER_NAME"] == environ["HOSTNAME"] == "worker-2"
    assert environ["PYTHONPATH"] == "/stack"
    assert environ[MARK] == "/state/demo/local/worker-2"


def test_python_is_this_interpreter() -> None:
    assert _record().argv == (sys.executable, "-m", "services.worker")


def test_the_record_keeps_ports_references_and_log_limits() -> None:
    record = _record()
    assert (record.ports, record.refers, record.published) == ({"9091": 19091}, {"redis:6379": 16379}, (9091,))
    assert (record.log_size, record.log_files) == (5 << 20, 4)


def test_a_port_published_on_every_address_listens_there_and_is_reached_on_this_host() -> None:
    record = _record(replace(WORKER, ports=(Port(9091, 9091, host_ip="0.0.0.0"),)))
    assert record.environ["LISTEN"] == "0.0.0.0:19091"
    assert record.reachable == "127.0.0.1"


def test_an_ipv6_address_is_listened_on_and_given_to_others_in_brackets() -> None:
    record = _record(replace(WORKER, ports=(Port(9091, 9091, host_ip="::1"),)))
    assert record.environ["LISTEN"] == "[::1]:19091"
    assert record.reachable == "::1"
    six = replace(REDIS, ports=(Port(6379, 6379, host_ip="::1"),))
    other = _record(WORKER, replace(STACK, services={**STACK.services, "redis": six}))
    assert other.environ["REDIS_URL"] == "redis://[::1]:16379/0"
    assert other.hosts == {"redis": "::1"}


def test_extra_hosts_become_their_addresses_and_a_host_name_its_variable() -> None:
    host = Host(hostname="bot", extra_hosts={"gateway": "host-gateway", "a": "192.0.2.7"}, shm_size=1, tty=True)
    named = {"URLS": "http://gateway:80/x,http://a:81,http://aa:82"}
    service = replace(WORKER, host=host, environment=named)
    environ = _record(service).environ
    assert environ["URLS"] == "http://127.0.0.1:80/x,http://192.0.2.7:81,http://aa:82"
    assert environ["HOSTNAME"] == "bot"
    assert without_meaning(service) == ("shm_size", "tty")


def test_ports_are_those_published_exposed_probed_listened_on_and_named_by_others() -> None:
    assert ports_of(STACK, REDIS) == (6379,)
    assert ports_of(STACK, WORKER) == (9091,)
    assert ports_of(STACK, replace(REDIS, probe=None)) == (6379,)
    assert ports_of(STACK, replace(REDIS, expose=(1, 2))) == (1, 2, 6379)


def test_only_the_first_replica_insists_on_a_chosen_port() -> None:
    (first,) = wishes(STACK, WORKER, 1)
    (second,) = wishes(STACK, WORKER, 2)
    assert (first.first, first.explicit, second.explicit) == (9091, True, False)
    assert 19091 <= second.first < 28000
    (elsewhere,) = wishes(replace(STACK, project="another"), WORKER, 2)
    assert elsewhere.first != second.first


def test_a_service_without_a_command_is_told() -> None:
    with pytest.raises(OpsError, match="has no command") as caught:
        _record(replace(REDIS, command=()))
    assert caught.value.code == "TB-0834"


def test_a_program_this_host_does_not_have_is_told() -> None:
    with pytest.raises(OpsError, match="needs the program no-such-program") as caught:
        _record(replace(REDIS, command=("no-such-program",)))
    assert caught.value.code == "TB-0404"
