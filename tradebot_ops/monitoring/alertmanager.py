"""Add the channels that are configured to Alertmanager's receivers. Pure: settings and text in, text out.

Alertmanager never expands environment variables, so its file cannot name a Slack channel "if there is one". The
file in ``config/alertmanager`` is complete without any channel; this adds them. Secrets stay in files: only their
paths are written.
"""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from typing import Any
from urllib.parse import urlsplit

from tradebot_ops.errors import OpsError
from tradebot_ops.settings.forms import is_on
from tradebot_ops.text import yaml_
from tradebot_ops.text.sentences import ended

SECRETS = "/run/secrets"
_LINT = "tradebot alerts lint"
#: Who gets what: critical reaches whoever is on call, warnings and news of jobs a place people read, info only the
#: store.
_REACH = {
    "critical": ("slack", "email", "pagerduty", "opsgenie", "webhook"),
    "warning": ("slack", "email", "webhook"),
    "jobs": ("slack", "email", "webhook"),
}
#: News is not over: nobody is to be sent its end.
_NEWS = {"jobs"}

_TITLE = (
    '{{ if eq .CommonLabels.alertname "JobEnded" }}{{ .CommonLabels.job_type }} {{ .CommonLabels.outcome }}{{ else }}'
    '{{ if eq .Status "firing" }}{{ .CommonLabels.severity | toUpper }}{{ else }}RESOLVED{{ end }} '
    "{{ .CommonLabels.alertname }}{{ end }}"
)
_TEXT = (
    "{{ range .Alerts }}{{ .Annotations.summary }}\n{{ .Annotations.description }}\n"
    "{{ .Annotations.runbook_url }}\n{{ end }}"
)


@dataclass(frozen=True)
class Channels:
    """Receiver kind (Alertmanager's own name without ``_configs``) -> its settings, ready to be written."""

    configs: Mapping[str, Mapping[str, Any]]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.configs)

    @property
    def secret_files(self) -> tuple[str, ...]:
        """The names of the secrets that must exist before Alertmanager can start with these channels."""
        values = [value for config in self.configs.values() for value in _leaves(config)]
        return tuple(value.removeprefix(f"{SECRETS}/") for value in values if value.startswith(f"{SECRETS}/"))


def channels(settings: Mapping[str, str]) -> Channels:
    """The channels that ``settings`` switch on.

    ``ALERT_SLACK_CHANNEL``; ``ALERT_EMAIL_TO`` with ``ALERT_EMAIL_FROM`` and ``ALERT_EMAIL_SMARTHOST`` (host:port) and,
    where the server wants a login, ``ALERT_EMAIL_USERNAME``; ``ALERT_PAGERDUTY``, ``ALERT_OPSGENIE`` and
    ``ALERT_WEBHOOK`` (``on``). Raises ``OpsError`` (TB-0851) when a channel is configured by halves.
    """
    found: dict[str, Mapping[str, Any]] = {}
    if channel := settings.get("ALERT_SLACK_CHANNEL", ""):
        found["slack"] = {
            "channel": channel,
            "api_url_file": f"{SECRETS}/slack_webhook_url",
            "send_resolved": True,
            "title": _TITLE,
            "text": _TEXT,
        }
    if settings.get("ALERT_EMAIL_TO", ""):
        found["email"] = _email(settings)
    if _on(settings, "ALERT_PAGERDUTY"):
        found["pagerduty"] = {"routing_key_file": f"{SECRETS}/pagerduty_routing_key", "send_resolved": True}
    if _on(settings, "ALERT_OPSGENIE"):
        found["opsgenie"] = {"api_key_file": f"{SECRETS}/opsgenie_api_key", "send_resolved": True}
    if _on(settings, "ALERT_WEBHOOK"):
        found["webhook"] = {"url_file": f"{SECRETS}/alert_webhook_url", "send_resolved": True}
    return Channels(found)


def with_channels(text: str, chosen: Channels) -> str:
    """``text`` (alertmanager.yml) with the chosen channels in the receivers they belong to; as it was without any.

    Raises ``OpsError`` TB-0856 for a text that is no YAML mapping, TB-0855 for a channel that nobody would hear.
    """
    if not chosen.configs:
        return text
    config, write = _round_trip(text)
    routed = set(_routed(config.get("route")))
    waiting = dict.fromkeys(chosen.configs)
    for receiver in config.get("receivers") or ():
        name = receiver.get("name", "")
        for kind in _REACH.get(name, ()):
            if kind in chosen.configs:
                key = f"{kind}_configs"
                config_of = dict(chosen.configs[kind]) | ({"send_resolved": False} if name in _NEWS else {})
                receiver[key] = [*(receiver.get(key) or ()), config_of]
                if name in routed:
                    waiting.pop(kind, None)
    if waiting:
        raise _unreached([*waiting])
    return write()


