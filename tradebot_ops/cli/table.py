"""Every command: where it lives and its line in ``--help``. Read without importing any of them."""

from dataclasses import dataclass

EVERYDAY = "Everyday"
WORK = "Work"
PROJECT = "Project"


@dataclass(frozen=True)
class Entry:
    """``command`` names it inside its module's app when it differs; ``group`` marks a command with subcommands."""

    module: str
    help: str
    panel: str
    group: bool = False
    hidden: bool = False
    command: str = ""


_LIFECYCLE = "tradebot_ops.cli.lifecycle"
_LOOK = "tradebot_ops.cli.look"
_PROJECT = "tradebot_ops.cli.project"

COMMANDS = {
    "up": Entry(_LIFECYCLE, "Start the stack, prove that it works, and show it.", EVERYDAY),
    "down": Entry(_LIFECYCLE, "Stop the stack; data stays unless --volumes is given.", EVERYDAY),
    "status": Entry(_LOOK, "Show every service: state, health, endpoint, memory.", EVERYDAY),
    "logs": Entry(_LOOK, "Show or follow the logs of services.", EVERYDAY),
    "scale": Entry(_LIFECYCLE, "Set how many workers run; leaving ones drain first.", EVERYDAY),
    "start": Entry(_LIFECYCLE, "Start stopped services again.", EVERYDAY),
    "stop": Entry(_LIFECYCLE, "Stop services without removing them.", EVERYDAY),
    "restart": Entry(_LIFECYCLE, "Stop and start services.", EVERYDAY),
    "ps": Entry(_LOOK, "Same as status.", EVERYDAY, hidden=True, command="status"),
    "dash": Entry("tradebot_ops.cli.dash", "Draw the dashboard's panels in the terminal, live.", EVERYDAY),
    "urls": Entry(_LOOK, "Show the addresses of everything with an address.", EVERYDAY),
    "jobs": Entry("tradebot_ops.cli.jobs", "Submit, watch and cancel jobs.", WORK, group=True),
    "config": Entry("tradebot_ops.cli.config", "Show and check the configuration.", PROJECT, group=True),
    "init": Entry(_PROJECT, "Write the stack's files into a folder, for editing.", PROJECT),
    "version": Entry(_PROJECT, "Show the version.", PROJECT),
}
