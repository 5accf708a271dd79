"""The page about the checks is made of the declarations."""

from tests.paths import ROOT
from tradebot_ops.prodcheck.catalogue import catalogue
from tradebot_ops.prodcheck.page import COMMAND, _plain, page


def test_the_page_is_what_the_declarations_say() -> None:
    written = (ROOT / "docs" / "prod-check.md").read_text(encoding="utf-8")
    assert written == page(), f"The declarations changed. Write the page again: {COMMAND}"


def test_every_check_has_its_heading_and_its_reason() -> None:
    lines = page().splitlines()
    for stage in catalogue():
        assert f"## {stage.number}. {stage.title}" in lines
        for check in stage.checks:
            assert f"### {check.id} {_plain(check.title)}" in lines
            assert _plain(check.why) in lines


def test_nothing_of_a_text_is_read_as_markdown_but_what_stands_in_backticks() -> None:
    assert _plain("a*b <c> ``d_e`` f_g") == r"a\*b \<c\> `d_e` f\_g"
