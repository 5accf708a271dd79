"""Settings are read and changed one by one: checked before anything is written, with what changes by it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.operations.seen import Made, made, refusal, whole
from tests.paths import ROOT
from tradebot_ops.context import Ops
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.errors import OpsError
from tradebot_ops.model import Report, Section
from tradebot_ops.operations import configure
from tradebot_ops.operations.project import example_env
from tradebot_ops.progress import OnProgress, ignore_progress
from tradebot_ops.records import DesiredReplicas
from tradebot_ops.settings import STACK_SETTINGS, load_settings

Open = Callable[..., Ops]

#: Another value than the default, of each form that settings have.
OTHER = {"dev": "staging", "json": "console", "info": "debug", "": "on", "tradebot": "trader", "http": "https"}
#: Where the default does not show the form.
FORMS = {
    "JOB_TIME_LIMITS": "sweep=2h",
    "API_ADDRESS": "127.0.0.2",
    "BOT_URL": "http://127.0.0.1:8080",
    "BOT_OTHERS": "http://127.0.0.1:8081",
    "TLS_NAME": "trading.example.com",
}


@pytest.fixture
def opened(tmp_path: Path) -> Open:
    """A context in a folder of its own, with these lines in its settings file."""

    def make(text: str = "", toml: str = "", **environ: str) -> Ops:
        (tmp_path / ".env").write_text(text, encoding="utf-8")
        (tmp_path / "tradebot.toml").write_text(toml, encoding="utf-8")
        environ = {"TRADEBOT_STATE": str(tmp_path / "state"), "HOME": str(tmp_path), **environ}
        return Ops(load_settings({"project": "demo"}, environ, tmp_path), StubEngine("demo"))

    return make


def changed(ops: Ops, values: dict[str, str | None], **options: bool) -> Report:
    return configure.change_settings(ops, values, ignore_progress, **options)


def data(report: Report) -> Any:
    return report.data


def written(tmp_path: Path) -> str:
    return (tmp_path / ".env").read_text(encoding="utf-8")


def test_a_value_is_printed_alone(opened: Open) -> None:
    assert configure.get(opened("LOG_LEVEL=debug\n"), "LOG_LEVEL").sections[0].lines == ("debug",)
    assert data(configure.get(opened(), "REDIS_MEMORY_LIMIT"))["origin"] == "not set"


@pytest.mark.parametrize("name", ["LOG_LEVL", "HOME", ""])
def test_what_nothing_reads_has_no_value(opened: Open, name: str) -> None:
    with pytest.raises(OpsError) as caught:
        configure.get(opened(), name)
    assert caught.value.code == "TB-0268"


def test_a_change_keeps_the_rest_of_the_file(opened: Open, tmp_path: Path) -> None:
    ops = opened("# mine\nLOG_LEVEL=debug\nOTHER=1\n")
    report = changed(ops, {"LOG_LEVEL": "warning", "WORKER_REPLICAS": "4"})
    assert written(tmp_path) == "# mine\nLOG_LEVEL=warning\nOTHER=1\nWORKER_REPLICAS=4\n"
    assert data(report)["restarts"] == ["migrate", "api", "worker"]
    assert data(report)["changes"][0] == {"name": "LOG_LEVEL", "before": "debug", "after": "warning"}


def test_a_setting_is_taken_out(opened: Open, tmp_path: Path) -> None:
    report = changed(opened("LOG_LEVEL=debug\nOLD_THING=1\n"), {"LOG_LEVEL": None, "OLD_THING": None})
    assert written(tmp_path) == ""
    assert [each["after"] for each in data(report)["changes"]] == ["info", ""]


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"WORKER_REPLICA": "4"}, "TB-0268"),
        ({"WORKER_REPLICAS": "many"}, "TB-0269"),
        ({"LOG_LEVEL": "warning", "API_PORT": "99999"}, "TB-0269"),
        ({"REDIS_MAXMEMORY": "4gb", "REDIS_MEMORY_LIMIT": "1gb"}, "TB-0815"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_written(
    opened: Open, tmp_path: Path, values: dict[str, str | None], code: str
) -> None:
    with pytest.raises(OpsError) as caught:
        changed(opened("LOG_LEVEL=debug\n"), values)
    assert caught.value.code == code
    assert written(tmp_path) == "LOG_LEVEL=debug\n"


def test_a_rehearsal_writes_nothing(opened: Open, tmp_path: Path) -> None:
    report = changed(opened(), {"LOG_LEVEL": "debug"}, dry_run=True, apply=True)
    assert written(tmp_path) == ""
    assert data(report)["restarts"] == ["migrate", "api", "worker"]


@pytest.mark.parametrize("stronger", [{"LOG_LEVEL": "error"}, {"toml": '[settings]\nLOG_LEVEL = "error"\n'}])
def test_what_outranks_the_file_is_named(opened: Open, stronger: dict[str, str]) -> None:
    report = changed(opened(**stronger), {"LOG_LEVEL": "debug"})
    assert "outranks the file" in report.warnings[0]
    assert data(report)["restarts"] == []


@pytest.mark.parametrize("word", ["LOG_LEVEL", "=debug", "LOG_LEVEL debug"])
def test_what_is_no_pair_is_refused(word: str) -> None:
    with pytest.raises(OpsError) as caught:
        configure.pairs([word])
    assert caught.value.code == "TB-0268"


def test_a_value_may_hold_an_equals_sign() -> None:
    assert configure.pairs(["A=b=c", "D="]) == {"A": "b=c", "D": ""}


def test_two_files_are_compared_and_secrets_are_not_shown(opened: Open, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("LOG_LEVEL=debug\nMY_TOKEN=one\nSAME=1\n")
    (tmp_path / "b").write_text("LOG_LEVEL=info\nMY_TOKEN=two\nSAME=1\nMORE=2\n")
    report = configure.diff(opened(), Path("a"), Path("b"))
    assert [tuple(each.values()) for each in data(report)] == [
        ("LOG_LEVEL", "debug", "info"),
        ("MORE", "not set", "2"),
        ("MY_TOKEN", "[REDACTED]", "[REDACTED]"),
    ]


# The table of settings


def other(default: str) -> str:
    """Another value of the same form."""
    if default in OTHER:
        return OTHER[default]
    digits = "".join(letter for letter in default if letter.isdigit())
    return default.replace(digits, str(2 * int(digits) + 1))


@pytest.mark.parametrize("setting", STACK_SETTINGS, ids=lambda each: each.name)
def test_every_setting_is_shown_explained_and_changes_the_stack(opened: Open, setting: Any) -> None:
    assert f"# {setting.help}.\n#{setting.name}={setting.default}\n" in example_env()
    assert data(configure.docs(opened(), setting.name))[0]["name"] == setting.name
    used = f"${{{setting.name}" in (ROOT / "compose.yaml").read_text(encoding="utf-8")
    assert used or setting.name.startswith("ALERT_")  # channels for alerts: tests/operations/monitoring
    if used:
        report = changed(opened(), {setting.name: FORMS.get(setting.name) or other(setting.default)}, dry_run=True)
        assert data(report)["restarts"] != []


def test_the_example_is_the_file_that_is_kept(opened: Open) -> None:
    assert data(configure.example())["text"] == (ROOT / ".env.production.example").read_text(encoding="utf-8")


def test_screens(opened: Open, tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    file = "LOG_LEVEL=warning\nAPI_PORT=8110\nBOT_PASSWORD=geheim\n"
    seen = [
        changed(opened(file), {"LOG_LEVEL": "debug"}),
        changed(opened(file), {"LOG_LEVEL": None, "API_PORT": "8111"}, dry_run=True),
        changed(opened(file), {"MONITORING_SCHEME": "http"}),
        changed(opened(file, LOG_LEVEL="error"), {"LOG_LEVEL": "debug", "API_PORT": "8112"}),
        configure.get(opened(file), "LOG_LEVEL"),
        configure.get(opened(file, REDIS_MEMORY_LIMIT="1gb"), "API_PORT"),
        configure.docs(opened(file), "LOG_LEVEL"),
    ]
    scaled = opened(file)
    scaled.state.store(DesiredReplicas({"worker": 3}))
    seen.append(changed(scaled, {"WORKER_REPLICAS": "4", "LOG_LEVEL": "debug"}))
    (tmp_path / "a.env").write_text("LOG_LEVEL=debug\nAPI_KEY=geheim\nAPI_PORT=1\n")
    (tmp_path / "b.env").write_text("LOG_LEVEL=info\nAPI_KEY=anders\nAPI_PORT=1\nONLY_HERE=x\n")
    seen.append(configure.diff(opened(), Path("a.env"), Path("b.env")))
    seen.append(configure.diff(opened(), Path("a.env"), Path("a.env")))
    text = "\n\n".join(whole(each) for each in seen)
    assert text.replace(str(tmp_path), "HOME") == snapshot
    assert "geheim" not in text


def test_refusals(opened: Open) -> None:
    docs = "tradebot config docs lists them."
    seen = []
    for act in (
        lambda: configure.get(opened(), "LOG_LEVLE"),
        lambda: changed(opened(), {"ZEBRA": "1"}),
        lambda: changed(opened(), {"ZEBRA": None}),
        lambda: configure.docs(opened(), "ZEBRA"),
        lambda: configure.pairs(["LOG_LEVEL"]),
        lambda: configure.pairs(["=x"]),
    ):
        with pytest.raises(OpsError) as raised:
            act()
        seen.append(refusal(raised.value))
    assert seen == [
        ("TB-0268", "Nothing reads a setting LOG_LEVLE.", f"Did you mean `LOG_LEVEL`? {docs}"),
        *[("TB-0268", "Nothing reads a setting ZEBRA.", docs)] * 3,
        ("TB-0268", "'LOG_LEVEL' is no setting with its value.", "Write NAME=VALUE: LOG_LEVEL=warning"),
        ("TB-0268", "'=x' is no setting with its value.", "Write NAME=VALUE: LOG_LEVEL=warning"),
    ]
    with pytest.raises(OpsError) as raised:
        changed(opened(), {"LOG_LEVEL": "loud"})
    assert (raised.value.code, raised.value.hint) == ("TB-0269", "tradebot config docs LOG_LEVEL")
    assert raised.value.message.startswith("LOG_LEVEL: ")
    assert raised.value.message.endswith(".")


@pytest.mark.parametrize(("text", "verb"), [("debug", "config set"), (None, "config unset")])
def test_the_audit_log_has_the_names(
    opened: Open, monkeypatch: pytest.MonkeyPatch, text: str | None, verb: str
) -> None:
    ops = opened("LOG_LEVEL=warning\n")
    values = {"LOG_LEVEL": text, "API_PORT": None}

    def act(heard: OnProgress) -> None:
        configure.change_settings(ops, values, heard)

    assert made(monkeypatch, act) == [Made((verb, "LOG_LEVEL", "API_PORT"))]


def test_to_apply_it_is_one_change_with_the_new_settings(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[object, ...]] = []

    def up(ops: Ops, services: list[str], heard: object, *, prove: bool) -> Report:
        asked.append((ops.settings.stack["LOG_LEVEL"].text, services, heard, prove))
        return Report(sections=(Section(lines=("It is up.",)),))

    monkeypatch.setattr(configure, "up", up)
    ops = opened("LOG_LEVEL=warning\n")
    report = changed(ops, {"LOG_LEVEL": "debug"}, apply=True)
    assert asked == [("debug", [], ignore_progress, False)]
    assert report.sections[0].lines == (f"Written to {ops.settings.env_file}.", "It is up.")
    changed(opened(), {"LOG_LEVEL": "debug"}, apply=True, dry_run=True)
    assert len(asked) == 1
