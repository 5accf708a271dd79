"""The result of a sweep for people: the best runs in and out of sample, what is beside them, and a heat map. Pure."""

from collections.abc import Mapping
from typing import Any

from tradebot_ops.model import Section, Table
from tradebot_ops.operations.trade.cells import cells, headings, measures, parameter
from tradebot_ops.text.figures import shown
from tradebot_ops.text.heat import Axis, heat_map
from tradebot_ops.text.sentences import agreed

Result = Mapping[str, Any]

#: So many of the best runs are shown; the result has more.
LISTED = 10
OUT = "out of sample"
#: Instead of a symbol, where a row is of all of them.
MEDIAN = "median"


def is_one(result: Result) -> bool:
    """Whether it is the result of a sweep with a holdout; those of older ones are shown as any other."""
    return {"buy_and_hold", "heat"} <= result.keys()


def sections(result: Result) -> tuple[Section, ...]:
    """All that a result has, in tables of at most 80 columns for strategies with three parameters."""
    plain = tuple((name, shown(value)) for name, value in _plain(result).items() if value is not None)
    return (
        Section("Result", tables=(Table(("measure", "value"), plain),)),
        Section(f"Best of {result['runs']} runs", tables=(_best(result), _beside(result))),
        *((Section("The best run by symbol", tables=(_by_symbol(result), _held(result))),) if _several(result) else ()),
        Section(lines=_in_words(result)),
    )


def picture(result: Result) -> tuple[Section, ...]:
    """A heat map, where two parameters were varied."""
    if heat := result.get("heat"):
        rows, columns = (Axis(heat[side]["name"], heat[side]["values"]) for side in ("rows", "columns"))
        title = f"{result['rank']} in sample by {rows.name} and {columns.name}"
        return (Section(title, lines=tuple(heat_map(rows, columns, heat["cells"]))),)
    return ()


def figures(result: Result) -> dict[str, Any]:
    """The values to compare with other jobs: of the best run, in sample as a backtest has them, and out of sample."""
    best = result["best"][0]
    after = best.get("out_of_sample", {"metrics": {}})
    held_back = {f"{name} {OUT}": value for name, value in after["metrics"].items()}
    place = {f"place {OUT}": after["place"]} if "place" in after else {}
    return {**_plain(result), **best["parameters"], **best["metrics"], **held_back, **place}


def rows(result: Result) -> tuple[list[str], list[list[Any]]]:
    """The best runs for a spreadsheet: parameters, figures in sample, figures and place out of sample.

    Over several symbols each run has a row of its medians, and one for each symbol.
    """
    runs = [
        {**run["parameters"], **({"symbol": each.get("symbol", MEDIAN)} if _several(result) else {}), **_in_a_row(each)}
        for run in result["best"]
        for each in (run, *run.get("symbols", ()))
    ]
    return list(runs[0]), [list(run.values()) for run in runs]


def _in_a_row(run: Result) -> dict[str, Any]:
    return {
        **run["metrics"],
        **{f"oos_{name}": value for name, value in run.get("out_of_sample", {}).get("metrics", {}).items()},
        **({"oos_place": run["out_of_sample"]["place"]} if "out_of_sample" in run else {}),
    }


def _several(result: Result) -> bool:
    return "symbols" in result


def _plain(result: Result) -> dict[str, Any]:
    return {name: value for name, value in result.items() if not isinstance(value, dict | list)}


def _best(result: Result) -> Table:
    runs = result["best"][:LISTED]
    names = tuple(runs[0]["parameters"])
    numbered = tuple(
        (str(number), *(parameter(run["parameters"][name]) for name in names), *_judged(result, run))
        for number, run in enumerate(runs, 1)
    )
    return Table(("", *names, *_judgement(result)), numbered)


def _by_symbol(result: Result) -> Table:
    judged = tuple((each["symbol"], *_judged(result, each)) for each in result["best"][0]["symbols"])
    return Table(("symbol", *_judgement(result)), judged)


def _judgement(result: Result) -> tuple[str, ...]:
    early, late = headings(measures(result["rank"]))
    return *early, "trades", *((*late, "oos place") if result["holdout_from"] else ())


def _judged(result: Result, run: Result) -> tuple[str, ...]:
    names = measures(result["rank"])
    after = run.get("out_of_sample")
    oos = (*cells(after["metrics"], names), str(after["place"])) if after else ()
    return *cells(run["metrics"], names), f"{run['metrics']['trades']:g}", *oos


def _held(result: Result) -> Table:
    """By symbol, what was there for the holding, and the chance that the best run is more than luck on it."""
    names = measures(result["rank"])
    early, late = headings(names)
    columns = ("bought and held", *early, *(late if result["holdout_from"] else ()), "not luck")
    held = []
    for each in result["symbols"]:
        periods = (cells(metrics, names) for metrics in each["buy_and_hold"].values())
        chance = each["deflated_sharpe"]
        known = "" if chance is None else _percent(chance)
        held.append((each["symbol"], *(cell for period in periods for cell in period), known))
    return Table(columns, tuple(held))


def _beside(result: Result) -> Table:
    names = measures(result["rank"])
    best = result["best"][0]
    rows = [
        ("best run", best["metrics"], best.get("out_of_sample", {}).get("metrics")),
        *((words, result[name]["in_sample"], result[name].get("out_of_sample"))
          for words, name in (("median of all runs", "median"), ("bought and held", "buy_and_hold"))),
    ]  # fmt: skip
    early, late = headings(names)
    columns = ("", *early, *(late if result["holdout_from"] else ()))
    return Table(
        columns,
        tuple((words, *cells(known, names), *(cells(oos, names) if oos else ())) for words, known, oos in rows),
    )


def _in_words(result: Result) -> tuple[str, ...]:
    lines = []
    if _several(result):
        lines += [
            agreed(
                f"Its figures are the medians over {len(result['symbols'])} symbols, each from {result['start']} on;"
            ),
            "where a symbol has no such figure, it counts as the lowest.",
            "not luck: the chance that on this symbol it is better than the best by luck.",
        ]
    elif (chance := result["deflated_sharpe"]) is not None:
        lines += [
            f"Luck alone gives the best of {result['trials']} runs a Sharpe ratio of {result['sharpe_by_luck']:.2f};",
            f"that the best run is better than that has a chance of {_percent(chance)}.",
        ]
    if late := result["best"][0].get("out_of_sample"):
        since = f"Out of sample (oos), from {result['holdout_from']} on,"
        lines.append(f"{since} it takes place {late['place']} of {result['runs']}.")
    else:
        lines.append("No bars were held back: how it does on prices that did not choose it is not known.")
    return tuple(lines)


def _percent(chance: float) -> str:
    """Nothing is certain, whatever the rounding says."""
    return "more than 99 %" if chance > 0.99 else "less than 1 %" if chance < 0.01 else f"{100 * chance:.0f} %"
