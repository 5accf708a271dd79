"""What the stack names and what lies on the engine, in one list."""

from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.operations.images.kit import image, ops_at
from tests.operations.seen import refusal, whole
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.errors import OpsError
from tradebot_ops.operations.images import listing

APP = image("tradebot/app:latest", content_hash="0123456789abcdef", revision="fedcba9876543210")


def test_an_engine_without_images_names_one_that_has_some() -> None:
    with pytest.raises(OpsError) as raised:
        listing.images_of(StubEngine())
    assert refusal(raised.value) == (
        "TB-0102",
        "The stub engine runs programs of this host, so it has no images.",
        "Use Docker: tradebot --engine docker images …",
    )


def test_screens(tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    """Nothing there; two of four, with one of another stack that tradebot made and one that it did not; all."""
    others = (image("tradebot/debian:trixie"), image("busybox:1"))
    rest = (image("store:1"), image("grafana:12"))
    seen = []
    for held in ((), (APP, *others, image("store:1")), (APP, image("tradebot/redis:8.0"), *rest)):
        ops, _ = ops_at(tmp_path, *held)
        seen.append(whole(listing.list_images(ops)))
    ops, _ = ops_at(tmp_path, APP, image("tradebot/redis:8.0"), image("store:1"))
    seen.append(whole(listing.list_images(ops)).splitlines()[2])
    assert "\n\n".join([*seen, whole(listing.report_of([], ()))]) == snapshot


def test_services_share_an_image_in_their_order(tmp_path: Path) -> None:
    ops, _ = ops_at(tmp_path, APP)
    assert [(each.name, each.services, each.image) for each in listing.of_stack(ops)] == [
        ("store:1", ("store", "shelf"), None),
        ("tradebot/app:latest", ("api", "worker"), APP),
        ("tradebot/redis:8.0", ("redis",), None),
        ("grafana:12", ("grafana",), None),
    ]
