"""Fingerprints: equal for one kind of error, different for another, blind to lines and folders."""

import pytest

from services.common.fingerprint import Fingerprint, fingerprint, normal_path


def caught(action: object) -> Fingerprint:
    try:
        action()  # type: ignore[operator]
    except Exception as error:  # noqa: BLE001
        return fingerprint(error)
    raise AssertionError("it did not fail")


def fails_with_message(message: str) -> None:
    if message == "first":
        raise ValueError(message)
    raise ValueError(f"another line: {message}")


def fails_elsewhere() -> None:
    raise ValueError("first")


def test_message_and_line_do_not_count() -> None:
    marks = [caught(lambda text=text: fails_with_message(text)) for text in ("first", "second")]
    assert marks[0] == marks[1]
    assert marks[0].type == "ValueError"
    assert marks[0].where == "services/common/test_fingerprint.py:fails_with_message"


def test_place_and_type_count() -> None:
    here, there = caught(lambda: fails_with_message("first")), caught(fails_elsewhere)
    assert here.value != there.value
    assert caught(lambda: int("x")).value != caught(lambda: dict[str, int]()["x"]).value


def test_an_error_without_a_traceback_has_a_fingerprint_too() -> None:
    mark = fingerprint(ValueError("never raised"))
    assert (mark.type, mark.where) == ("ValueError", "")
    assert mark.value


@pytest.mark.parametrize(
    ("path", "normal"),
    [
        ("/opt/venv/lib/python3.13/site-packages/fastapi/routing.py", "fastapi/routing.py"),
        ("/usr/lib/python3.11/json/decoder.py", "json/decoder.py"),
        ("/home/someone/my project/services/api/app.py", "services/api/app.py"),
        ("/opt/lib/python3.11/site-packages/tradebot_ops/_stack/services/api/app.py", "services/api/app.py"),
        ("relative.py", "relative.py"),
    ],
)
def test_installation_folders_do_not_count(path: str, normal: str) -> None:
    assert normal_path(path) == normal


def test_only_the_innermost_frames_count() -> None:
    """One error is one group, whoever called; the same call from elsewhere within them is another one."""

    def deeper(depth: int) -> None:
        if depth:
            deeper(depth - 1)
        fails_elsewhere()

    def from_elsewhere(depth: int) -> None:
        deeper(depth)

    marks = [[caught(lambda: call(depth)).value for call in (deeper, from_elsewhere)] for depth in range(6)]  # noqa: B023
    assert [here == there for here, there in marks] == [False, False, False, True, True, True]
