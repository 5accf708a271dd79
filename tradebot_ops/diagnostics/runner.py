"""Ask all sources of the chosen topics at once, and show their answers, what is wrong, and what nobody could see."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from tradebot_ops.context import Ops
from tradebot_ops.diagnostics.catalogue import FULL, choose, known_causes
from tradebot_ops.diagnostics.explanation import Explanation, explained, lines, section
from tradebot_ops.diagnostics.topic import Look, Problem, Topic, View
from tradebot_ops.facts.asking import Facts
from tradebot_ops.facts.fact import Effect, Fact, NotHere, Unknown
from tradebot_ops.model import Finding, Level, Report, Section, Table
from tradebot_ops.text.sentences import agreed

NOTHING_WRONG = "Nothing is wrong."
#: What one source may take, and all of them together: a person waits for this screen. A fact may be allowed more, as
#: `prod-check` has the time; here what came until then is shown, and the rest named.
WITHIN_S = 10.0
_MARK = {Level.FAIL: "FAIL", Level.WARN: "WARN"}


@dataclass(frozen=True)
class Taken:
    """A look that was taken, or why it could not be (``unknown``), or why there is nothing to see (``absent``)."""

    look: Look
    view: View = field(default_factory=View)
    unknown: Unknown | None = None
    absent: NotHere | None = None


@dataclass(frozen=True)
class Examined:
    topic: Topic
    taken: tuple[Taken, ...]

    @property
    def problems(self) -> tuple[Problem, ...]:
        found = [problem for each in self.taken for problem in each.view.problems]
        return tuple(sorted(found, key=lambda problem: problem.level is not Level.FAIL))

    @property
    def unseen(self) -> dict[str, Unknown]:
        """Why something was not seen, each reason once."""
        return {each.unknown.why: each.unknown for each in self.taken if each.unknown is not None}

    @property
    def absent(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(each.absent.why for each in self.taken if each.absent is not None))


def diagnose(ops: Ops, name: str) -> Report:
    """Examine a topic, or all of them and the causes for ``full``. Raises ``OpsError`` TB-0240 for an unknown one."""
    topics, facts = choose(name), _looking(ops)
    facts.start(_asks(topics))
    why = explained(facts, known_causes()) if name == FULL else None
    return report(_examined(facts, topics), why)


def explain(ops: Ops) -> Report:
    """The likely causes of what is wrong now: evidence, what to type, what is ruled out."""
    found = explained(_looking(ops), known_causes())
    shown = section(found)
    return Report(data=found.data, sections=(Section(lines=lines(found)), *([shown] if shown else [])))


def examine(ops: Ops, topics: Sequence[Topic]) -> tuple[Examined, ...]:
    """Ask everything that these topics want to know, all at once."""
    facts = _looking(ops)
    facts.start(_asks(topics))
    return _examined(facts, topics)


def _looking(ops: Ops) -> Facts:
    """Nothing is written and no job submitted: a diagnosis only looks, and not for long."""
    return Facts(ops, set(Effect) - {Effect.NONE}, within=WITHIN_S)


def _asks(topics: Sequence[Topic]) -> Iterator[Fact[Any]]:
    return (fact for topic in topics for each in topic.looks for fact in each.asks)


def _examined(facts: Facts, topics: Sequence[Topic]) -> tuple[Examined, ...]:
    return tuple(Examined(topic, tuple(_take(facts, each) for each in topic.looks)) for topic in topics)


def _take(facts: Facts, look: Look) -> Taken:
    values = [facts.value(fact) for fact in look.asks]
    for value in values:
        if isinstance(value, Unknown):
            return Taken(look, unknown=value)
    for value in values:
        if isinstance(value, NotHere):
            return Taken(look, absent=value)
    return Taken(look, look(*values))


def report(examined: Sequence[Examined], why: Explanation | None = None) -> Report:
    """The verdict in the first line, then a section a topic."""
    findings = tuple(
        Finding(problem.level, f"diag.{each.topic.name}", problem.message, hint=problem.hint, group=each.topic.title)
        for each in examined
        for problem in each.problems
    )
    verdict = Section(lines=_verdict(examined, findings, why))
    causes = section(why) if why is not None and findings else None
    return Report(
        data={
            "verdict": verdict.lines[0],
            "causes": why.data if why is not None else None,
            "topics": {each.topic.name: _data(each) for each in examined},
        },
        sections=(verdict, *([causes] if causes else []), *(_section(each) for each in examined)),
        findings=findings,
        findings_shown=False,
    )


def _verdict(examined: Sequence[Examined], findings: Sequence[Finding], why: Explanation | None) -> tuple[str, ...]:
    unseen = {why for each in examined for why in each.unseen}
    blind = agreed(f"{len(unseen)} questions got no answer.")
    if not findings:
        return (f"No problem was seen, but {blind}",) if unseen else (NOTHING_WRONG,)
    if why is not None and why.best:
        return (*lines(why), *([blind] if unseen else []))
    worst = sorted(findings, key=lambda finding: finding.level is not Level.FAIL)
    first = f"{agreed(f'{len(worst)} problems')}, worst first: {worst[0].message}"
    return (first, *([blind] if unseen else []), f"Next: {worst[0].hint}")


def _section(examined: Examined) -> Section:
    lines = [f"{_MARK[problem.level]}  {problem.message} -> {problem.hint}" for problem in examined.problems]
    lines += [
        f"Not examined, because: {unknown.why}" + (f" -> {unknown.hint}" if unknown.hint else "")
        for unknown in examined.unseen.values()
    ]
    lines += [f"Nothing to see: {why}" for why in examined.absent]
    views = [each.view for each in examined.taken]
    values = tuple(value for view in views for value in view.values)
    tables = [view.table for view in views if view.table is not None and view.table.rows]
    if values:
        tables.insert(0, Table(("what", "value"), values))
    return Section(examined.topic.title, tuple(lines), tuple(tables))


def _data(examined: Examined) -> dict[str, Any]:
    views = [each.view for each in examined.taken]
    return {
        "problems": [
            {"level": str(problem.level), "message": problem.message, "hint": problem.hint}
            for problem in examined.problems
        ],
        "not_examined": list(examined.unseen),
        "not_here": list(examined.absent),
        "values": {name: value for view in views for name, value in view.values},
        "tables": [
            [dict(zip(view.table.columns, row, strict=True)) for row in view.table.rows]
            for view in views
            if view.table is not None
        ],
    }
