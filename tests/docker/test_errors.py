"""What the engine's refusals mean, each in the engine's own words as they were seen."""

import pytest
from docker.errors import APIError

from tradebot_ops.docker.errors import EXPLANATIONS, explain
from tradebot_ops.errors import DiskFull, OpsError, PortTaken

SEEN = [
    ("write /var/lib/docker/tmp/x: no space left on device", "TB-0802", "disk is full", DiskFull),
    (
        "driver failed programming external connectivity: Bind for 127.0.0.1:8010 failed: port is already allocated",
        "TB-0821",
        "port 127.0.0.1:8010 is taken",
        PortTaken,
    ),
    (
        "failed to bind host port for [::]:9090:172.18.0.2:9090/tcp: address already in use",
        "TB-0821",
        "port [::]:9090 is taken",
        PortTaken,
    ),
    (
        'Conflict. The container name "/demo-api-1" is already in use by container "0123456789abcdef". Remove it.',
        "TB-0822",
        "the name demo-api-1 belongs to container 0123456789ab",
        OpsError,
    ),
    ("could not find an available, non-overlapping IPv4 address pool", "TB-0823", "no free network", OpsError),
    ("all predefined address pools have been fully subnetted: pool overlaps", "TB-0823", "no free network", OpsError),
    (
        'invalid mount config for type "bind": bind source path does not exist: /srv/conf',
        "TB-0824",
        "/srv/conf does not exist where the engine runs",
        OpsError,
    ),
    ("No such image: redis:8", "TB-0825", "the image redis:8 is missing", OpsError),
    ("remove demo_data: volume is in use - [0123456789]", "TB-0904", "still uses the volume: 0123456789", OpsError),
    (
        "error while removing network: network demo_default id 0123 has active endpoints",
        "TB-0905",
        "still use the network demo_default",
        OpsError,
    ),
]


@pytest.mark.parametrize(("said", "code", "words", "kind"), SEEN)
def test_what_the_engine_said_is_explained(said: str, code: str, words: str, kind: type[OpsError]) -> None:
    error = explain("starting api", APIError("500 Server Error", explanation=said))
    assert (error.code, type(error), error.detail) == (code, kind, (said,))
    assert error.message.startswith("Docker failed while starting api: ")
    assert words in error.message
    assert "{" not in error.message + error.hint


def test_every_explanation_was_seen() -> None:
    assert {known.code for known in EXPLANATIONS} == {code for _, code, _, _ in SEEN}


def test_what_is_not_known_keeps_the_engines_words() -> None:
    error = explain("starting api", APIError("500 Server Error", explanation="the moon is full."))
    assert (error.code, error.message) == ("TB-0100", "Docker refused while starting api: the moon is full.")
