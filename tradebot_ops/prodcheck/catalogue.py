"""Find every stage and its checks, and choose among them."""

import fnmatch
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from types import ModuleType

from tradebot_ops.discovery import modules
from tradebot_ops.errors import OpsError
from tradebot_ops.prodcheck import stages
from tradebot_ops.prodcheck.check import Check, Severity, Stage
from tradebot_ops.text.suggest import did_you_mean


@cache
def catalogue() -> tuple[Stage, ...]:
    """Every stage in its order, with its checks by id.

    Raises ``TypeError`` for an id that two checks have, or that does not begin with its stage's prefix: a mistake of
    whoever wrote the check, which a test finds.
    """
    found = sorted((_stage(module) for module in modules(stages)), key=lambda stage: stage.number)
    ids = [check.id for stage in found for check in stage.checks]
    twice = {id_ for id_ in ids if ids.count(id_) > 1}
    strange = {c.id for stage in found for c in stage.checks if not c.id.startswith(f"{stage.prefix}-")}
    if twice or strange:
        raise TypeError(f"ids given twice: {sorted(twice)}; ids of another stage: {sorted(strange)}")
    return tuple(found)


def _stage(module: ModuleType) -> Stage:
    """A file holds its checks itself; a package holds them in its files."""
    holders = [module, *(modules(module) if hasattr(module, "__path__") else ())]
    checks = {value.id: value for holder in holders for value in vars(holder).values() if isinstance(value, Check)}
    stage: Stage = module.STAGE
    return replace(stage, checks=tuple(checks[id_] for id_ in sorted(checks)))


@dataclass(frozen=True)
class Selection:
    """Selection of a run. ``only`` and ``skip`` are ids or patterns such as ``WRK-*``; empty means no limit."""

    stages: Sequence[str] = ()
    only: Sequence[str] = ()
    skip: Sequence[str] = ()
    severity: str = ""

    def choose(self, known: Sequence[Stage]) -> tuple[Check, ...]:
        """The chosen checks in order. Raises ``OpsError`` TB-0230 for a stage or id that nobody knows."""
        chosen = self._stages(known)
        for pattern in (*self.only, *self.skip):
            _matching(pattern, known)
        least = _severity(self.severity)
        return tuple(
            check
            for stage in known
            if stage in chosen
            for check in stage.checks
            if (not self.only or any(_fits(check, pattern) for pattern in self.only))
            and not any(_fits(check, pattern) for pattern in self.skip)
            and check.severity >= least
        )

    def _stages(self, known: Sequence[Stage]) -> list[Stage]:
        if not self.stages:
            return list(known)
        by_name = {name: stage for stage in known for name in (str(stage.number), stage.prefix.lower())}
        chosen = []
        for word in (part for text in self.stages for part in text.split(",")):
            stage = by_name.get(word.strip().lower())
            if stage is None:
                names = ", ".join(f"{each.number} ({each.prefix})" for each in known)
                raise OpsError(f"There is no stage '{word}'.", code="TB-0230", hint=f"The stages are: {names}.")
            chosen.append(stage)
        return chosen


def find(id_: str) -> tuple[Stage, Check]:
    """The check of that id, in any case. Raises ``OpsError`` TB-0230 with the nearest one."""
    for stage in catalogue():
        for check in stage.checks:
            if check.id == id_.upper():
                return stage, check
    raise _unknown(id_, catalogue())


def _fits(check: Check, pattern: str) -> bool:
    return any(fnmatch.fnmatchcase(check.id, part.strip().upper()) for part in pattern.split(","))


def _matching(pattern: str, known: Sequence[Stage]) -> None:
    for part in pattern.split(","):
        if not any(_fits(check, part) for stage in known for check in stage.checks):
            raise _unknown(part, known)


def _unknown(id_: str, known: Sequence[Stage]) -> OpsError:
    meant = did_you_mean(id_, [check.id for stage in known for check in stage.checks])
    hint = f"{meant} All of them: tradebot prod-check list".lstrip()
    return OpsError(f"There is no check '{id_}'.", code="TB-0230", hint=hint)


def _severity(text: str) -> Severity:
    names = {severity.name.lower(): severity for severity in Severity}
    if not text:
        return Severity.MINOR
    try:
        return names[text.removesuffix("+").lower()]
    except KeyError:
        known = ", ".join(f"{name}+" for name in names)
        raise OpsError(f"'{text}' is not a severity.", code="TB-0230", hint=f"Use one of: {known}.") from None
