"""Prometheus' configuration for services that are processes of this host. Pure: text in, text out.

``config/prometheus/prometheus.yml`` is written for a network where services have names. What differs on a host
without one is changed here, and nothing else; the head of that file promises the same to its editors.
"""

import json
from collections.abc import Callable, Collection, Mapping
from pathlib import PurePath
from typing import Any

import yaml

from tradebot_ops.errors import OpsError
from tradebot_ops.text import yaml_
from tradebot_ops.text.sentences import ended

Rewrite = Callable[[str], str]


def on_this_host(
    text: str, *, rewrite: Rewrite, present: Collection[str], discovery: Mapping[str, str], folder: PurePath
) -> str:
    """The configuration with every address and path as this host has them.

    ``rewrite`` turns ``service:port`` and mount paths inside one string into those of this host. ``present`` names
    the services that run here; a job with a target elsewhere is left out. ``discovery`` maps a service that is
    looked up by name to the file its targets are written to (see :func:`discovery_file`). ``folder`` is where the file
    came from: relative ``rule_files`` are meant from there. Raises ``OpsError`` (TB-0850) when the text is no mapping.
    """
    try:
        config = yaml_.load(text)
    except yaml.YAMLError as error:
        raise OpsError(f"prometheus.yml is not YAML: {ended(str(error))}", code="TB-0850") from error
    if not isinstance(config, dict):
        raise OpsError("prometheus.yml is not a mapping.", code="TB-0850", hint="tradebot alerts lint")
    jobs = [job for job in config.get("scrape_configs", []) if _runs_here(job, present, discovery)]
    config["scrape_configs"] = [_job(job, rewrite, discovery) for job in jobs]
    config["rule_files"] = [str(folder / pattern) for pattern in config.get("rule_files", [])]
    config["alerting"] = _strings(config.get("alerting", {}), rewrite)
    return yaml.safe_dump(config, sort_keys=False)


def discovery_file(targets: Mapping[str, str]) -> str:
    """The contents of a ``file_sd`` file: replica name (shown as ``instance``) -> ``host:port``."""
    return json.dumps(
        [{"targets": [address], "labels": {"instance": name}} for name, address in sorted(targets.items())]
    )


def _runs_here(job: Mapping[str, Any], present: Collection[str], discovery: Mapping[str, str]) -> bool:
    targets = [target for group in job.get("static_configs", []) for target in group["targets"]]
    looked_up = [name for found in job.get("dns_sd_configs", []) for name in found["names"]]
    return all(target.partition(":")[0] in present for target in targets) and discovery.keys() >= set(looked_up)


def _job(job: Mapping[str, Any], rewrite: Rewrite, discovery: Mapping[str, str]) -> dict[str, Any]:
    changed: dict[str, Any] = {}
    for key, value in job.items():
        if key == "static_configs":
            changed[key] = [_named(target, rewrite) for group in value for target in group["targets"]]
        elif key == "dns_sd_configs":
            names = [name for found in value for name in found["names"]]
            changed["file_sd_configs"] = [{"files": [discovery[name] for name in names], "refresh_interval": "5s"}]
        else:
            changed[key] = _strings(value, rewrite)
    return changed


def _named(target: str, rewrite: Rewrite) -> dict[str, Any]:
    """A static target that keeps its written name, so that alerts read the same on every engine."""
    return {"targets": [rewrite(target)], "labels": {"instance": target}}


def _strings(node: Any, rewrite: Rewrite) -> Any:
    if isinstance(node, str):
        return rewrite(node)
    if isinstance(node, list):
        return [_strings(item, rewrite) for item in node]
    if isinstance(node, dict):
        return {key: _strings(value, rewrite) for key, value in node.items()}
    return node
