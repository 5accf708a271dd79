"""docs/prod-check.md says what the declarations say."""

from tests.paths import ROOT
from tradebot_ops.prodcheck.page import COMMAND, page


def test_the_page_is_what_the_declarations_say() -> None:
    written = (ROOT / "docs" / "prod-check.md").read_text(encoding="utf-8")
    assert written == page(), f"The declarations changed. Write the page again: {COMMAND}"
