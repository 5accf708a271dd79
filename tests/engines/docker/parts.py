"""What tests of the Docker engine share: an engine or a reason to skip, images, names that nobody else uses."""

import functools
import os
import uuid
from dataclasses import replace

from tests.programs import missing
from tradebot_ops.docker.client import Client
from tradebot_ops.docker.images import Images
from tradebot_ops.docker.locate import locate
from tradebot_ops.errors import OpsError
from tradebot_ops.stack.model import Network, Stack, Volume

PYTHON = "tradebot/python:3.13"
REDIS = "tradebot/redis:8.0"
POSTGRES = "tradebot/postgres:17"
APP = "tradebot/app:latest"


def require_docker(*images: str) -> None:
    """Skip where no engine answers or an image is missing; in CI both must be there."""
    if reason := absent_images(*images):
        missing(reason)


@functools.cache
def absent_images(*images: str) -> str:
    """Why tests on Docker cannot run here; empty when they can."""
    try:
        found = Images(Client(locate(os.environ)))
        absent = [image for image in images if found.find(image) is None]
    except OpsError as error:
        return error.message
    return f"images are missing ({', '.join(absent)}): tradebot images build --from debian" if absent else ""


def unique_project() -> str:
    return f"test-{uuid.uuid4().hex[:8]}"


def on_docker(stack: Stack) -> Stack:
    """The stack with a network of its own and full volume names, as the loader would have read it."""
    services = {name: replace(service, networks={"default": ()}, init=True) for name, service in stack.services.items()}
    volumes = {key: Volume(f"{stack.project}_{key}") for key in stack.volumes}
    return replace(stack, services=services, networks={"default": Network(f"{stack.project}_default")}, volumes=volumes)
