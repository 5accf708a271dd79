"""Published ports that are taken: a default moves and stays moved, a chosen one is an error that names its holder."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from tradebot_ops.docker.client import Client
from tradebot_ops.engines.ports import holder, is_free
from tradebot_ops.errors import PortTaken
from tradebot_ops.records import MovedPorts
from tradebot_ops.stack.model import Port, Service
from tradebot_ops.state import ProjectState

#: How far from the default a free port is looked for.
REACH = 200


class Ports:
    """Where this project's taken default ports went, remembered so that they stay from start to start."""

    def __init__(self, state: ProjectState, client: Client) -> None:
        self._state = state
        self._client = client

    def settled(self, service: Service) -> Service:
        """The service with moved ports in place of its defaults."""
        moved = self._state.load(MovedPorts).ports.get(service.name, {})
        ports = (
            port if port.explicit else replace(port, published=moved.get(str(port.target), port.published))
            for port in service.ports
        )
        return replace(service, ports=tuple(ports))

    def move(self, service: Service, report: Callable[[str], None]) -> bool:
        """Find other ports for taken defaults; whether any moved. TB-0821 names the holder of one that was chosen."""
        now = self.settled(service).ports
        taken = [port for port in now if port.published and not is_free(port.published, port.host_ip)]
        for port in taken:
            if port.explicit:
                raise self._refusal(service, port)
        moves = {str(port.target): next_free(port) for port in taken}
        if moves:
            self._state.store(self._state.load(MovedPorts).having(service.name, moves))
        for port in taken:
            report(f"port {port.published} is taken by {self._holder(port)}: using {moves[str(port.target)]}")
        return bool(moves)

    def forget(self) -> None:
        """The next start begins with the defaults again."""
        self._state.discard(MovedPorts)

    def _refusal(self, service: Service, port: Port) -> PortTaken:
        return PortTaken(
            f"{service.name} cannot publish port {port.published}: it is taken by {self._holder(port)}.",
            code="TB-0821",
            hint="Stop that, or choose another port, in .env or before the command: API_PORT=8110 tradebot up",
        )

    def _holder(self, port: Port) -> str:
        """Who has a port: a container, a process, or another user's, which this one may not see."""
        with self._client.translating_errors(
            f"asking who publishes port {port.published}", self._client.deadlines.read
        ):
            found: Sequence[dict[str, list[str]]] = self._client.reads.containers(
                filters={"publish": str(port.published)}
            )
        if found:
            return f"the container {found[0]['Names'][0].lstrip('/')}"
        return holder(port.published)


def next_free(port: Port) -> int:
    """The nearest free port above; the engine's own choice (0) when there is none near."""
    above = range(port.published + 1, min(port.published + REACH, 65536))
    return next((each for each in above if is_free(each, port.host_ip)), 0)
