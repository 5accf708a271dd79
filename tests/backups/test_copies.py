"""Copies are remembered one a place, and a record that cannot be read proves none."""

from pathlib import Path

import pytest

from tradebot_ops.backups.copies import COPIES, Copy, copies_of, forget, remember

USB = Copy("/mnt/usb/demo/x", "2026-11-27T12:00:00+00:00", apart=True)
NAS = Copy("nas:/srv/demo/x", "2026-11-27T13:00:00+00:00", apart=True)


def test_one_a_place_and_the_newest(tmp_path: Path) -> None:
    assert copies_of(tmp_path) == ()
    remember(tmp_path, USB)
    remember(tmp_path, NAS)
    again = Copy(USB.place, "2026-11-28T12:00:00+00:00", apart=True)
    remember(tmp_path, again)
    assert copies_of(tmp_path) == (NAS, again)
    forget(tmp_path, NAS.place)
    forget(tmp_path, "nowhere")
    assert copies_of(tmp_path) == (again,)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"copies": 1}',
        '{"copies": [{}]}',
        '{"copies": [{"place": "/x", "at": "soon", "apart": true}]}',
        '{"copies": [{"place": "/x", "at": "2026-11-27T12:00:00", "apart": true}]}',
        '{"copies": [{"place": "/x", "at": "2026-11-27T12:00:00+00:00", "apart": "yes"}]}',
    ],
)
def test_a_record_that_cannot_be_read(text: str, tmp_path: Path) -> None:
    (tmp_path / COPIES).write_text(text)
    assert copies_of(tmp_path) == ()
