from pathlib import Path

import pytest

from tradebot_ops.errors import OpsError
from tradebot_ops.stack.reading.document import Item, parse

FILE = Path("/stack/compose.yaml")


def plain(text: str) -> object:
    return parse(text, FILE).plain()


def test_scalars_follow_yaml_1_2_as_compose_does() -> None:
    text = """
    words: [yes, on, off, 22:22, 2026-11-22, 1_000, "7", a]
    numbers: [7, -3, 0o17, 0x1F, 1.5, 1e3, 08]
    truths: [true, False]
    nothing: [null, ~, ]
    empty:
    """
    assert plain(text) == {
        "words": ["yes", "on", "off", "22:22", "2026-11-22", "1_000", "7", "a"],
        "numbers": [7, -3, 15, 31, 1.5, 1000.0, 8],
        "truths": [True, False],
        "nothing": [None, None],
        "empty": None,
    }


def test_values_remember_file_line_and_key() -> None:
    root = parse("a:\n  b:\n    - x\n    - c: 1\n", FILE)
    assert isinstance(root.value, dict)
    below = root.value["a"].value
    assert isinstance(below, dict)
    entries = below["b"].value
    assert isinstance(entries, list)
    assert str(entries[0].place) == "/stack/compose.yaml:3: a.b[0]"
    assert isinstance(entries[1].value, dict)
    assert str(entries[1].value["c"].place) == "/stack/compose.yaml:4: a.b[1].c"


def test_merge_keys_fill_in_and_never_overwrite() -> None:
    text = "x-a: &a {k: 1, only: a}\nx-b: &b {k: 2, more: b}\none: {<<: *a, k: 9}\ntwo: {<<: [*a, *b]}\n"
    found = plain(text)
    assert isinstance(found, dict)
    assert found["one"] == {"k": 9, "only": "a"}
    assert found["two"] == {"k": 1, "only": "a", "more": "b"}


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("a: 1\nb: 2\na: 3\n", 3, "a is written twice (first on line 1)"),
        ("s:\n  web: {image: x,\n    image: y}\n", 3, "s.web.image is written twice"),
        ("a: [1\nb: 2\n", 2, "not valid YAML"),
        ("a: 1\n\tb: 2\n", 2, "not valid YAML"),
        ("a: *nobody\n", 1, "not valid YAML"),
        ("a:\n  <<: text\n", 2, "merges"),
        ("a: !!python/object:os.system x\n", 1, "has the tag"),
    ],
)
def test_broken_yaml_is_refused_with_its_line(text: str, line: int, said: str) -> None:
    with pytest.raises(OpsError) as caught:
        parse(text, FILE)
    assert caught.value.code == "TB-0811"
    assert f"{FILE}:{line}" in caught.value.message
    assert said in caught.value.message


@pytest.mark.parametrize("text", ["", "# only a comment\n", "- a list\n", "just text\n"])
def test_a_file_without_keys_is_refused(text: str) -> None:
    with pytest.raises(OpsError, match="has no keys") as caught:
        parse(text, FILE)
    assert caught.value.code == "TB-0810"


def test_every_key_written_twice_is_named() -> None:
    with pytest.raises(OpsError) as caught:
        parse("a: 1\na: 2\nb: 1\nb: 2\n", FILE)
    assert "2 problems" in caught.value.message
    assert len(caught.value.detail) == 2


@pytest.mark.parametrize(
    ("text", "place"), [("a: *nobody\n", f"{FILE}:1"), ("b: 1\na: [1\n", f"{FILE}:3"), ("a: \x07\n", f"{FILE}")]
)
def test_broken_yaml_has_its_line_where_the_scanner_knows_it_and_its_reason(text: str, place: str) -> None:
    with pytest.raises(OpsError) as caught:
        parse(text, FILE)
    where, _, reason = caught.value.message.partition(": not valid YAML: ")
    assert (where, caught.value.hint) == (place, "Check indentation, quotes and colons.")
    assert len(reason.split()) > 2


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("a: 1\na: 2\n", f"{FILE}:2: a is written twice (first on line 1).", "Keep one of the two."),
        ("s: {b: 1,\n  b: 2}\n", f"{FILE}:2: s.b is written twice (first on line 1).", "Keep one of the two."),
        ("a:\n  <<: text\n", f"{FILE}:2: a merges (`<<`) something that is not a mapping.", ""),
        ("x: &x 1\na:\n  <<: [*x]\n", f"{FILE}:3: a merges (`<<`) something that is not a mapping.", ""),
        ('a:\n  - "x\\0y"\n', f"{FILE}:2: a[0] holds a NUL character, which no path or argument can.", ""),
        (
            "a: !!binary aGk=\n",
            f"{FILE}:1: a has the tag tag:yaml.org,2002:binary, which a stack description does not use.",
            "",
        ),
        ("a: !mine x\n", f"{FILE}:1: a has the tag !mine, which a stack description does not use.", ""),
        ("", f"{FILE} does not describe a stack: it has no keys.", "It needs `services:`."),
        ("[a]", f"{FILE} does not describe a stack: it has no keys.", "It needs `services:`."),
    ],
)
def test_what_is_refused_is_said_in_full(text: str, message: str, hint: str) -> None:
    with pytest.raises(OpsError) as caught:
        parse(text, FILE)
    assert (caught.value.message, caught.value.hint) == (message, hint)


def children(text: str) -> dict[str, Item]:
    root = parse(text, FILE).value
    assert isinstance(root, dict)
    return root


def test_tags_are_kept_beside_the_value() -> None:
    found = children("a: !reset x\nb: !override {c: 1}\nd: !override [1]\ne: x\n")
    assert {key: (item.tag, item.plain()) for key, item in found.items()} == {
        "a": ("!reset", "x"),
        "b": ("!override", {"c": 1}),
        "d": ("!override", [1]),
        "e": ("", "x"),
    }


@pytest.mark.parametrize("text", ["5", "0x10", "1e3", "true", "True", "null", "~", "yes", ""])
def test_a_scalar_that_replaces_another_is_its_text_as_compose_takes_it(text: str) -> None:
    """And no number, truth or nothing: those are made of it where the place wants one."""
    assert children(f"a: !override {text}\n")["a"].value == text


def test_what_is_merged_in_has_its_own_line_and_the_path_of_where_it_is() -> None:
    found = children("x: &x\n  k: 1\n  l: 2\na:\n  <<: *x\n  l:\n    3\n")["a"].value
    assert isinstance(found, dict)
    assert {key: str(item.place) for key, item in found.items()} == {"k": f"{FILE}:2: a.k", "l": f"{FILE}:6: a.l"}


def test_a_text_whose_variables_were_replaced_keeps_all_else() -> None:
    item = children("a: !override 1\n")["a"]
    changed = item.with_text("2", frozenset({"V"}))
    assert (changed.value, changed.raw, changed.variables) == ("2", "2", frozenset({"V"}))
    assert (changed.tag, changed.place) == ("!override", item.place)
    assert (item.value, item.raw, item.variables) == ("1", "1", frozenset())


def test_truth_is_written_in_three_ways_and_anything_else_is_text() -> None:
    text = "a: [true, True, TRUE, false, False, FALSE]\nb: [yes, on, tRUE]\n"
    assert parse(text, Path("x.yaml")).plain() == {"a": [True] * 3 + [False] * 3, "b": ["yes", "on", "tRUE"]}