def _round_trip(text: str) -> tuple[Any, Callable[[], str]]:
    """The document, and what writes it as it then is: comments, quotes and order stay as the user has them."""
    from ruamel.yaml import YAML  # only who has channels pays for it
    from ruamel.yaml.error import YAMLError
    from ruamel.yaml.util import load_yaml_guess_indent

    writer = YAML()
    writer.preserve_quotes = True
    writer.width = sys.maxsize
    try:
        _, sequence, offset = load_yaml_guess_indent(text)
        config = writer.load(text)
    except YAMLError as error:
        raise OpsError(
            f"The file alertmanager.yml is not YAML: {ended(str(error))}", code="TB-0856", hint=_LINT
        ) from None
    if not isinstance(config, dict):
        raise OpsError("The file alertmanager.yml is not a mapping.", code="TB-0856", hint=_LINT)
    writer.indent(mapping=2, sequence=sequence or 2, offset=offset or 0)

    def write() -> str:
        stream = StringIO()
        writer.dump(config, stream)
        return stream.getvalue()

    return config, write


def _routed(route: Mapping[str, Any] | None) -> Iterator[str]:
    """Receivers that some route leads to."""
    if route:
        yield route.get("receiver") or ""
        for child in route.get("routes") or ():
            yield from _routed(child)


def _unreached(kinds: Sequence[str]) -> OpsError:
    kind = kinds[0]
    names = " or ".join(name for name, reached in _REACH.items() if kind in reached)
    channels = " and ".join(kinds).capitalize()
    return OpsError(
        f"{channels} would reach nobody: no route of alertmanager.yml leads to a receiver {names}.",
        code="TB-0855",
        hint=f"Name your receiver so, or write {kind}_configs into it and clear ALERT_{kind.upper()}*.",
    )


def channels_of(text: str) -> dict[str, dict[str, int]]:
    """Receiver -> kind of channel -> how many of it, read from a configuration; ``store`` and ``nobody`` left out."""
    config = yaml_.load(text) or {}
    return {
        receiver.get("name", ""): {
            key.removesuffix("_configs"): len(value)
            for key, value in receiver.items()
            if key.endswith("_configs") and value
        }
        for receiver in config.get("receivers") or ()
        if receiver.get("name") not in {"store", "nobody"}
    }


def check_url(name: str, value: str) -> None:
    """Refuse what cannot be a receiver's address before Alertmanager finds out at the first alert (TB-0852)."""
    parts = urlsplit(value.strip())
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise OpsError(
            f"The secret {name} is no URL: it must start with https:// and name a host.",
            code="TB-0852",
            hint=f"Put the receiver's URL into the secret file {name}.",
        )
    if name == "slack_webhook_url" and parts.scheme != "https":
        raise OpsError(f"The secret {name} must be an https:// URL.", code="TB-0852", hint="Copy it from Slack again.")


def _email(settings: Mapping[str, str]) -> dict[str, Any]:
    missing = [key for key in ("ALERT_EMAIL_FROM", "ALERT_EMAIL_SMARTHOST") if not settings.get(key)]
    if missing:
        raise OpsError(
            f"ALERT_EMAIL_TO is set but {' and '.join(missing)} is not, so no mail could be sent.",
            code="TB-0851",
            hint=f"Set {missing[0]} in .env, or clear ALERT_EMAIL_TO.",
        )
    config: dict[str, Any] = {
        "to": settings["ALERT_EMAIL_TO"],
        "from": settings["ALERT_EMAIL_FROM"],
        "smarthost": settings["ALERT_EMAIL_SMARTHOST"],
        "send_resolved": True,
        "headers": {"Subject": _TITLE},
    }
    if username := settings.get("ALERT_EMAIL_USERNAME", ""):
        config |= {"auth_username": username, "auth_password_file": f"{SECRETS}/smtp_password"}
    return config


def _on(settings: Mapping[str, str], key: str) -> bool:
    try:
        return is_on(settings.get(key, ""))
    except ValueError as error:
        raise OpsError(f"{key}: {error}.", code="TB-0851", hint=f"Set {key} in .env to on or off.") from None


def _leaves(node: Any) -> list[str]:
    if isinstance(node, str):
        return [node]
    if isinstance(node, Mapping):
        return [leaf for value in node.values() for leaf in _leaves(value)]
    return []
