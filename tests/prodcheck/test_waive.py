"""`waive` writes what `prod-check` reads, and leaves the rest of tradebot.toml as it is."""

import tomllib
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from tradebot_ops.context import Ops
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.errors import OpsError
from tradebot_ops.model import Report
from tradebot_ops.prodcheck.waive import waive
from tradebot_ops.prodcheck.waivers import read
from tradebot_ops.settings import load_settings

TODAY = date(2026, 11, 26)
BEFORE = """# Ours.
project = "demo"   # never change this

[settings]
API_PORT = "8011"
"""


@pytest.fixture
def ops(tmp_path: Path) -> Ops:
    settings = load_settings({}, {"TRADEBOT_STATE": str(tmp_path / "state"), "USER": "maria"}, tmp_path)
    return Ops(settings, StubEngine("demo"), clock=lambda: datetime(2026, 11, 26, 12, tzinfo=UTC))


def written(ops: Ops) -> str:
    return (ops.settings.cwd / "tradebot.toml").read_text(encoding="utf-8")


def content(report: Report) -> Mapping[str, Any]:
    assert isinstance(report.data, Mapping)
    return report.data


def test_a_new_file_holds_what_is_read_again(ops: Ops) -> None:
    waive(ops, "dat-09", "One account until March.", "2027-03-31")
    found = read(tomllib.loads(written(ops))["waiver"], {"DAT-09"}, TODAY)
    assert found.problems == ()
    assert found.active["DAT-09"].owner == "maria"
    assert found.active["DAT-09"].expires == date(2027, 3, 31)


def test_comments_and_order_stay(ops: Ops) -> None:
    file = ops.settings.cwd / "tradebot.toml"
    file.write_text(BEFORE, encoding="utf-8")
    file.chmod(0o640)
    waive(ops, "DAT-09", "One account.", "2027-03-31", "jo")
    waive(ops, "ENG-01", "Slow engine.", "2027-01-31", "jo")
    assert written(ops).startswith(BEFORE)
    assert [entry["id"] for entry in tomllib.loads(written(ops))["waiver"]] == ["DAT-09", "ENG-01"]
    assert file.stat().st_mode & 0o777 == 0o640
    assert sorted(path.name for path in file.parent.iterdir()) == ["state", "tradebot.toml"]


def test_one_for_the_same_check_is_replaced_where_it_stands(ops: Ops) -> None:
    file = ops.settings.cwd / "tradebot.toml"
    file.write_text('[[waiver]]\nid = "dat-09" # since June\nreason = "x"\nowner = "jo"\nexpires = 2026-11-27\n')
    report = waive(ops, "DAT-09", "Longer.", "2027-03-31", "maria")
    assert content(report)["replaced"]
    (entry,) = tomllib.loads(written(ops))["waiver"]
    assert entry == {"id": "DAT-09", "reason": "Longer.", "owner": "maria", "expires": date(2027, 3, 31)}


@pytest.mark.parametrize(
    ("id_", "reason", "until", "code", "message"),
    [
        ("DAT-99", "r", "2027-01-01", "TB-0230", "There is no check 'DAT-99'"),
        ("DAT-09", " ", "2027-01-01", "TB-0233", "needs a reason"),
        ("DAT-09", "r", "soon", "TB-0233", "'soon' is not a day"),
        ("DAT-09", "r", "", "TB-0233", "'' is not a day"),
        ("DAT-09", "r", "2026-11-25", "TB-0233", "2026-11-25 is over"),
        ("DAT-09", "r", "2027-05-26", "TB-0233", "more than 180 days away"),
    ],
)
def test_refused(ops: Ops, id_: str, reason: str, until: str, code: str, message: str) -> None:
    with pytest.raises(OpsError, match=message) as caught:
        waive(ops, id_, reason, until)
    assert caught.value.code == code
    assert not (ops.settings.cwd / "tradebot.toml").exists()


def test_the_hundred_and_eightieth_day_is_the_last(ops: Ops) -> None:
    assert content(waive(ops, "DAT-09", "r", "2027-05-25"))["days"] == 180


@pytest.mark.parametrize("text", ["[[waiver\n", "waiver = 3\n"])
def test_a_file_that_is_not_what_it_should_be_stays(ops: Ops, text: str) -> None:
    (ops.settings.cwd / "tradebot.toml").write_text(text)
    with pytest.raises(OpsError) as caught:
        waive(ops, "DAT-09", "r", "2027-05-25")
    assert caught.value.code == "TB-0804"
    assert written(ops) == text
