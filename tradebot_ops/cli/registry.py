"""Every command: where it lives and its line in ``--help``. Read without importing any of them."""

from dataclasses import dataclass

EVERYDAY = "Everyday"
UPKEEP = "Upkeep"
WORK = "Work"
MONITORING = "Monitoring"
PROJECT = "Project"


@dataclass(frozen=True)
class Entry:
    """``command`` names it inside its module's app when it differs; ``group`` marks a command with subcommands.

    ``alias`` makes it an old name of other words: they are run instead, and named once on stderr.
    """

    module: str
    help: str
    panel: str
    group: bool = False
    hidden: bool = False
    command: str = ""
    alias: str = ""


_LIFECYCLE = "tradebot_ops.cli.operate.lifecycle"
_LOOK = "tradebot_ops.cli.operate.status"
_PROJECT = "tradebot_ops.cli.operate.project"
_CHANGE = "tradebot_ops.cli.operate.plan"
_IMAGES = "tradebot_ops.cli.operate.images"
_INSIDE = "tradebot_ops.cli.operate.exec"
_MONITORING = "tradebot_ops.cli.observe.monitoring"
_ASK = "tradebot_ops.cli.observe.query"

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
    "dash": Entry("tradebot_ops.cli.observe.dash", "Draw the dashboard's panels in the terminal, live.", EVERYDAY),
    "prod-check": Entry(
        "tradebot_ops.cli.assess.prodcheck", "Prove by live checks that the stack is ready.", EVERYDAY, group=True
    ),
    "diag": Entry(
        "tradebot_ops.cli.assess.diag", "Examine the stack: what is wrong, and what to type.", EVERYDAY, group=True
    ),
    "waive": Entry("tradebot_ops.cli.assess.waive", "Accept that a check fails, for a reason and a time.", EVERYDAY),
    "attest": Entry("tradebot_ops.cli.assess.attest", "Vouch for what no probe can see.", EVERYDAY),
    "ci": Entry("tradebot_ops.cli.assess.ci", "Check the stack in a pipeline.", EVERYDAY, group=True),
    "routine": Entry(
        "tradebot_ops.cli.assess.routine", "Do what a machine can of the maintenance lists.", EVERYDAY, group=True
    ),
    "explain": Entry("tradebot_ops.cli.assess.explain", "Explain an error, check, alert, setting or metric.", EVERYDAY),
    "ls": Entry(_PROJECT, "List the projects of this host, on every engine.", EVERYDAY, command="ls"),
    "urls": Entry(_LOOK, "Show the addresses of everything with an address.", EVERYDAY),
    "plan": Entry(_CHANGE, "Show what `up` would do, and why.", UPKEEP),
    "drift": Entry(_CHANGE, "Show what differs from the description.", UPKEEP),
    "exec": Entry(_INSIDE, "Run a command where a service runs.", UPKEEP),
    "shell": Entry(_INSIDE, "Open a shell where a service runs.", UPKEEP),
    "events": Entry(_LOOK, "Show or follow what happened to services.", UPKEEP),
    "build": Entry(_IMAGES, "Build the stack's own images.", UPKEEP),
    "pull": Entry(_IMAGES, "Fetch the images that others made.", UPKEEP),
    "images": Entry(_IMAGES, "Make, list and carry images.", UPKEEP),
    "optimize": Entry(
        "tradebot_ops.cli.assess.optimize", "Fit settings to what is really used; with a way back.", UPKEEP, group=True
    ),
    "backup": Entry(
        "tradebot_ops.cli.safeguard.backup",
        "Make, prove and restore backups of the data.",
        UPKEEP,
        group=True,
    ),
    "audit": Entry("tradebot_ops.cli.safeguard.audit", "Show who changed what, and check the record of it.", UPKEEP),
    "secrets": Entry("tradebot_ops.cli.safeguard.secrets", "Show, check and change the passwords.", UPKEEP, group=True),
    "keys": Entry("tradebot_ops.cli.safeguard.keys", "Make, list and revoke keys of the API.", UPKEEP, group=True),
    "tls": Entry("tradebot_ops.cli.safeguard.tls", "Make, show and bring the stack's certificate.", UPKEEP, group=True),
    "service": Entry(
        "tradebot_ops.cli.safeguard.service", "Have this host start the stack at boot.", UPKEEP, group=True
    ),
    "prune": Entry("tradebot_ops.cli.operate.prune", "Remove what the project left behind.", UPKEEP),
    "jobs": Entry("tradebot_ops.cli.operate.jobs", "Submit, watch, cancel and count jobs.", WORK, group=True),
    "dlq": Entry("tradebot_ops.cli.operate.dlq", "Show, replay, export and purge dead jobs.", WORK, group=True),
    "workers": Entry(
        "tradebot_ops.cli.operate.workers", "Show, drain, resume, kill and restart workers.", WORK, group=True
    ),
    "queue": Entry("tradebot_ops.cli.operate.queue", "Pause, limit, drain and purge types of jobs.", WORK, group=True),
    "data": Entry("tradebot_ops.cli.trade.data", "Import, download, list, export and remove prices.", WORK, group=True),
    "positions": Entry(
        "tradebot_ops.cli.trade.positions", "Show what the bot that trades elsewhere holds.", WORK, command="positions"
    ),
    "strategies": Entry("tradebot_ops.cli.trade.strategies", "List strategies, and check one.", WORK, group=True),
    "halt": Entry("tradebot_ops.cli.trade.halt", "Take and start no jobs until `resume`.", WORK, command="halt"),
    "resume": Entry("tradebot_ops.cli.trade.halt", "Take and start jobs again after `halt`.", WORK, command="resume"),
    "schedules": Entry("tradebot_ops.cli.operate.schedules", "Show, pause and remove schedules.", WORK, group=True),
    "breakers": Entry("tradebot_ops.cli.operate.breakers", "Show and reset circuit breakers.", WORK, group=True),
    "monitoring": Entry(_MONITORING, "Set up, start, stop, look at and reload the monitoring.", MONITORING, group=True),
    "alerts": Entry(
        "tradebot_ops.cli.observe.alerts", "Show, acknowledge, silence and test alerts.", MONITORING, group=True
    ),
    "metrics": Entry("tradebot_ops.cli.observe.metrics", "Show what the services measure.", MONITORING, group=True),
    "query": Entry(_ASK, "Ask Prometheus a question in PromQL.", MONITORING),
    "dashboards": Entry(
        "tradebot_ops.cli.observe.dashboards", "List and check the dashboards.", MONITORING, group=True
    ),
    "runbook": Entry("tradebot_ops.cli.observe.runbook", "Show what to do about an alert.", MONITORING, group=True),
    "kpi": Entry("tradebot_ops.cli.observe.kpi", "Show the key figures against their targets.", MONITORING),
    "open": Entry(_ASK, "Open a page of the stack in the browser.", MONITORING, command="open"),
    "config": Entry("tradebot_ops.cli.operate.config", "Show, check and change the settings.", PROJECT, group=True),
    "init": Entry(_PROJECT, "Write the stack's files into a folder, for editing.", PROJECT),
    "completion": Entry(
        "tradebot_ops.cli.completion.command", "Let the Tab key complete what is typed.", PROJECT, group=True
    ),
    "man": Entry("tradebot_ops.cli.operate.manual", "Write the manual page.", PROJECT, command="man"),
    "version": Entry(_PROJECT, "Show the version.", PROJECT),
}

#: Names that operators know from before. Each comes alive with the command that it stands for.
OLD_NAMES = {
    "monitoring-setup": "monitoring setup",
    "monitoring-start": "monitoring start",
    "monitoring-stop": "monitoring stop",
    "monitoring-status": "monitoring status",
    "metrics-api": "metrics api",
    "metrics-worker": "metrics worker",
    "alerts-list": "alerts list",
    "diag-full": "diag full",
    "diag-errors": "diag errors",
    "diag-performance": "diag performance",
    "prod-optimize": "optimize apply",
}

COMMANDS |= {
    old: Entry("", f"Old name of `{new}`.", EVERYDAY, hidden=True, alias=new)
    for old, new in OLD_NAMES.items()
    if new.partition(" ")[0] in COMMANDS
}

#: A name of Compose's, for fingers that know it.
COMMANDS["top"] = Entry("", "Other name of `status --cpu`.", EVERYDAY, hidden=True, alias="status --cpu")
