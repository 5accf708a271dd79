"""The pages of `-o html` and of a job, in a browser: nothing stands out to the side, on a telephone or on a screen."""

from pathlib import Path

import pytest

from tests.integration.dashboard.browser import Page
from tests.operations.jobs.test_report import JOB
from tests.operations.trade.test_results import BACKTEST
from tests.operations.trade.test_sweeps import result
from tests.render.formats.test_formats import REPORT
from tradebot_ops.operations.jobs.report import in_full
from tradebot_ops.operations.trade import page as of_job
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


@pytest.mark.parametrize("width", [390, 1600])
def test_the_page_of_a_job_fits_its_window(page: Page, tmp_path: Path, width: int) -> None:
    sweep = JOB | {"type": "sweep", "result": result(fast="2:6:2", slow="5,10")}
    for job, drawn in ((BACKTEST, "polyline"), (sweep, "rect")):
        file = tmp_path / f"{drawn}.html"
        file.write_text(of_job.page(job, in_full(job, pictures=False), None))
        page.look(width)
        page.open(file.as_uri())
        page.until("document.readyState === 'complete'")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate(f"document.querySelector('{drawn}').getBoundingClientRect().width") > 20
