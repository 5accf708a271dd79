"""Each kind of value: what is read, what stands for nothing, and what is said of anything else."""

from typing import Any

import pytest

from tests.stack.reading.kit import Told, read
from tradebot_ops.stack.problems import Problems
from tradebot_ops.stack.reading.document import Item
from tradebot_ops.stack.reading.read import Reader

KEYS = frozenset({"image", "ports"})


def of(way: str, text: str, *words: Any, **options: Any) -> tuple[Any, list[Told]]:
    return read(f"it: {text}\n", lambda reader, item: getattr(reader, way)(item, *words, **options))


@pytest.mark.parametrize(
    ("way", "words", "text", "expected"),
    [
        ("text", (), "1.50", "1.50"),
        ("text", (), "true", "true"),
        ("text", (), "''", ""),
        ("text", (), "", ""),
        ("text", ("other",), "", "other"),
        ("text", ("other",), "''", ""),
        ("texts", (), "[a, 1, ]", ("a", "1")),
        ("texts", (), "", ()),
        ("words", (), "a 'b c' d\\ e", ("a", "b c", "d e")),
        ("words", (), "[a b, 'c']", ("a b", "c")),
        ("words", (), "", ()),
        ("pairs", (), "[A=1, B=, C, D=x=y]", {"A": "1", "B": "", "C": None, "D": "x=y"}),
        ("pairs", (), "{A: 1, B: '', C: }", {"A": "1", "B": "", "C": None}),
        ("pairs", (), "", {}),
        ("integer", (), "0", 0),
        ("integer", (), "007", 7),
        ("integer", (), "", 0),
        ("integer", (5,), "", 5),
        ("integer", (5, 7), "7", 7),
        ("integer", (5, -1), "-1", -1),
        ("number", (), "0.5", 0.5),
        ("number", (), "12", 12.0),
        ("number", (), "", None),
        ("boolean", (), "true", True),
        ("boolean", (), "False", False),
        ("boolean", (), "'TRUE'", True),
        ("boolean", (), "", False),
        ("seconds", (7.0,), "1m30s", 90.0),
        ("seconds", (7.0,), "", 7.0),
        ("size", (), "1k", 1024),
        ("size", (), "", None),
        ("signal", (), "SIGHUP", "SIGHUP"),
        ("signal", ("SIGTERM",), "SIGINT", "SIGINT"),
        ("signal", ("SIGTERM",), "", "SIGTERM"),
        ("signal", (), "", ""),
        ("chosen", (("http", "tcp"), "tcp"), "http", "http"),
    ],
)
def test_reads(way: str, words: tuple[Any, ...], text: str, expected: object) -> None:
    assert of(way, text, *words) == (expected, [])


def test_a_key_that_is_not_there_has_the_fallback_or_nothing() -> None:
    problems = Problems()
    reader = Reader(problems)
    assert (reader.text(None), reader.text(None, "a"), reader.texts(None), reader.text_or_texts(None)) == (
        "", "a", (), [],
    )  # fmt: skip
    assert (reader.mapping(None), reader.sequence(None), reader.words(None), reader.pairs(None)) == ({}, [], (), {})
    assert (reader.integer(None), reader.integer(None, 3), reader.number(None), reader.size(None)) == (0, 3, None, None)
    assert (reader.boolean(None), reader.boolean(None, fallback=True)) == (False, True)
    assert (reader.seconds(None, 2.0), reader.signal(None), reader.signal(None, "SIGINT")) == (2.0, "", "SIGINT")
    assert reader.chosen(None, ("a", "b"), "c") == "c"
    assert reader.fields(None, KEYS) == {}
    assert problems.found == []


@pytest.mark.parametrize(("text", "count"), [("[a, b]", 2), ("a", 1), ("{a: b}", 1), ("", 0)])
def test_one_value_or_a_list_of_them(text: str, count: int) -> None:
    found, told = of("text_or_texts", text)
    assert (len(found), told) == (count, [])


@pytest.mark.parametrize(
    ("text", "fallback", "expected"), [("", True, True), ("", False, False), ("false", True, False)]
)
def test_a_truth_that_nobody_says(text: str, fallback: bool, expected: bool) -> None:
    assert of("boolean", text, fallback=fallback) == (expected, [])


