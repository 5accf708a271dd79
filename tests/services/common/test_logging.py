"""Logging: one shape for all loggers, secrets taken out by name, by value and from URLs."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from structlog.testing import capture_logs

from services.common.logging import REDACTED, Redactor, _any_of, configure_logging, redactor_for
from services.common.settings import Settings


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers, root.level = handlers, level
    logging.captureWarnings(capture=False)
    structlog.contextvars.clear_contextvars()
    structlog.reset_defaults()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "key").write_text("sesame-open-now\n")
    return Settings(api_key_file=tmp_path / "key", log_format="json")


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_our_lines_and_those_of_libraries_have_one_shape(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logging(settings)
    structlog.contextvars.bind_contextvars(request_id="r1")
    structlog.get_logger("ours").info("hello", n=1)
    logging.getLogger("theirs").warning("hello %s", "world", extra={"n": 2})
    ours, theirs = lines(capsys)
    assert (ours["event"], ours["level"], ours["logger"], ours["n"]) == ("hello", "info", "ours", 1)
    assert (theirs["event"], theirs["level"]) == ("hello world", "warning")
    assert (theirs["logger"], theirs["n"]) == ("theirs", 2)
    assert ours["request_id"] == theirs["request_id"] == "r1"
    assert ours["timestamp"].endswith("Z")


def test_waiting_for_redis_is_not_critical(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(settings)
    consumer = logging.getLogger("dramatiq.worker.ConsumerThread(jobs)")
    consumer.critical("Consumer encountered a connection error: %s", "refused")
    consumer.critical("Consumer encountered an unexpected error.")
    assert [line["level"] for line in lines(capsys)] == ["warning", "critical"]


def test_secrets_are_taken_out(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(settings)
    log = structlog.get_logger("ours")
    log.info(
        "got sesame-open-now",
        password="hunter2",
        lease_token=7,
        url="redis://user:hunter2@host:1/0",
        headers={"X-API-Key": "hunter2", "Accept": "text"},
        words=["sesame-open-now"],
    )
    try:
        int("postgresql://u:hunter2@h/db sesame-open-now")
    except ValueError:
        log.exception("failed")
    logging.getLogger("theirs").error("sesame-open-now")
    text = capsys.readouterr().out
    assert "hunter2" not in text
    assert "sesame" not in text
    first = json.loads(text.splitlines()[0])
    assert first["lease_token"] == 7
    assert first["headers"] == {"X-API-Key": REDACTED, "Accept": "text"}
    assert first["url"] == f"redis://user:{REDACTED}@host:1/0"


def test_every_secret_file_of_the_settings_is_taken_out(tmp_path: Path) -> None:
    public = {"dashboard_file", "api_tls_cert_file", "monitoring_ca_file"}
    names = [name for name in Settings.model_fields if name.endswith("_file") and name not in public]
    assert len(names) >= 8
    for name in names:
        (tmp_path / name).write_text(f"sesame-of-{name}\n")
    redactor = redactor_for(Settings().model_copy(update={name: tmp_path / name for name in names}))
    shown = [name for name in names if redactor.text(f"sesame-of-{name}") != REDACTED]
    assert shown == []


def test_a_private_key_is_taken_out_and_the_lines_that_every_key_has_are_not(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("-----BEGIN PRIVATE KEY-----\nfirst+half\nsecond/half\n-----END PRIVATE KEY-----\n")
    redactor = redactor_for(Settings(api_tls_key_file=key))
    assert redactor.text("a first+half\nsecond/half b") == f"a {REDACTED} b"
    assert redactor.text("-----BEGIN PRIVATE KEY-----") == "-----BEGIN PRIVATE KEY-----"
    for unused in (tmp_path / "none", tmp_path / "empty"):
        (tmp_path / "empty").touch()
        assert Settings(api_tls_key_file=unused).api_tls_key() is None


def test_the_level_is_kept(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(settings.model_copy(update={"log_level": "warning"}))
    structlog.get_logger("ours").info("hidden")
    structlog.get_logger("ours").warning("shown")
    assert [line["event"] for line in lines(capsys)] == ["shown"]


def test_a_later_configuration_holds_for_a_logger_that_has_written(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    log = structlog.get_logger("ours")
    configure_logging(settings)
    log.info("first")
    configure_logging(settings.model_copy(update={"log_format": "console"}))
    log.info("second")
    with capture_logs() as logs:
        log.info("third")
    first, second = capsys.readouterr().out.splitlines()
    assert json.loads(first)["event"] == "first"
    assert "second" in second
    assert not second.startswith("{")
    assert [each["event"] for each in logs] == ["third"]


def test_console_lines_are_for_people(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(settings.model_copy(update={"log_format": "console"}))
    structlog.get_logger("ours").info("hello", n=1)
    text = capsys.readouterr().out
    assert "hello" in text
    assert "n=1" in text
    assert not text.startswith("{")


def test_short_secrets_do_not_tear_words_apart() -> None:
    assert Redactor(["a", ""]).text("a bad day") == "a bad day"


def test_of_two_secrets_that_begin_alike_nothing_is_left() -> None:
    """While a password is being changed both are known, and one may be the beginning of the other."""
    for secrets in (["hunter2-hunter2", "hunter2-hunter2-more"], ["hunter2-hunter2-more", "hunter2-hunter2"]):
        pattern = _any_of(secrets)
        assert pattern is not None
        assert pattern.sub("*", "one hunter2-hunter2-more, two hunter2-hunter2") == "one *, two *"
