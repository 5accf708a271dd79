"""The page that `-o html` writes, in a browser: nothing stands out to the side, on a telephone or on a screen."""

from pathlib import Path

import pytest

from tests.integration.dashboard.browser import Page
from tests.render.formats.test_formats import REPORT
from tradebot_ops.render.files import write_files

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("width", [390, 1600])
def test_the_report_fits_its_window(page: Page, tmp_path: Path, width: int) -> None:
    file = tmp_path / "report.html"
    write_files(REPORT, {file: "html"})
    page.look(width)
    page.open(file.as_uri())
    page.until("document.readyState === 'complete'")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("document.body.innerText").startswith("tradebot prod-check")
