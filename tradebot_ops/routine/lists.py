"""The maintenance lists of the owner's brief, line by line and in its words."""

from tradebot_ops.routine import looks
from tradebot_ops.routine.item import Item, Routine

DAILY = Routine(
    "5 minutes",
    (
        Item(
            "Check Grafana dashboard",
            checks=("SVC-01", "SVC-02", "MON-01", "MON-02", "MON-07", "MON-08"),
            person="Look at the dashboard: does any panel look unlike yesterday's?",
            types=("tradebot dash", "tradebot open grafana"),
        ),
        Item(
            "Review critical alerts",
            checks=("ALR-07", "ALR-08"),
            looks=(looks.firing(),),
            person="Say of each alert that fired whether it was right.",
            types=("tradebot alerts history", "tradebot alerts ack ALERT --reason TEXT"),
        ),
        Item("Verify backups completed", checks=("OPS-01", "OPS-13"), looks=(looks.read_back(),)),
    ),
)
WEEKLY = Routine(
    "30 minutes",
    (
        Item(
            "Analyze performance trends",
            checks=("API-06", "API-07", "WRK-06", "WRK-09", "WRK-12"),
            looks=(looks.figures("7d"),),
            person="Compare with the week before: which figure moves, and why?",
            types=("tradebot kpi --period 7d", "tradebot diag performance"),
        ),
        Item(
            "Review DLQ and failed jobs",
            checks=("WRK-07", "WRK-10"),
            looks=(looks.dead(),),
            person="Decide on each group of dead jobs: replay it, set it aside, or purge it.",
            types=("tradebot dlq replay --group GROUP", "tradebot dlq quarantine GROUP --reason TEXT"),
        ),
        Item(
            "Check disk space and logs",
            checks=("ENG-05", "ENG-06", "DAT-10"),
            looks=(looks.faults("7d"),),
        ),
        Item(
            "Review alert effectiveness",
            checks=("ALR-09",),
            looks=(looks.effective("7d"),),
            person="Mend the rule of each alert that nobody acted on, or remove it.",
            types=("tradebot alerts stats --since 7d",),
        ),
    ),
)
MONTHLY = Routine(
    "2 hours",
    (
        Item(
            "Capacity planning review",
            checks=("ENG-03", "ENG-04", "ENG-05", "OPS-06", "WRK-09"),
            looks=(looks.figures("30d"), looks.fitting("30d")),
            person="Decide what the next months need: workers, memory, disk.",
            types=("tradebot optimize plan --window 30d",),
        ),
        Item(
            "Update dependencies",
            checks=("ENG-08", "ENG-11", "SVC-07", "SEC-11"),
            person="Read what changed, then update images and packages, and check the stack.",
            types=("tradebot pull", "tradebot up --build", "tradebot prod-check"),
        ),
        Item(
            "Test disaster recovery",
            checks=("OPS-01", "OPS-02", "OPS-03", "OPS-14"),
            looks=(looks.rehearsal(),),
            person="Restore on another host with nothing but the copy and the documents, and time it.",
            types=("tradebot backup copy latest DEST", "tradebot backup restore FOLDER --from-project NAME"),
        ),
        Item(
            "Team retrospective",
            person="Talk about the month's incidents: what would have seen them sooner?",
            types=("tradebot alerts history", "tradebot audit --since 30d"),
        ),
    ),
)
QUARTERLY = Routine(
    "1 day",
    (
        Item(
            "Security audit",
            checks=("SEC-*", "CFG-03", "CFG-04", "CFG-09", "DAT-04", "DAT-09"),
            looks=(looks.sound_secrets(), looks.old_secrets()),
            person="Who may log in to the host, to Grafana and to the exchange: does each still need it?",
            types=("tradebot prod-check --stage SEC --env prod", "tradebot secrets rotate --all"),
        ),
        Item(
            "Performance optimization",
            checks=("CFG-07", "API-06", "DAT-08"),
            looks=(looks.fitting("30d"),),
            person="Apply what fits, at a quiet hour, and look at it for a day.",
            types=("tradebot optimize apply", "tradebot optimize revert"),
        ),
        Item(
            "Documentation updates",
            checks=("OPS-08", "OPS-09"),
            person="Follow the documents on an empty host, mend them, and vouch for them.",
            types=("tradebot attest docs-reviewed --by NAME",),
        ),
        Item(
            "Team training refresh",
            checks=("OPS-07",),
            person="Let each operator practise an incident and a restore, and vouch for it.",
            types=("tradebot attest team-trained --by NAME",),
        ),
    ),
)
ROUTINES = {"daily": DAILY, "weekly": WEEKLY, "monthly": MONTHLY, "quarterly": QUARTERLY}
