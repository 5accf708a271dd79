"""Prometheus' configuration for services that are processes of this host. Pure: text in, text out.

``config/prometheus/prometheus.yml`` is written for a network where services have names. What differs on a host
without one is changed here, and nothing else; the head of that file promises the same to its editors.
"""

import json
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

import yaml

from tradebot_ops.errors import OpsError
from tradebot_ops.text import yaml_
from tradebot_ops.text.sentences import ended

Rewrite = Callable[[str], str]
#: The name on the network that services of the user's own take to be scraped, and the port that Prometheus asks.
BOTS, BOTS_PORT = "bots", "9100"
#: Keys of a job that end as its sources of targets do, and are none.
_RELABEL = frozenset({"relabel_configs", "metric_relabel_configs"})


@dataclass(frozen=True)
class Rendered:
    """The configuration for this host, and a service with a clause for each thing that was left out of it."""

    text: str
    left_out: tuple[tuple[str, str], ...] = ()


def on_this_host(
    text: str, *, rewrite: Rewrite, absent: Collection[str], discovery: Mapping[str, str], folder: PurePath
) -> Rendered:
    """The configuration with every address and path as this host has them.

    ``rewrite`` turns ``service:port`` and mount paths inside one string into those of this host. ``absent`` names the
    services of the stack that do not run here: as targets they are left out, and so is a job without any other. Targets
    that are no service stay as they are. ``discovery`` maps a service that is looked up by name to the file its targets
    are written to (see :func:`discovery_file`). ``folder`` is where the file came from: relative ``rule_files`` are
    meant from there. Raises ``OpsError`` (TB-0850) when the text is no mapping.
    """
    try:
        config = yaml_.load(text)
    except yaml.YAMLError as error:
        raise OpsError(f"prometheus.yml is not YAML: {ended(str(error))}", code="TB-0850") from error
    if not isinstance(config, dict):
        raise OpsError("prometheus.yml is not a mapping.", code="TB-0850", hint="tradebot alerts lint")
    here = _Here(rewrite, absent, discovery, [])
    config["scrape_configs"] = [*filter(None, map(here.job, config.get("scrape_configs") or ()))]
    config["rule_files"] = [str(folder / pattern) for pattern in config.get("rule_files") or ()]
    config["alerting"] = _strings(config.get("alerting") or {}, rewrite)
    return Rendered(yaml.safe_dump(config, sort_keys=False), tuple(here.left_out))


def discovery_file(targets: Mapping[str, str]) -> str:
    """The contents of a ``file_sd`` file: replica name (shown as ``instance``) -> ``host:port``."""
    return json.dumps(
        [{"targets": [address], "labels": {"instance": name}} for name, address in sorted(targets.items())]
    )


@dataclass(frozen=True)
class _Here:
    rewrite: Rewrite
    absent: Collection[str]
    discovery: Mapping[str, str]
    left_out: list[tuple[str, str]]

    def job(self, job: Mapping[str, Any]) -> dict[str, Any] | None:
        """None where nothing is left to scrape."""
        changed: dict[str, Any] = {}
        before = len(self.left_out)
        for key, value in job.items():
            if key == "static_configs":
                groups = [each for group in value or () for each in self._group(group, job)]
                changed |= {key: groups} if groups else {}
            elif key == "dns_sd_configs":
                changed |= self._looked_up(value or (), job)
            else:
                changed[key] = _strings(value, self.rewrite)
        sources = any(key.endswith("_configs") and key not in _RELABEL and value for key, value in changed.items())
        return changed if sources or len(self.left_out) == before else None

    def _runs(self, name: str, target: str, job: Mapping[str, Any]) -> bool:
        if name in self.absent:
            where = f"{target} of the job {job.get('job_name', '')}"
            self.left_out.append((name, f"{where} is not scraped: {name} does not run here"))
        return name not in self.absent

    def _group(self, group: Mapping[str, Any], job: Mapping[str, Any]) -> list[dict[str, Any]]:
        """A group for each target: one that moves keeps its written name, so that alerts read the same everywhere."""
        labels = group.get("labels") or {}
        found = []
        for target in group.get("targets") or ():
            if self._runs(str(target).partition(":")[0], target, job):
                place = self.rewrite(str(target))
                named = labels if place == target else {"instance": target} | labels
                found.append({"targets": [place]} | ({"labels": named} if named else {}))
        return found

    def _looked_up(self, configs: Iterable[Mapping[str, Any]], job: Mapping[str, Any]) -> dict[str, Any]:
        """Services are read from the files that the engine writes; other names are looked up as they are written."""
        files: list[str] = []
        others = []
        for config in configs:
            names = [name for name in config.get("names") or () if self._runs(str(name), name, job)]
            files += [self.discovery[name] for name in names if name in self.discovery]
            if kept := [name for name in names if name not in self.discovery]:
                others.append({**config, "names": kept})
        found: dict[str, Any] = {"dns_sd_configs": others} if others else {}
        if files:
            own = _strings(job.get("file_sd_configs") or [], self.rewrite)
            found["file_sd_configs"] = [*own, {"files": files, "refresh_interval": "5s"}]
        return found


def _strings(node: Any, rewrite: Rewrite) -> Any:
    if isinstance(node, str):
        return rewrite(node)
    if isinstance(node, list):
        return [_strings(item, rewrite) for item in node]
    if isinstance(node, dict):
        return {key: _strings(value, rewrite) for key, value in node.items()}
    return node