HUGE = "1" + 400 * "0"
LINES = "Write `key: value` lines below it."
ENTRIES = "Write one `- value` line for each entry."


@pytest.mark.parametrize(
    ("way", "words", "text", "found", "message", "hint"),
    [
        ("mapping", (), "a", {}, "is 'a', not a mapping", LINES),
        ("mapping", (), "[a]", {}, "is a list, not a mapping", LINES),
        ("sequence", (), "a", [], "is 'a', not a list", ENTRIES),
        ("sequence", (), "{a: b}", [], "is a mapping, not a list", ENTRIES),
        ("text", ("b",), "[a]", "b", "is a list, not text", ""),
        ("text", ("b",), "{a: b}", "b", "is a mapping, not text", ""),
        ("words", (), "a 'b", (), "is \"a 'b\"", "Close the quote, or write a list of words."),
        ("words", (), "{a: b}", (), "is a mapping, not text", ""),
        ("pairs", (), "a", {}, "is 'a', not a mapping", LINES),
        ("integer", (4, 2), "1", 4, "is 1", "Write a whole number from 2 up."),
        ("integer", (4, 2), "two", 4, "is 'two'", "Write a whole number from 2 up."),
        ("integer", (), "1_0", 0, "is '1_0'", "Write a whole number from 0 up."),
        ("integer", (), "-1", 0, "is -1", "Write a whole number from 0 up."),
        ("number", (), "0", None, "is '0'", "Write a number above 0, such as 0.5."),
        ("number", (), "-1", None, "is '-1'", "Write a number above 0, such as 0.5."),
        ("number", (), "1.", None, "is '1.'", "Write a number above 0, such as 0.5."),
        pytest.param(
            "number", (), HUGE, None, f"is '{HUGE}'", "Write a number above 0, such as 0.5.", id="too large a number"
        ),
        ("boolean", (), "yes", False, "is 'yes'", "Write true or false."),
        ("boolean", (), "[true]", False, "is a list, not text", ""),
        ("seconds", (7.0,), "10", 7.0, "is '10'", "Write a duration with its unit, such as 10s or 1m30s."),
        ("size", (), "lots", None, "is 'lots'", "Write a size such as 512m or 4gb."),
        (
            "signal", ("SIGTERM",), "SIGNOPE", "SIGTERM", "is 'SIGNOPE'",
            "Write a name such as SIGINT, or SIGRTMIN+3; `kill -l` lists them.",
        ),
        ("chosen", (("http", "tcp"), "tcp"), "htp", "tcp", "is 'htp'", "Did you mean `http`? Write one of: http, tcp."),
        ("chosen", (("http", "tcp"), "tcp"), "zzz", "tcp", "is 'zzz'", "Write one of: http, tcp."),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_said_in_full_and_reading_goes_on(
    way: str, words: tuple[Any, ...], text: str, found: object, message: str, hint: str
) -> None:
    assert of(way, text, *words) == (found, [("TB-0815", "1: it", message, hint)])


@pytest.mark.parametrize(
    ("key", "hint"),
    [
        ("imge", "Did you mean `image`? Supported here: image, ports."),
        ("zzz", "Supported here: image, ports."),
        ("scale", "Write deploy.replicas. Supported here: image, ports."),
    ],
)
def test_a_key_that_nothing_reads_says_what_to_write_instead(key: str, hint: str) -> None:
    found, told = of("fields", f"{{image: a, {key}: 1, x-note: 1}}", KEYS)
    assert (set(found), told) == (
        {"image", key, "x-note"},
        [("TB-0813", f"1: it.{key}", "is a key tradebot does not read", hint)],
    )


@pytest.mark.parametrize("value", ["", "''", "null"])
def test_what_is_needed_and_is_not_there_or_says_nothing(value: str) -> None:
    def needed(reader: Reader, item: Item) -> list[Item]:
        return [*reader.required(item, reader.mapping(item), "file")]

    for text in (f"{{file: {value}}}", "{other: 1}"):
        assert read(f"it: {text}\n", needed) == ([], [("TB-0815", "1: it", "has no `file`", "Add a `file:` line.")])
    for text, plain in (("a", "a"), ("0", 0), ("[]", []), ("{}", {})):
        found, told = read(f"it: {{file: {text}}}\n", needed)
        assert ([each.plain() for each in found], told) == ([plain], [])
