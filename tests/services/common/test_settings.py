"""Settings: sizes in 1024s, secrets from files, DSNs with password and limits."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from services.common.database import Database
from services.common.settings import Settings, listen_address, parse_size, read_secret


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("512mb", 512 * 1024**2),
        ("2g", 2 * 1024**3),
        ("1.5GiB", 1536 * 1024**2),
        (" 10 kb ", 10240),
        ("7", 7),
        (7, 7),
    ],
)
def test_sizes(text: object, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "mb", "1 petabyte", "-1mb", "1,5gb", "1e3"])
def test_what_is_not_a_size(text: str) -> None:
    with pytest.raises(ValueError, match="is not a size"):
        parse_size(text)


def test_the_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOB_MEMORY_LIMIT", "256mb")
    monkeypatch.setenv("ENVIRONMENT", "production")
    settings = Settings()
    assert (settings.job_memory_limit, settings.environment) == (256 * 1024**2, "production")


def test_a_service_does_not_start_with_time_limits_that_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOB_TIME_LIMITS", "sweep=60")
    assert Settings().job_time_limits == "sweep=60"
    monkeypatch.setenv("JOB_TIME_LIMITS", "sweep=soon")
    with pytest.raises(ValidationError, match="(?s)job_time_limits.*'sweep=soon' is no type with seconds"):
        Settings()


def test_a_wrong_setting_names_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOG_FORMAT", "xml")
    with pytest.raises(ValidationError, match="log_format"):
        Settings()


def test_a_dsn_holds_the_quoted_password(tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text("p@ss/w:rd\n")
    settings = Settings(database_password_file=secret)
    dsn = settings.postgres_dsn("api", statement_timeout_s=5).get_secret_value()
    assert dsn.startswith("postgresql://tradebot:p%40ss%2Fw%3Ard@postgres:5432/tradebot?connect_timeout=3&")
    assert "statement_timeout%3D5000" in dsn
    assert "TimeZone%3DUTC" in dsn


def test_without_a_secret_file_the_url_stays_as_it_is() -> None:
    dsn = Settings(database_url="postgresql://me@localhost:1/db").postgres_dsn("api").get_secret_value()
    assert dsn.startswith("postgresql://me@localhost:1/db?connect_timeout=3&")


def test_secrets_do_not_show(tmp_path: Path) -> None:
    secret = tmp_path / "key"
    secret.write_text("very-secret-key\n")
    found = read_secret(secret)
    assert found is not None
    assert found.get_secret_value() == "very-secret-key"
    assert "very-secret-key" not in repr(found)


def test_a_dsn_does_not_show_its_password(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("very-secret-key\n")
    settings = Settings(database_password_file=tmp_path / "password")
    dsn = settings.postgres_dsn("api")
    assert "very-secret-key" not in f"{dsn} {dsn!r}"
    assert "very-secret-key" not in repr(vars(Database(settings, "api")._pool))


def test_an_empty_secret_is_refused(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(" \n")
    with pytest.raises(ValueError, match="is empty"):
        read_secret(tmp_path / "key")


def test_listen_addresses() -> None:
    assert listen_address("0.0.0.0:8010") == ("0.0.0.0", 8010)
    assert listen_address("[::1]:8010") == ("::1", 8010)
    for wrong in ("8010", ":8010", "host:", "host:http", "host:70000"):
        with pytest.raises(ValueError, match="is not host:port"):
            listen_address(wrong)


@pytest.mark.parametrize(
    ("name", "least"),
    [
        ("worker_grace_seconds", 0),
        ("worker_lease_seconds", 2),
        ("alert_history_days", 1),
        ("job_retention_days", 0),
    ],
)
def test_the_least_of_a_number_is_taken_and_less_is_not(name: str, least: int) -> None:
    assert getattr(Settings(**{name: least}), name) == least  # type: ignore[arg-type]
    for less in (least - 1, least - 0.5):
        with pytest.raises(ValidationError, match=name):
            Settings(**{name: less})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "address"),
    [("0.0.0.0:0", ("0.0.0.0", 0)), ("[::1]:65535", ("::1", 65535)), ("65536", None), ("a:65536", None), (":1", None),
     ("a:-1", None), ("a:", None)],
)  # fmt: skip
def test_a_port_is_from_0_to_65535(text: str, address: tuple[str, int] | None) -> None:
    if address:
        assert listen_address(text) == address
        return
    with pytest.raises(ValueError, match="is not host:port"):
        listen_address(text)
