"""The page of the documentation about the checks, made from their declarations: ``python -m`` this module writes it."""

import re
import sys
from collections.abc import Sequence
from pathlib import Path

from tradebot_ops.prodcheck.brief import CHECKLIST, CRITERIA, Promise
from tradebot_ops.prodcheck.catalogue import catalogue
from tradebot_ops.prodcheck.check import Check, Stage

COMMAND = "python -m tradebot_ops.prodcheck.page docs/prod-check.md"
_INTRO = f"""# What `tradebot prod-check` proves

Made from the declarations of the checks by `{COMMAND}`: change the check, not this page. The same about one check:
`tradebot prod-check explain MON-02`.

A check passes only where it looked. It warns, fails, or says that it could not look, which counts as a failure; what
there is nothing of is skipped with a reason. Each says what to type next.
"""
_SPECIAL = re.compile(r"([\\*_<>\[\]|#])")


def page() -> str:
    """The whole page, as it has to lie in ``docs/prod-check.md``."""
    stages = catalogue()
    known = {check.id for stage in stages for check in stage.checks}
    parts = [_INTRO, *_promises(known), *(_stage(stage) for stage in stages)]
    return "\n".join(parts)


def _promises(known: set[str]) -> list[str]:
    groups = [_table(group, promises, known) for group, promises in CHECKLIST.items()]
    return ["## The production checklist\n", *groups, "## When the system is ready\n", _table("", CRITERIA, known)]


def _table(title: str, promises: Sequence[Promise], known: set[str]) -> str:
    head = [f"### {title}\n"] if title else []
    rows = [f"| {promise.text} | {_proof(promise, known)} |" for promise in promises]
    return "\n".join([*head, "| the brief asks | proved by |", "|---|---|", *rows, ""])


def _proof(promise: Promise, known: set[str]) -> str:
    if not promise.ids:
        return "the run itself"
    return ", ".join(id_ if id_ in known else f"{id_} (not built yet)" for id_ in promise.ids)


def _stage(stage: Stage) -> str:
    head = f"## {stage.number}. {_plain(stage.title)}\n\n{_plain(stage.promise)}\n"
    return "\n".join([head, *(_check(check) for check in stage.checks)])


def _check(check: Check) -> str:
    facts = ", ".join(fact.name for fact in check.asks) or "nothing"
    lines = [
        f"- weight: {check.severity.name.lower()}",
        *(f"- in {env}: at most {level}" for env, level in check.at_most.items()),
        f"- source: {_plain(check.source)}",
        f"- asks: {_plain(facts)}",
        *([f"- needs: {', '.join(check.needs)}"] if check.needs else []),
        f"- edit: {_plain(check.anchor)}",
        f"- type: {_plain(check.remedy) if '`' in check.remedy else f'`{check.remedy}`'}",
    ]
    return "\n".join([f"### {check.id} {_plain(check.title)}\n", f"{_plain(check.why)}\n", *lines, ""])


def _plain(text: str) -> str:
    """Nothing of it read as Markdown, but what stands in backticks."""
    parts = text.replace("``", "`").split("`")
    return "`".join(part if place % 2 else _SPECIAL.sub(r"\\\1", part) for place, part in enumerate(parts))


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page(), encoding="utf-8")
