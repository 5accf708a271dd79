"""`tradebot ls`: every project of this host, on both engines."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tradebot_ops.context import Ops
from tradebot_ops.engines.choose import KNOWN, no_swarm, projects_on
from tradebot_ops.engines.projects import Project
from tradebot_ops.errors import OpsError
from tradebot_ops.model import Report, Section, Table


def list_(ops: Ops) -> Report:
    """Projects of each engine that answers; the other is named with the reason.

    Raises what the engine did where only one was asked for and that one does not answer.
    """
    wanted = [name for name in KNOWN if ops.settings.engine in {"auto", name}]
    if not wanted:
        raise no_swarm()
    with ThreadPoolExecutor(len(wanted)) as pool:
        answers = dict(zip(wanted, pool.map(lambda name: _answer(ops, name), wanted), strict=True))
    failed = {name: answer for name, answer in answers.items() if isinstance(answer, OpsError)}
    if len(failed) == len(wanted):
        raise failed[wanted[0]]
    found = sorted(
        (each for answer in answers.values() if not isinstance(answer, OpsError) for each in answer),
        key=lambda each: (each.name, each.engine),
    )
    rows = tuple((each.name, each.engine, each.status, each.where) for each in found)
    section = (
        Section(tables=(Table(("project", "engine", "status", "where"), rows),))
        if rows
        else Section(lines=("There is no project on this host. Start one: tradebot up",))
    )
    data = {
        "projects": [_data(each) for each in found],
        "not_asked": {name: error.message for name, error in failed.items()},
    }
    warnings = tuple(f"Projects on {name} are not known: {error.message}" for name, error in failed.items())
    return Report(data=data, sections=(section,), warnings=warnings)


def _data(found: Project) -> dict[str, Any]:
    states = {state.value: count for state, count in found.states.items()}
    return {"name": found.name, "engine": found.engine, "states": states, "where": found.where}


def _answer(ops: Ops, engine: str) -> tuple[Project, ...] | OpsError:
    try:
        return projects_on(engine, ops.settings.environ)
    except OpsError as error:
        return error
