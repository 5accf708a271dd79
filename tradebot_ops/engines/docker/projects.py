"""Projects on a Docker engine, whoever started them: Compose's labels say which container belongs where."""

from collections import defaultdict
from collections.abc import Mapping

from tradebot_ops.docker.client import Client
from tradebot_ops.docker.locate import locate
from tradebot_ops.engines.docker import spec
from tradebot_ops.engines.docker.containers import Container
from tradebot_ops.engines.docker.observing.observe import STATES
from tradebot_ops.engines.projects import Project, project


def on_docker(environ: Mapping[str, str]) -> tuple[Project, ...]:
    """One question to the engine that the environment names; raises ``OpsError`` as ``DockerEngine`` does."""
    client = Client(locate(environ))
    with client.translating_errors("listing containers", client.deadlines.read):
        found = client.reads.containers(all=True, filters={"label": [spec.PROJECT, f"{spec.ONE_OFF}=False"]})
    return grouped(found)


def grouped(containers: list[Container]) -> tuple[Project, ...]:
    """Containers as the engine lists them, by their project."""
    by_name: dict[str, list[Container]] = defaultdict(list)
    for each in containers:
        by_name[each["Labels"][spec.PROJECT]].append(each)
    return tuple(
        project(name, "docker", [STATES[each["State"]] for each in own], own[0]["Labels"].get(spec.FOLDER, ""))
        for name, own in sorted(by_name.items())
    )
