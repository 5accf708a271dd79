from collections.abc import Mapping
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradebot_ops.text.interpolate import BadTemplateError, MissingVariableError, escape, expand

ENVIRON = {"SET": "value", "EMPTY": "", "OTHER": "o", "_x9": "under"}


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("plain", "plain"),
        ("$SET", "value"),
        ("${SET}", "value"),
        ("$SET-tail", "value-tail"),
        ("a${SET}b$_x9", "avaluebunder"),
        ("${EMPTY}", ""),
        ("${EMPTY:-default}", "default"),
        ("${EMPTY-default}", ""),
        ("${NONE:-default}", "default"),
        ("${NONE-default}", "default"),
        ("${NONE:-}", ""),
        ("${SET:-default}", "value"),
        ("${SET:+alt}", "alt"),
        ("${EMPTY:+alt}", ""),
        ("${EMPTY+alt}", "alt"),
        ("${NONE:+alt}", ""),
        ("${NONE+alt}", ""),
        ("${SET:?needed}", "value"),
        ("${EMPTY?needed}", ""),
        ("${NONE:-${SET}}", "value"),
        ("${NONE:-${ALSO_NONE:-deep-${OTHER}}}", "deep-o"),
        ("${SET:-${NEVER_LOOKED_AT}}", "value"),
        ("${NONE:-$$SET}", "$SET"),
        ("$$", "$"),
        ("$$SET", "$SET"),
        ("$${SET}", "${SET}"),
        ("$$$SET", "$value"),
        ("${NONE:-a:b-c?d}", "a:b-c?d"),
        ('${NONE:-{"commits":1}}', '{"commits":1}'),
        ("${NONE:-http://h/{sym}/x}", "http://h/{sym}/x"),
        ('${NONE:-[{}, {"a": ${SET:-{}}}]}', '[{}, {"a": value}]'),
        ("${NONE:-$${x}}", "${x}"),
        ("${NONE:-{}", "{"),
        ("${NONE:-a}b}", "ab}"),
        ('{"json": "${SET}"}', '{"json": "value"}'),
    ],
)
def test_expands(template: str, expected: str) -> None:
    assert expand(template, ENVIRON).text == expected


@pytest.mark.parametrize(
    "template", ["$NONE", "${NONE}", "${NONE?}", "${NONE:?}", "${EMPTY:?}", "x${NONE:-$ALSO_NONE}"]
)
def test_a_variable_without_value_or_default_is_refused(template: str) -> None:
    with pytest.raises(MissingVariableError):
        expand(template, ENVIRON)


def test_the_authors_message_is_kept_and_expanded() -> None:
    with pytest.raises(MissingVariableError, match=r"NONE.*set it like value") as caught:
        expand("${NONE:?set it like ${SET}}", ENVIRON)
    assert caught.value.name == "NONE"


@pytest.mark.parametrize(
    "template", ["$", "a$ b", "$1", "${", "${SET", "${}", "${1}", "${SET!x}", "${SET:x}", "${A:-${B}"]
)
def test_a_broken_template_is_refused(template: str) -> None:
    with pytest.raises(BadTemplateError):
        expand(template, ENVIRON)


def test_names_every_variable_it_looked_at() -> None:
    assert expand("${NONE:-${SET}} $OTHER ${SET:+x}", ENVIRON).variables == {"NONE", "SET", "OTHER"}


@given(st.text())
def test_an_escaped_text_expands_to_itself(text: str) -> None:
    assert expand(escape(text), {}).text == text


# --- Templates built together with their meaning, so that the two can be compared.

NAMES = st.from_regex(r"[A-Z_][A-Z0-9_]{0,5}", fullmatch=True)
LITERALS = st.text(st.characters(exclude_characters="${}", exclude_categories=["Cs"]), max_size=6)


@dataclass(frozen=True)
class Grammar:
    """What templates are built from: variables with their values, text, and the operators to use."""

    environ: Mapping[str, str | None]
    literals: st.SearchStrategy[str] = LITERALS
    operators: tuple[str, ...] = ("", ":-", "-", ":+", "+", ":?", "?")


@st.composite
def reference(draw: st.DrawFn, grammar: Grammar, depth: int) -> tuple[str, str | None]:
    name = draw(st.sampled_from(sorted(grammar.environ)))
    value = grammar.environ[name]
    operator = draw(st.sampled_from(grammar.operators))
    if not operator:
        return f"${{{name}}}", value
    inner, meaning = draw(template(grammar, depth - 1))
    present = bool(value) if operator[0] == ":" else value is not None
    outcome = {
        "-": value if present else meaning,
        "+": meaning if present else "",
        "?": value if present else None,
    }[operator[-1]]
    return f"${{{name}{operator}{inner}}}", outcome


@st.composite
def template(draw: st.DrawFn, grammar: Grammar, depth: int) -> tuple[str, str | None]:
    """A template with its meaning, None if it must be refused."""
    text, meaning = "", ""
    refused = False
    for _ in range(draw(st.integers(0, 3))):
        kinds = ["literal", "dollar"] + (["reference", "braces"] if depth else [])
        match draw(st.sampled_from(kinds)):
            case "literal":
                more = draw(grammar.literals)
                text, meaning = text + more, meaning + more
            case "dollar":
                text, meaning = text + "$$", meaning + "$"
            case "braces":
                more, value = draw(template(grammar, depth - 1))
                text += f"{{ {more}}}"  # Compose overlooks a brace right behind an opening one
                refused = refused or value is None
                meaning += f"{{ {value or ''}}}"
            case "reference":
                more, value = draw(reference(grammar, depth))
                text += more
                refused = refused or value is None
                meaning += value or ""
    return text, None if refused else meaning


@st.composite
def case(draw: st.DrawFn) -> tuple[str, str | None, dict[str, str]]:
    environ = draw(st.dictionaries(NAMES, st.none() | LITERALS, min_size=1, max_size=4))
    text, meaning = draw(template(Grammar(environ), 3))
    return text, meaning, {name: value for name, value in environ.items() if value is not None}


@given(case())
def test_means_what_it_was_built_to_mean(built: tuple[str, str | None, dict[str, str]]) -> None:
    text, meaning, environ = built
    if meaning is None:
        with pytest.raises(MissingVariableError):
            expand(text, environ)
    else:
        assert expand(text, environ).text == meaning
