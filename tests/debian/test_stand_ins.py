"""Images made from Debian packages are found by whoever uses the engine they lie on."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.paths import ROOT
from tradebot_ops.context import Ops
from tradebot_ops.debian.stand_ins import STAND_INS, VARIABLES, stand_ins_of
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.errors import Unreachable
from tradebot_ops.records import StandInImages
from tradebot_ops.settings import load_settings
from tradebot_ops.stack.reading.document import parse

BUILT = {item.tag: "a hash" for item in STAND_INS}


class WithImages(StubEngine):
    """An engine with these images; None means that it does not answer."""

    def __init__(self, sources: Mapping[str, str] | None) -> None:
        super().__init__("demo")
        self.sources = sources

    def image_sources(self) -> Mapping[str, str]:
        if self.sources is None:
            raise Unreachable("Docker does not answer.", code="TB-0402")
        return self.sources


def redis(home: Path, sources: Mapping[str, str] | None, **environ: str) -> str:
    """The image that a user with a fresh home would run Redis from."""
    settings = load_settings({"project": "demo"}, {"HOME": str(home), **environ}, ROOT)
    return Ops(settings, WithImages(sources)).stack.services["redis"].image


def test_another_home_finds_them(tmp_path: Path) -> None:
    assert redis(tmp_path, BUILT) == "tradebot/redis:8.0"


@pytest.mark.parametrize(
    "sources",
    [
        {},
        None,
        BUILT | {"redis:8.0-bookworm": ""},
        BUILT | {"docker.io/redis:8.2": ""},
        BUILT | {"tradebot/redis:8.0": ""},
    ],
    ids=["none", "no answer", "official", "official by its long name", "somebody else's of that name"],
)
def test_the_official_image_keeps_its_place(tmp_path: Path, sources: Mapping[str, str] | None) -> None:
    assert redis(tmp_path, sources).startswith("redis:8.0")


def test_what_the_user_set_outranks_them(tmp_path: Path) -> None:
    assert redis(tmp_path, BUILT, REDIS_IMAGE="mine:1") == "mine:1"


def test_whoever_built_them_gets_them_beside_official_ones(tmp_path: Path) -> None:
    settings = load_settings({"project": "demo"}, {"HOME": str(tmp_path)}, ROOT)
    ops = Ops(settings, WithImages(BUILT | {"redis:8.0-bookworm": ""}))
    ops.host_state.store(StandInImages({"REDIS_IMAGE": "tradebot/redis:8.0"}))
    assert ops.stack.services["redis"].image == "tradebot/redis:8.0"


def test_every_repository_is_the_one_that_the_stack_names() -> None:
    services = parse((ROOT / "compose.yaml").read_text(), ROOT / "compose.yaml").plain()["services"]
    named = {str(each.get("image")) for each in services.values()}
    for item in STAND_INS:
        assert not item.variable or any(image.startswith(f"${{{item.variable}:-{item.official}:") for image in named)
    assert stand_ins_of(BUILT).keys() == VARIABLES
