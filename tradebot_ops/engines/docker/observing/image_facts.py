"""Problems of the images of a stack, compared with its containers and its source."""

from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor

from tradebot_ops.docker.build_context import content_hash
from tradebot_ops.docker.images import Image, Images
from tradebot_ops.engines.base import ImageFacts
from tradebot_ops.stack.model import Service, Stack

THREADS = 8


def image_facts(stack: Stack, images: Images, running: Collection[tuple[str, str]]) -> ImageFacts:
    """``running`` has the service and the image's id of every container."""
    tags = sorted({service.image for service in stack.services.values()})
    with ThreadPoolExecutor(THREADS) as pool:
        found = dict(zip(tags, pool.map(images.find, tags), strict=True))
    ids = {name: image.id for name, service in stack.services.items() if (image := found[service.image])}
    return ImageFacts(
        missing=frozenset(stack.services.keys() - ids.keys()),
        present=frozenset(ids),
        rebuilt=frozenset(name for name, image in running if ids.get(name, image) != image),
        outdated=_outdated(stack.services, found),
    )


def _outdated(services: Mapping[str, Service], found: Mapping[str, Image | None]) -> frozenset[str]:
    """Services with an image of ours whose source is another by now; of an image of others nobody knows."""
    builds = {service.image: service.build for service in services.values() if service.build}
    old = {
        tag
        for tag, build in builds.items()
        if (image := found[tag]) and image.content_hash and image.content_hash != content_hash(build)
    }
    return frozenset(name for name, service in services.items() if service.image in old)
