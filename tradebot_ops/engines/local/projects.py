"""Projects of this user without containers: each has its state folder."""

from collections.abc import Mapping

from tradebot_ops.engines.local.engine import LocalEngine
from tradebot_ops.engines.projects import Project, project
from tradebot_ops.state import ProjectState, state_root


def on_local(environ: Mapping[str, str]) -> tuple[Project, ...]:
    """Those with a replica, running or not; one whose records are damaged raises ``OpsError`` TB-0801."""
    root = state_root(environ)
    folders = sorted(each for each in root.iterdir() if each.is_dir()) if root.is_dir() else []
    engines = ((each, LocalEngine(each.name, ProjectState(each), environ)) for each in folders)
    listed = ((folder, engine.list()) for folder, engine in engines)
    return tuple(
        project(folder.name, "local", [each.state for each in replicas], str(folder))
        for folder, replicas in listed
        if replicas
    )
