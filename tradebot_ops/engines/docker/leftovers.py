"""Leftovers of a project on the engine: one-offs that ended, networks, volumes and images nothing needs."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from docker.errors import ImageNotFound, NotFound

from tradebot_ops.docker.build_context import BUILT_FOR, CONTENT_HASH
from tradebot_ops.docker.client import Client
from tradebot_ops.docker.images import OURS, Image, image_of
from tradebot_ops.engines.base import Leftover
from tradebot_ops.engines.docker.spec import ONE_OFF, PROJECT
from tradebot_ops.stack.model import Stack

ENDED = {"exited", "created", "dead"}
HALF_MADE = "-next"


class Leftovers:
    """Finds and removes them; only what carries this project's label, or an image that tradebot made."""

    def __init__(self, client: Client, project: str) -> None:
        self.client = client
        self.project = project

    def find(self, stack: Stack, *, images: bool, volumes: bool) -> tuple[Leftover, ...]:
        with self.client.translating_errors("looking for what is left over", self.client.deadlines.read):
            found = [*self._containers(), *self._networks(stack)]
            found += self._volumes(stack) if volumes else ()
            found += self._images(stack) if images else ()
        return tuple(found)

    def _containers(self) -> Iterator[Leftover]:
        mine = {"label": f"{PROJECT}={self.project}"}
        for each in self.client.reads.containers(all=True, filters=mine):
            if each["State"] in ENDED and (reason := why_container(each)):
                yield Leftover("container", name_of(each), reason, each["Id"])

    def _networks(self, stack: Stack) -> Iterator[Leftover]:
        needed = {network.name for network in stack.networks.values()}
        for each in self.client.reads.networks(filters={"label": f"{PROJECT}={self.project}"}):
            if each["Name"] not in needed:
                yield Leftover("network", each["Name"], "is not in the stack any more", each["Id"])

    def _volumes(self, stack: Stack) -> Iterator[Leftover]:
        needed = {volume.name for volume in stack.volumes.values()}
        answer = self.client.reads.volumes(filters={"label": f"{PROJECT}={self.project}"})
        for each in answer["Volumes"] or ():
            if each["Name"] not in needed:
                yield Leftover("volume", each["Name"], "is not in the stack any more", each["Name"])

    def _images(self, stack: Stack) -> Iterator[Leftover]:
        used = {each["ImageID"] for each in self.client.reads.containers(all=True)}
        tags = {service.image for service in stack.services.values()}
        labelled = (self.client.reads.images(filters={"label": label}) for label in (CONTENT_HASH, BUILT_FOR))
        found = {raw["Id"]: image_of(raw) for images in labelled for raw in images}
        for image in found.values():
            if image.id not in used and (reason := why_image(image, tags)):
                name = ", ".join(image.tags) or image.id[7:19]
                yield Leftover("image", name, reason, image.id, image.size)

    def discard(self, leftover: Leftover) -> None:
        """Remove it. Docker itself refuses what is in use by now."""
        api = self.client.writes
        with self.client.translating_errors(
            f"removing the {leftover.kind} {leftover.name}", self.client.deadlines.write
        ):
            try:
                if leftover.kind == "container":
                    api.remove_container(leftover.id, v=True)
                elif leftover.kind == "network":
                    api.remove_network(leftover.id)
                elif leftover.kind == "volume":
                    api.remove_volume(leftover.id)
                else:
                    self._forget_image(leftover)
            except (NotFound, ImageNotFound):
                return

    def _forget_image(self, leftover: Leftover) -> None:
        """By its tags: with the last one the image itself goes."""
        raw = self.client.reads.inspect_image(leftover.id)  # type: ignore[no-untyped-call]
        for name in raw.get("RepoTags") or [leftover.id]:
            self.client.writes.remove_image(name)


def name_of(container: Mapping[str, Any]) -> str:
    return str((container.get("Names") or ["/"])[0]).lstrip("/") or str(container["Id"])[:12]


def why_container(container: Mapping[str, Any]) -> str:
    """Empty for a replica; those are the plan's business."""
    if (container.get("Labels") or {}).get(ONE_OFF, "").lower() == "true":
        return "a one-off that ended"
    if container["State"] == "created" and name_of(container).endswith(HALF_MADE):
        return "half made when a command was interrupted"
    return ""


def why_image(image: Image, wanted: Collection[str]) -> str:
    """An image that tradebot made is old when its tag went to a newer one, or the stack asks for another tag of it."""
    tags = [tag for tag in image.tags if tag != "<none>:<none>"]
    if not tags:
        return "a newer one took its name" if image.content_hash else "a build left it behind"
    repositories = {tag.rpartition(":")[0] for tag in wanted}
    if all(tag.startswith(OURS) and tag not in wanted and tag.rpartition(":")[0] in repositories for tag in tags):
        return "the stack uses another version"
    return ""
