"""What counts as left over: nothing that runs, nothing that the stack asks for."""

import pytest

from tradebot_ops.docker.images import Image
from tradebot_ops.engines.docker.leftovers import why_container, why_image
from tradebot_ops.engines.docker.spec import ONE_OFF

WANTED = {"tradebot/app:2", "redis:8"}


@pytest.mark.parametrize(
    ("state", "name", "one_off", "left"),
    [
        ("exited", "demo-api-run-1", "True", True),
        ("exited", "demo-api-1", "False", False),
        ("created", "demo-api-1-next", "False", True),
        ("exited", "demo-api-1-next", "False", False),
        ("created", "demo-api-1", "False", False),
    ],
)
def test_containers(state: str, name: str, one_off: str, left: bool) -> None:
    container = {"State": state, "Names": [f"/{name}"], "Labels": {ONE_OFF: one_off}}
    assert bool(why_container(container)) is left


@pytest.mark.parametrize(
    ("tags", "left"),
    [
        ((), True),
        (("<none>:<none>",), True),
        (("tradebot/app:1",), True),
        (("tradebot/app:2",), False),
        (("tradebot/app:1", "tradebot/app:2"), False),
        (("tradebot/app:1", "mine/app:1"), False),
        (("tradebot/python:3.13",), False),
        (("redis:7",), False),
    ],
)
def test_images(tags: tuple[str, ...], left: bool) -> None:
    assert bool(why_image(Image("sha256:1", tags, 1, ""), WANTED)) is left
