"""The result of walking forward for people: what was chosen each time, how it did, and what that was worth. Pure."""

from collections.abc import Mapping
from typing import Any

from tradebot_ops.model import Section, Table
from tradebot_ops.operations.trade.cells import cell, cells, headings, measures, parameter
from tradebot_ops.text.figures import shown
from tradebot_ops.text.sentences import agreed

Result = Mapping[str, Any]

#: So many choices are shown; the result has all.
LISTED = 40


def is_one(result: Result) -> bool:
    """Whether it is the result of walking forward."""
    return {"folds", "efficiency"} <= result.keys()


def sections(result: Result) -> tuple[Section, ...]:
    """All that a result has but its curve and trades, in tables of at most 80 columns for three parameters."""
    plain = tuple((name, shown(value)) for name, value in figures(result).items() if value is not None)
    more = len(result["folds"]) - LISTED
    rest = (f"{more} more: tradebot jobs show ID --json",) if more > 0 else ()
    return (
        Section("Result", tables=(Table(("measure", "value"), plain),)),
        Section(f"Best of {result['runs']} runs, chosen {_times(len(result['folds']))}", tables=(_folds(result),)),
        Section(lines=(*rest, *_in_words(result))),
    )


def figures(result: Result) -> dict[str, Any]:
    """The values to compare with other jobs: those of the one account that traded every choice."""
    plain = {name: value for name, value in result.items() if not isinstance(value, dict | list)}
    return {**plain, **result["metrics"]}


def _folds(result: Result) -> Table:
    folds = result["folds"][:LISTED]
    names, parameters = measures(result["rank"]), tuple(folds[0]["parameters"])
    early, late = headings(names)
    rows = tuple(
        (
            fold["test_from"],
            *(parameter(fold["parameters"][name]) for name in parameters),
            *cells(fold["in_sample"], names[:1]),
            *cells(fold["out_of_sample"], names),
            parameter(fold["place"] or ""),
        )
        for fold in folds
    )
    return Table(("traded from", *parameters, early[0], *late, "oos place"), rows)


def _in_words(result: Result) -> tuple[str, ...]:
    rank, judged = result["rank"], [fold for fold in result["folds"] if fold["place"] and fold["median"] is not None]
    better = sum(fold["out_of_sample"][rank] > fold["median"] for fold in judged)
    gain, held = (cell("total_return", result[name]["total_return"]) for name in ("metrics", "buy_and_hold"))
    lines = [f"One account that traded each choice on the days after it gained {gain}; bought and held, {held}."]
    if judged:
        lines.append(agreed(f"{better} of {len(judged)} choices did better than the median of all runs on their days."))
    if (share := result["efficiency"]) is not None:
        lines.append(f"A year it earned {100 * share:.0f} % of what the chosen had earned in sample.")
    return tuple(lines)


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
