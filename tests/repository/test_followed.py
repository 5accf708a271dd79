"""No block of the installation, and none of backups, is left out of what is typed without a reason."""

from tests.repository.followed import CHAPTERS, INSTALLATION, NOT_TYPED, chapters, typed


def test_every_chapter_with_blocks_is_typed_or_has_a_reason() -> None:
    followed = {chapter for page, chapter in CHAPTERS if page == INSTALLATION}
    assert chapters(INSTALLATION).keys() == followed | (NOT_TYPED.keys() & chapters(INSTALLATION).keys())
    assert not followed & NOT_TYPED.keys()


def test_what_is_not_typed_is_still_there() -> None:
    pages = [chapters(page) for page, _ in CHAPTERS]
    known = {name for page in pages for title, lines in page.items() for name in (title, *lines)}
    assert NOT_TYPED.keys() <= known


def test_the_lines_come_in_the_order_of_the_pages() -> None:
    lines = [each.line for each in typed()]
    assert lines[0] == "python3 -m venv .venv && .venv/bin/pip install -e '.[local]' && .venv/bin/tradebot up"
    assert lines[-1] == "rm -r .venv"
    assert len(lines) > 20
