"""The project's name out of the description, and names that nothing reads."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.operations.seen import refusal
from tests.paths import ROOT
from tradebot_ops.errors import OpsError
from tradebot_ops.settings import Settings, load_settings
from tradebot_ops.stack.described import OWN, completed

Completed = Callable[..., Settings]


@pytest.fixture
def settled(tmp_path: Path) -> Completed:
    """Settings of a folder with these files."""

    def run(compose: str, *, environ: dict[str, str] | None = None, **files: str) -> Settings:
        (tmp_path / "compose.yaml").write_text(compose, encoding="utf-8")
        names = {"dotenv": ".env", "toml": "tradebot.toml", "override": "compose.override.yaml"}
        for name, text in files.items():
            (tmp_path / names[name]).write_text(text, encoding="utf-8")
        return completed(load_settings({}, environ or {}, tmp_path))

    return run


def test_the_name_of_the_description_comes_after_every_choice(settled: Completed) -> None:
    assert settled("name: mine\n").project == "mine"
    assert settled("services:\n  name: {image: a}\n", override="name: theirs\n").project == "theirs"
    assert settled("name: mine\n", override="name: theirs\n").project == "theirs", "the later file wins"
    assert settled("name: mine\n", environ={"TRADEBOT_PROJECT": "chosen"}).project == "chosen"
    assert settled("name: mine\n", toml='project = "filed"\n').project == "filed"
    assert settled("services: {}\n", toml="", override="").project == "tradebot"


@pytest.mark.parametrize(
    ("text", "code", "why"),
    [("name: '..'", "TB-0815", "cannot name a project"), ("name: ${NOBODY}", "TB-0814", "needs the variable NOBODY")],
)
def test_a_name_that_is_none_is_named_with_its_place(settled: Completed, text: str, code: str, why: str) -> None:
    with pytest.raises(OpsError, match=rf"compose\.yaml:2: name .*{why}") as caught:
        settled(f"# a stack\n{text}\n")
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("files", "environ", "expected"),
    [
        (
            {"dotenv": "WORKER_REPLICA=3\n"},
            {},
            "WORKER_REPLICA (.env) is read by nothing. Did you mean `WORKER_REPLICAS`?",
        ),
        ({"dotenv": "MY_IMGE=a\n"}, {}, "MY_IMGE (.env) is read by nothing. Did you mean `MY_IMAGE`?"),
        (
            {"toml": '[settings]\nLOGLEVEL = "debug"\n'},
            {},
            "LOGLEVEL (tradebot.toml) is read by nothing. Did you mean `LOG_LEVEL`?",
        ),
        (
            {},
            {"TRADEBOT_PROJCT": "x"},
            "TRADEBOT_PROJCT (environment) is read by nothing. Did you mean `TRADEBOT_PROJECT`?",
        ),
        ({"dotenv": "MY_OWN_THING=1\nMY_TAG=1\n"}, {"WORKER_REPLICA": "3", "TRADEBOT_ZZZ": "1"}, ""),
    ],
)
def test_what_is_almost_a_setting(
    settled: Completed, files: dict[str, str], environ: dict[str, str], expected: str
) -> None:
    compose = "services: {a: {image: '${MY_IMAGE:-a}:${MY_TAG:-1}'}}\n"
    assert settled(compose, environ=environ, **files).warnings == ((expected,) if expected else ())


def test_every_variable_of_ours_is_known() -> None:
    """One that is read somewhere and missing here would be called misspelt."""
    files = [*(ROOT / "tradebot_ops").rglob("*.py"), *(ROOT / "services").rglob("*.py"), ROOT / "compose.yaml"]
    named = {name for file in files for name in re.findall(r"\bTRADEBOT_[A-Z_]*[A-Z]\b", file.read_text("utf-8"))}
    assert named - OWN == set()


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("My Bot", "mybot"),
        ("_-my-bot_-", "my-bot_-"),
        ("0 bots!", "0bots"),
        ("${BOT:-One}_${TWO}", "one_2"),
    ],
)
def test_a_name_is_made_to_fit_as_compose_does_it(settled: Completed, written: str, name: str) -> None:
    assert settled(f"name: {written}\n", environ={"TWO": "2"}).project == name


def test_each_way_to_have_no_name_says_what_to_write(settled: Completed) -> None:
    for text, hint in (
        ("name: '..'", "Use lower-case letters, digits, '-' and '_', starting with a letter or digit: -p trading_bot"),
        ("name: ${NOBODY}", "Write a name there, or give one with -p."),
    ):
        with pytest.raises(OpsError) as caught:
            settled(f"{text}\n")
        assert hint in f"{caught.value.hint} {caught.value.detail} {caught.value.message}"


def test_a_file_that_cannot_be_read_hides_no_other(settled: Completed, tmp_path: Path) -> None:
    settled("name: mine\n", override="x: 1\n")
    (tmp_path / "compose.override.yaml").write_bytes(b"name: \xff\n")
    assert completed(load_settings({}, {}, tmp_path)).project == "mine"


def test_files_that_were_named_are_read_from_where_they_are(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "bot.yaml").write_text("name: theirs\n", encoding="utf-8")
    assert completed(load_settings({"files": ["there/bot.yaml"]}, {}, tmp_path)).project == "theirs"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('name: "mine" # ours\n', "mine"),
        ("name: 'mine'\n", "mine"),
        ("name: mine # ours\n", "mine"),
        ("name:\tmine  \n", "mine"),
        ("name: mine#1\n", "mine1"),
        ("# name: other\nservices: {}\nname: mine\n", "mine"),
        ("services:\n  name: other\n", "tradebot"),
        ("name:\nservices: {}\n", "tradebot"),
    ],
)
def test_a_name_in_each_spelling(settled: Completed, text: str, name: str) -> None:
    assert settled(text).project == name


def test_a_problem_of_the_name_is_said_in_full(settled: Completed, tmp_path: Path) -> None:
    hint = "Use lower-case letters, digits, '-' and '_', starting with a letter or digit: -p trading_bot"
    file = tmp_path / "compose.yaml"
    for text, expected in (
        ("\n\nname: '..'\n", ("TB-0815", f"{file}:3: name is '..', which cannot name a project.", hint)),
        ("name: a${\n", ("TB-0814", f"{file}:1: name ", "Write a name there, or give one with -p.")),
    ):
        with pytest.raises(OpsError) as caught:
            settled(text)
        code, message, said = refusal(caught.value)
        assert (code, message[: len(expected[1])], said) == expected


def test_warnings_come_after_those_that_were_there(settled: Completed, tmp_path: Path) -> None:
    settled("services: {}\n", dotenv="WORKER_REPLICA=3\nTRADEBOT_PROJCT=x\nLOG_FILE=x\nTRADEBOT_ZZZ=1\n")
    given = replace(load_settings({}, {"MY_IMGE": "a"}, tmp_path), warnings=("first",))
    assert completed(given).warnings == (
        "first",
        "TRADEBOT_PROJCT (.env) is read by nothing. Did you mean `TRADEBOT_PROJECT`?",
        "WORKER_REPLICA (.env) is read by nothing. Did you mean `WORKER_REPLICAS`?",
    )


def test_what_the_description_mentions_is_read(settled: Completed) -> None:
    text = "services: {a: {image: '${WORKER_REPLICA}', command: [$API_PRT, loglevel]}}\n"
    assert settled(text, dotenv="WORKER_REPLICA=1\nAPI_PRT=2\n").warnings == ()
    (warning,) = settled("x: [log_levl]\n", dotenv="LOG_LEVL=1\n").warnings
    assert "`LOG_LEVEL`" in warning, "a word in lower case is no variable"
