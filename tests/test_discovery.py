"""Finding what the modules of a package offer."""

import importlib
import itertools
from pathlib import Path
from types import ModuleType

import pytest

from tradebot_ops.discovery import discover, names

_NAMES = itertools.count()


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """One with a module, a sub-package, and a file that the two share."""
    name = f"discovered_{next(_NAMES)}"
    folder = tmp_path / name
    (folder / "alpha").mkdir(parents=True)
    (folder / "__init__.py").write_text("")
    (folder / "alpha" / "__init__.py").write_text("STAGE = 'a'")
    (folder / "beta.py").write_text(f"from {name}._shared import LETTER as STAGE")
    (folder / "_shared.py").write_text("LETTER = 'b'")
    monkeypatch.syspath_prepend(tmp_path)
    return importlib.import_module(name)


def test_modules_and_sub_packages_are_found_in_the_order_of_their_names(package: ModuleType) -> None:
    assert discover(package, "STAGE") == ("a", "b")


def test_a_room_stands_for_what_it_holds(package: ModuleType) -> None:
    room = Path(package.__path__[0]) / "room"
    room.mkdir()
    (room / "__init__.py").write_text("")
    (room / "inner.py").write_text("STAGE = 'inner'")
    importlib.invalidate_caches()
    assert discover(package, "STAGE") == ("a", "b", "inner")
    assert list(names(list(package.__path__))) == ["beta", "inner"], "a package is no name, nor is what is shared"


def test_a_file_that_offers_nothing_is_named(package: ModuleType) -> None:
    forgotten = Path(package.__path__[0]) / "gamma.py"
    forgotten.write_text("")
    importlib.invalidate_caches()
    with pytest.raises(ImportError) as caught:
        discover(package, "STAGE")
    assert str(caught.value) == f"{forgotten} has no STAGE."


def test_what_an_import_raises_is_passed_on(package: ModuleType) -> None:
    (Path(package.__path__[0]) / "gamma.py").write_text("raise ZeroDivisionError")
    importlib.invalidate_caches()
    with pytest.raises(ZeroDivisionError):
        discover(package, "STAGE")
