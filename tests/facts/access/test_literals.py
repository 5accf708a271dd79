"""Secrets that are written where a file belongs are found and never shown."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from tradebot_ops.context import Ops
from tradebot_ops.engines.inspection import Inspected
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.facts.access import literals
from tradebot_ops.settings import load_settings

SECRET = "uK3vX9-pLq82ZrTt"


class Historic(StubEngine):
    def image_history(self, images: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
        return {images[0]: ("RUN make", f"RUN echo {SECRET}", "ARG DB_PASSWORD=x y", "ENV KEY_FILE=/k", "ARG TOKEN")}


def made(folder: Path, engine: StubEngine) -> Ops:
    (folder / "compose.yaml").write_text("services: {api: {image: app}}\n")
    ops = Ops(load_settings({}, {"TRADEBOT_STATE": str(folder / "state")}, folder), engine)
    ops.state.write("secrets/api_key", SECRET)
    return ops


@pytest.mark.parametrize(
    ("name", "value", "plain"),
    [
        ("API_KEY_FILE", "/run/secrets/api_key", False),
        ("GF_SECURITY_ADMIN_PASSWORD", "$__file{/run/secrets/x}", False),
        ("DATABASE_URL", "postgresql://tradebot@postgres/x", False),
        ("LOG_LEVEL", "info", False),
        ("API_KEY", "anything", True),
        ("DATABASE_URL", "postgresql://tradebot:pw@postgres/x", True),
        ("HARMLESS", f"a{SECRET}b", True),
    ],
)
def test_environments(tmp_path: Path, name: str, value: str, *, plain: bool) -> None:
    replica = Inspected("api", 1, "a", "a", "running", environment={name: value})
    found = literals.found(made(tmp_path, StubEngine("demo")), (replica,))
    assert found.environment == ((f"api-1: {name}",) if plain else ())
    assert (found.looked["images"], bool(found.unseen)) == (0, True)


def test_images_and_files(tmp_path: Path) -> None:
    ops = made(tmp_path, Historic("demo"))
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "app.yml").write_text(f"key: {SECRET}\n")
    (tmp_path / ".env").write_text(f"API_KEY={SECRET}\n")  # where settings belong
    found = literals.found(ops, ())
    assert found.elsewhere == ("api_key in the history of app", "DB_PASSWORD set in app", "api_key in config/app.yml")
    assert found.unseen == ""
    assert SECRET not in str(found)
