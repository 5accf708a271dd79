"""Have Prometheus and Alertmanager ask over TLS those services that answer so. Pure: text in, text out.

Neither program expands variables, so their files in ``config/`` cannot say "https if it is on". They say http; where it
is on, this says so in a copy.
"""

from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import urlsplit

import yaml

from tradebot_ops.errors import OpsError
from tradebot_ops.text import yaml_
from tradebot_ops.text.sentences import ended

#: Where both find the authority's certificate, as compose.yaml mounts it.
CA_FILE = "/run/secrets/tls_ca"


def prometheus(text: str, secured: Collection[str], name: str) -> str:
    """``prometheus.yml`` with the jobs and Alertmanagers among ``secured`` services asked over TLS, as ``name``.

    Raises ``OpsError`` TB-0863 for a text that is no YAML mapping.
    """
    config = _mapping(text, "prometheus.yml")
    asked = [*(config.get("scrape_configs") or ()), *((config.get("alerting") or {}).get("alertmanagers") or ())]
    for job in asked:
        if _services(job) & set(secured):
            job |= {"scheme": "https", "tls_config": _tls(name) | (job.get("tls_config") or {})}
    return _written(config)


def alertmanager(text: str, secured: Collection[str], name: str) -> str:
    """``alertmanager.yml`` with the webhooks of ``secured`` services sent over TLS. Raises as ``prometheus`` does."""
    config = _mapping(text, "alertmanager.yml")
    for receiver in config.get("receivers") or ():
        for hook in receiver.get("webhook_configs") or ():
            url = urlsplit(str(hook.get("url", "")))
            if url.scheme == "http" and url.hostname in secured:
                http = hook.get("http_config") or {}
                hook["url"] = url._replace(scheme="https").geturl()
                hook["http_config"] = http | {"tls_config": _tls(name) | (http.get("tls_config") or {})}
    return _written(config)


def _services(job: Mapping[str, Any]) -> set[str]:
    """Services by whose name a job finds its targets."""
    fixed = [target for group in job.get("static_configs") or () for target in group.get("targets") or ()]
    looked_up = [name for config in job.get("dns_sd_configs") or () for name in config.get("names") or ()]
    return {str(target).partition(":")[0] for target in (*fixed, *looked_up)}


def _tls(name: str) -> dict[str, str]:
    return {"ca_file": CA_FILE, "server_name": name}


def _mapping(text: str, file: str) -> dict[str, Any]:
    try:
        config = yaml_.load(text)
    except yaml.YAMLError as error:
        raise _unusable(f"{file} is not YAML: {ended(str(error))}") from None
    if not isinstance(config, dict):
        raise _unusable(f"{file} is not a mapping.")
    return config


def _unusable(message: str) -> OpsError:
    return OpsError(message, code="TB-0863", hint="tradebot alerts lint")


def _written(config: Mapping[str, Any]) -> str:
    return yaml.safe_dump(config, sort_keys=False, allow_unicode=True, width=10_000)
