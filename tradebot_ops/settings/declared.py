"""The settings of the stack: one line each, and what follows from them where nobody says."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tradebot_ops import units
from tradebot_ops.settings import forms

#: What ``--env`` may say, and the value of ENVIRONMENT that it stands for.
ENVIRONMENTS = {"dev": "dev", "staging": "staging", "prod": "production"}
MAX_REPLICAS = 100
#: Seconds that a stopping worker may be granted for its running job.
MAX_DRAIN = 3600


@dataclass(frozen=True)
class Setting:
    """One setting of the stack. ``check`` returns the value as ``compose.yaml`` gets it, or raises ``ValueError``."""

    name: str
    default: str
    help: str
    check: Callable[[str], str]


def _environment(text: str) -> str:
    """By its own name, or by that of ``--env``: shells are full of ``ENVIRONMENT=prod``."""
    return forms.one_of(*ENVIRONMENTS.values())(ENVIRONMENTS.get(text.strip().lower(), text))


#: ``compose.yaml`` may use each as ``${NAME}``.
STACK_SETTINGS = (
    Setting("ENVIRONMENT", "dev", "What this stack is for", _environment),
    Setting("WORKER_REPLICAS", "2", "Workers that `up` starts; `scale` overrides it", forms.whole(0, MAX_REPLICAS)),
    Setting("WORKER_MEMORY_LIMIT", "2gb", "Memory one worker may use, its job included", forms.size),
    Setting("WORKER_GRACE_SECONDS", "30", "Time a stopping worker gives its running job", forms.whole(1, 3600)),
    Setting("REDIS_MAXMEMORY", "512mb", "Memory Redis may use; the queue is never evicted", forms.size),
    Setting("POSTGRES_SHARED_BUFFERS", "256mb", "Postgres' own cache", forms.kilobytes),
    Setting("POSTGRES_MAX_CONNECTIONS", "100", "Connections that Postgres accepts", forms.whole(10, 10_000)),
    Setting("API_MEMORY_LIMIT", "512mb", "Memory the API may use", forms.size),
    Setting("LOG_FORMAT", "json", "How API and workers write logs", forms.one_of("json", "console")),
    Setting("LOG_LEVEL", "info", "Least level that is logged", forms.one_of("debug", "info", "warning", "error")),
    Setting("API_PORT", "8010", "Port of the API", forms.port),
    Setting("API_ADDRESS", "127.0.0.1", "Address of the API; from outside all need keys", forms.address),
    Setting("API_SCHEME", "http", "http or https; certificate: `tradebot tls`", forms.one_of("http", "https")),
    Setting("MONITORING_SCHEME", "http", "http or https for the monitoring", forms.one_of("http", "https")),
    Setting("TLS_NAME", "localhost", "Name that clients compare with the certificate", forms.host),
    Setting("PROMETHEUS_PORT", "9090", "Port of Prometheus on 127.0.0.1", forms.port),
    Setting("ALERTMANAGER_PORT", "9093", "Port of Alertmanager on 127.0.0.1", forms.port),
    Setting("GRAFANA_PORT", "3000", "Port of Grafana on 127.0.0.1", forms.port),
    Setting("PROMETHEUS_RETENTION", "15d", "How long metrics are kept", forms.keeping),
    Setting("PROMETHEUS_RETENTION_SIZE", "2GB", "Disk that metrics may take; the oldest go first", forms.megabytes),
    Setting("PROMETHEUS_MEMORY_LIMIT", "1gb", "Memory Prometheus may use", forms.size),
    Setting("ALERT_HISTORY_DAYS", "90", "Days that the API keeps the history of alerts", forms.whole(1, 3650)),
    Setting("JOB_RETENTION_DAYS", "0", "Days that ended jobs are kept; 0: for ever", forms.whole(0, 36_500)),
    Setting("JOB_TIME_LIMITS", "", "Time limits by type of job: load_candles=1h", forms.time_limits),
    Setting("ALERT_SLACK_CHANNEL", "", "Slack channel; secret slack_webhook_url", str),
    Setting("ALERT_EMAIL_TO", "", "Address to mail; login: secret smtp_password", str),
    Setting("ALERT_EMAIL_FROM", "", "Sender of those mails", str),
    Setting("ALERT_EMAIL_SMARTHOST", "", "Mail server, host:port", str),
    Setting("ALERT_EMAIL_USERNAME", "", "Login at the mail server, if it wants one", str),
    Setting("ALERT_PAGERDUTY", "", "on or off; secret pagerduty_routing_key", forms.switch),
    Setting("ALERT_OPSGENIE", "", "on or off; secret opsgenie_api_key", forms.switch),
    Setting("ALERT_WEBHOOK", "", "on or off; secret alert_webhook_url", forms.switch),
    Setting("BOT_ADAPTER", "", "Kind of bot to watch: freqtrade", forms.name),
    Setting("BOT_URL", "", "Address of that bot's API", forms.private_address),
    Setting("BOT_OTHERS", "", "Bots that may not share its account", forms.private_addresses),
    Setting("BOT_USER", "tradebot", "Login at that bot; secret bot_password", str),
    Setting("WORKER_METRICS_PORT", "9091", "Port of worker 1's metrics on 127.0.0.1", forms.ports),
)


#: Settings that put services behind TLS when they are https, and those services.
SCHEMES = {"API_SCHEME": ("api",), "MONITORING_SCHEME": ("prometheus", "alertmanager", "grafana")}


def memory_limits(given: Mapping[str, str]) -> dict[str, str]:
    """Redis forks to rewrite its log and may double what changes meanwhile; Postgres wants as much again as its
    cache for sessions and sorting; a worker holds two jobs and itself."""
    redis = int(given["REDIS_MAXMEMORY"])
    postgres = units.size(given["POSTGRES_SHARED_BUFFERS"])
    return {
        "REDIS_MEMORY_LIMIT": str(2 * redis + 256 * 1024**2),
        "POSTGRES_MEMORY_LIMIT": str(2 * postgres + 1024**3),
        "JOB_MEMORY_LIMIT": str(int(given["WORKER_MEMORY_LIMIT"]) * 2 // 5),
    }
