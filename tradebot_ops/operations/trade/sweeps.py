"""The result of a sweep for people: the best runs in and out of sample, what is beside them, and a heat map. Pure."""

from collections.abc import Mapping
from typing import Any

from tradebot_ops.model import Section, Table
from tradebot_ops.operations.trade.cells import cells, headings, measures, parameter
from tradebot_ops.text.figures import shown
from tradebot_ops.text.heat import Axis, heat_map

Result = Mapping[str, Any]

#: So many of the best runs are shown; the result has more.
LISTED = 10
OUT = "out of sample"


def is_one(result: Result) -> bool:
    """Whether it is the result of a sweep with a holdout; those of older ones are shown as any other."""
    return {"buy_and_hold", "heat"} <= result.keys()


def sections(result: Result) -> tuple[Section, ...]:
    """All that a result has, in tables of at most 80 columns for strategies with three parameters."""
    plain = tuple((name, shown(value)) for name, value in _plain(result).items() if value is not None)
    return (
        Section("Result", tables=(Table(("measure", "value"), plain),)),
        Section(f"Best of {result['runs']} runs", tables=(_best(result), _beside(result))),
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
    """The best runs for a spreadsheet: parameters, figures in sample, figures and place out of sample."""
    runs = [
        {
            **run["parameters"],
            **run["metrics"],
            **{f"oos_{name}": value for name, value in run.get("out_of_sample", {}).get("metrics", {}).items()},
            **({"oos_place": run["out_of_sample"]["place"]} if "out_of_sample" in run else {}),
        }
        for run in result["best"]
    ]
    return list(runs[0]), [list(run.values()) for run in runs]


def _plain(result: Result) -> dict[str, Any]:
    return {name: value for name, value in result.items() if not isinstance(value, dict | list)}


def _best(result: Result) -> Table:
    names, held_back = measures(result["rank"]), bool(result["holdout_from"])
    runs = result["best"][:LISTED]
    parameters = tuple(runs[0]["parameters"])
    early, late = headings(names)
    columns = ("", *parameters, *early, "trades", *((*late, "oos place") if held_back else ()))
    rows = []
    for number, run in enumerate(runs, 1):
        chosen = (parameter(run["parameters"][name]) for name in parameters)
        after = run.get("out_of_sample")
        oos = (*cells(after["metrics"], names), str(after["place"])) if after else ()
        trades = str(run["metrics"]["trades"])
        rows.append((str(number), *chosen, *cells(run["metrics"], names), trades, *oos))
    return Table(columns, tuple(rows))


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
    if (chance := result["deflated_sharpe"]) is not None:
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
