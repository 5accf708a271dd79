"""The unit tests of the alerting rules: whether they pass, and whether every alert has some."""

import hashlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tradebot_ops.context import Ops
from tradebot_ops.errors import OpsError
from tradebot_ops.facts.fact import fact
from tradebot_ops.facts.metrics import promtool
from tradebot_ops.facts.metrics.config_files import folder, rule_documents
from tradebot_ops.monitoring.rules import alerts_of
from tradebot_ops.private_folder import PrivateFolder
from tradebot_ops.shapes import fields, listed, text
from tradebot_ops.state import cache_root
from tradebot_ops.text import yaml_
from tradebot_ops.text.sentences import agreed

_FILE = "rule-tests.json"

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Proof:
    """Result of the unit tests of the rules, over so many files. ``untested`` are alerts that no test makes fire, or
    none keeps silent; one that always fires by design needs no silence. ``passed_before`` is when, if not just now."""

    ok: bool
    output: str
    files: int
    untested: tuple[str, ...]
    passed_before: str = ""

    @property
    def evidence(self) -> str:
        return agreed(f"promtool test rules: {self.files} files") + (
            f", which passed at {self.passed_before} and are the same since" if self.passed_before else ""
        )


@dataclass(frozen=True)
class _Remembered:
    """State when the tests passed: at which moment, on which files, and which alerts had none."""

    at: str
    fingerprint: str
    untested: tuple[str, ...]


@fact(seconds=180)
def tested(ops: Ops) -> Proof:
    """Runs them all, which takes promtool a quarter of a minute, unless they passed before on these very files."""
    fingerprint = _fingerprint(ops)
    files = promtool.test_files(ops)
    if known := _passed_before(ops, fingerprint):
        return Proof(True, "", len(files), known.untested, known.at)
    result, untested = promtool.test_rules(ops, ()), _untested(ops, files)
    if result.ok:
        _remember(ops, _Remembered(ops.clock().isoformat(timespec="seconds"), fingerprint, untested))
    return Proof(result.ok, result.output, len(files), untested)


def _untested(ops: Ops, files: Sequence[Path]) -> tuple[str, ...]:
    documents = [yaml_.load(file.read_text(encoding="utf-8")) for file in files]
    tests = [test for document in documents for test in (document or {}).get("tests") or ()]
    cases = [case for test in tests for case in test.get("alert_rule_test") or ()]
    fires = {case["alertname"] for case in cases if case.get("exp_alerts")}
    silent = {case["alertname"] for case in cases if not case.get("exp_alerts")} | {"Watchdog"}
    names = [rule["alert"] for rule in alerts_of(rule_documents(ops))]
    return tuple(name for name in dict.fromkeys(names) if name not in fires & silent)


def _passed_before(ops: Ops, fingerprint: str) -> _Remembered | None:
    """When they last passed with this fingerprint; None if they did not. A failure is never remembered."""
    try:
        known = _memory(ops).read_as(_FILE, _remembered)
    except OpsError:
        log.debug("the memory of passed rule tests cannot be read", exc_info=True)
        return None
    return known if known and known.fingerprint == fingerprint else None


def _remembered(content: Mapping[str, Any]) -> _Remembered | None:
    shapes = {"at": text, "fingerprint": text, "untested": listed(text)}
    found = fields(content, shapes)
    return _Remembered(**found) if found.keys() == shapes.keys() else None


def _remember(ops: Ops, passed: _Remembered) -> None:
    try:
        _memory(ops).write_json(_FILE, asdict(passed))
    except OpsError:
        # Only time is lost where nothing can be written.
        log.debug("passed rule tests cannot be remembered", exc_info=True)


def _memory(ops: Ops) -> PrivateFolder:
    return PrivateFolder(cache_root(ops.settings.environ))


def _fingerprint(ops: Ops) -> str:
    """Of everything that the outcome depends on."""
    found = hashlib.sha256(promtool.identity(ops, "promtool").encode())
    prometheus = folder(ops, "prometheus")
    for file in sorted([*prometheus.glob("rules/*.yml"), *promtool.test_files(ops)]):
        for part in (file.name.encode(), file.read_bytes()):
            found.update(len(part).to_bytes(8) + part)
    return found.hexdigest()
