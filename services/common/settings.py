"""Settings that the services read from their environment: addresses, secret files, sizes in 1024s."""

import re
import socket
from inspect import isfunction
from pathlib import Path
from typing import Annotated, Literal, get_type_hints
from urllib.parse import quote, urlsplit, urlunsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.common.jobtypes import time_limits

#: Beside the services, in a checkout as in an installed stack; the image has no such folder and gets it mounted.
DASHBOARD_FILE = Path(__file__).parents[2] / "config/grafana/dashboards/trading-bot-dashboard.json"
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?", re.IGNORECASE)
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}


def parse_size(value: object) -> object:
    """``512mb``, ``2g``, ``1.5GiB`` or bytes, all in 1024s; raises ``ValueError`` on anything else."""
    if not isinstance(value, str):
        return value
    if not (match := _SIZE.fullmatch(value.strip())):
        raise ValueError(f"{value!r} is not a size: write bytes, or a number with kb, mb, gb or tb (1024s)")
    return int(float(match[1]) * 1024 ** _POWERS[match[2].lower()])


Size = Annotated[int, BeforeValidator(parse_size)]


def _checked_limits(text: str) -> str:
    time_limits(text)
    return text


class Settings(BaseSettings):
    """Defaults are those of compose.yaml. Secrets come from files, so that no process listing shows them."""

    model_config = SettingsConfigDict(extra="ignore")

    database_url: str = "postgresql://tradebot@postgres:5432/tradebot"
    database_password_file: Path | None = None
    redis_url: str = "redis://redis:6379/0"
    redis_password_file: Path | None = None
    api_key_file: Path | None = None
    alert_token_file: Path | None = None
    # Where the API's dashboard asks, and what it draws; the page's password is the API key unless it has its own.
    prometheus_url: str = "http://prometheus:9090"
    prometheus_user: str = "tradebot"
    prometheus_password_file: Path | None = None
    # Where the API sends the news of jobs that was wished for.
    alertmanager_url: str = "http://alertmanager:9093"
    alertmanager_user: str = "tradebot"
    alertmanager_password_file: Path | None = None
    # Whom the API believes where these two answer over TLS, and for which name; without a file: whom Python believes.
    monitoring_ca_file: Path | None = None
    tls_name: str = "localhost"
    dashboard_file: Path = DASHBOARD_FILE
    dashboard_password_file: Path | None = None
    # The bot that trades elsewhere and is watched from here: none unless BOT_ADAPTER names its kind.
    bot_adapter: str = ""
    bot_url: str = ""
    bot_others: str = ""
    bot_user: str = "tradebot"
    bot_password_file: Path | None = None
    app_password_file: Path | None = None
    exporter_password_file: Path | None = None
    api_listen: str = "0.0.0.0:8010"
    # The host's address on which the API is published: a container listens on all of its own, whoever may reach it.
    # Empty where nobody says so: then it is the one it listens on.
    api_published_on: str = ""
    api_scheme: Literal["http", "https"] = "http"
    # PEM; read only where the scheme is https.
    api_tls_cert_file: Path | None = None
    api_tls_key_file: Path | None = None
    worker_metrics_listen: str = "0.0.0.0:9091"
    worker_name: str = Field(default_factory=socket.gethostname)
    worker_grace_seconds: float = Field(default=30.0, ge=0)
    worker_lease_seconds: float = Field(default=15.0, ge=2)
    # An exchange counts requests by the address they come from: workers of one name share its budget.
    exchange_address: str = Field(default="shared", max_length=100)
    job_memory_limit: Size = 1024**3
    # Read where the job types are found; here so that a service says at its start what is wrong with it.
    job_time_limits: Annotated[str, AfterValidator(_checked_limits)] = ""
    max_body_bytes: Size = 1024**2
    max_upload_bytes: Size = 512 * 1024**2
    alert_history_days: int = Field(default=90, ge=1)
    # 0: for ever. Dead jobs are kept in any case, until an operator purges them.
    job_retention_days: int = Field(default=0, ge=0)
    log_format: Literal["json", "console"] = "json"
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    environment: Literal["dev", "staging", "production"] = "dev"

    def published_on(self) -> str:
        """The address on which the API is reached; raises ``ValueError``."""
        return self.api_published_on or listen_address(self.api_listen)[0]

    def postgres_dsn(
        self, application: str, *, statement_timeout_s: float = 10.0, lock_timeout_s: float = 5.0
    ) -> SecretStr:
        """The DSN with password, the zone UTC, and the limits (0: none) that keep a hung Postgres from hanging us.

        To be revealed only in the call of the library that connects.
        """
        return self.postgres_dsns(application, statement_timeout_s, lock_timeout_s)[0]

    def postgres_dsns(
        self, application: str, statement_timeout_s: float = 10.0, lock_timeout_s: float = 5.0
    ) -> tuple[SecretStr, ...]:
        """The DSN; and while the password is being changed a second one, with the other password."""
        timeouts = {"statement_timeout": statement_timeout_s, "lock_timeout": lock_timeout_s}
        # A server made on a host west of Greenwich would else start each day of ours some hours late.
        options = ["-c TimeZone=UTC", *(f"-c {name}={value * 1000:.0f}" for name, value in timeouts.items())]
        limits = (
            f"connect_timeout=3&application_name={quote(application)}&options={quote(' '.join(options), safe='')}"
            "&keepalives_idle=10&keepalives_interval=3&keepalives_count=3&tcp_user_timeout=15000"
        )
        passwords = read_secrets(self.database_password_file) or (None,)
        return tuple(SecretStr(_with_password(self.database_url, each) + f"?{limits}") for each in passwords)

    def postgres_password(self) -> SecretStr | None:
        return read_secret(self.database_password_file)

    def redis_password(self) -> SecretStr | None:
        return read_secret(self.redis_password_file)

    def api_key(self) -> SecretStr | None:
        return read_secret(self.api_key_file)

    def api_tls_key(self) -> SecretStr | None:
        """The private key without the lines that every key has; None without a file, or while that is empty."""
        try:
            text = self.api_tls_key_file.read_text(encoding="utf-8") if self.api_tls_key_file else ""
        except FileNotFoundError:
            text = ""
        body = "\n".join(line for line in text.splitlines() if not line.startswith("-----"))
        return SecretStr(body) if body else None

    def app_password(self) -> SecretStr | None:
        return read_secret(self.app_password_file)

    def exporter_password(self) -> SecretStr | None:
        return read_secret(self.exporter_password_file)

    def alert_token(self) -> SecretStr | None:
        return read_secret(self.alert_token_file)

    def prometheus_password(self) -> SecretStr | None:
        return read_secret(self.prometheus_password_file)

    def alertmanager_password(self) -> SecretStr | None:
        return read_secret(self.alertmanager_password_file)

    def bot_password(self) -> SecretStr | None:
        return read_secret(self.bot_password_file)

    def dashboard_password(self) -> SecretStr | None:
        return read_secret(self.dashboard_password_file) or self.api_key()


