"""Plain data of a YAML text, by the fast reader and in one place."""

import re
from pathlib import Path

import pytest
import yaml

from tests.paths import ROOT
from tradebot_ops.text.yaml_ import LOADER, load


def test_the_reader_is_the_fast_one_where_there_is_one() -> None:
    assert (LOADER is yaml.SafeLoader) is not yaml.__with_libyaml__


@pytest.mark.parametrize("file", sorted((ROOT / "config").glob("**/*.yml")), ids=lambda file: file.name)
def test_it_reads_what_the_slow_one_reads(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert load(text) == yaml.safe_load(text)


@pytest.mark.parametrize("text", ["a: [1", "!!python/object/apply:os.getpid []"])
def test_what_is_broken_or_runs_something_is_an_error(text: str) -> None:
    with pytest.raises(yaml.YAMLError):
        load(text)


def test_nobody_reads_it_another_way() -> None:
    other = re.compile(r"yaml\.(safe_load|full_load|load)\(")
    found = (path for path in ROOT.glob("tradebot_ops/**/*.py") if other.search(path.read_text(encoding="utf-8")))
    assert {str(path.relative_to(ROOT)) for path in found} == {"tradebot_ops/text/yaml_.py"}


def test_scalars_are_those_of_yaml_1_2() -> None:
    text = "[22:00, on, yes, 1_000, 0o17, 0x1f, 010, 1.5, 1e3, true, ~, 2024-01-01, .5]"
    assert load(text) == ["22:00", "on", "yes", "1_000", 15, 31, 10, 1.5, 1000.0, True, None, "2024-01-01", 0.5]