def secrets_of(settings: Settings) -> dict[str, SecretStr]:
    """Every secret that these settings name, by the method that reads it: each one that returns a secret or None.

    By their types, so that a new one is among them without a second list.
    """
    readers = [name for name, member in vars(Settings).items() if _hint(member) == SecretStr | None]
    return {name: secret for name in readers if (secret := getattr(settings, name)()) is not None}


def _hint(member: object) -> object:
    return get_type_hints(member).get("return") if isfunction(member) else None


def read_secret(path: Path | None) -> SecretStr | None:
    """The secret in the file, its first line; None without a file; ``ValueError`` when it is empty."""
    return next(iter(read_secrets(path)), None)


def read_secrets(path: Path | None) -> tuple[SecretStr, ...]:
    """Every line of a secret file: the secret, and behind it, while it is being changed, the one that may be in force
    already. None without a file; ``ValueError`` when it is empty.
    """
    if path is None:
        return ()
    lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
    if not any(lines):
        raise ValueError(f"the secret file {path} is empty")
    return tuple(SecretStr(line) for line in lines if line)


def listen_address(value: str) -> tuple[str, int]:
    """``host:port`` of a listening address; raises ``ValueError``."""
    host, _, port = value.rpartition(":")
    if not host or not port.isdigit() or not 0 <= int(port) <= 65535:
        raise ValueError(f"{value!r} is not host:port")
    return host.removeprefix("[").removesuffix("]"), int(port)


def _with_password(url: str, secret: SecretStr | None) -> str:
    if secret is None:
        return url
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    password = quote(secret.get_secret_value(), safe="")
    return urlunsplit(parts._replace(netloc=f"{parts.username or ''}:{password}@{host}"))
