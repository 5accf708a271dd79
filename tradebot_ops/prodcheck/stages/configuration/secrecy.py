"""Secrets stay in their files, and what is this project's alone is shared with no other."""

from tradebot_ops.facts.access import literals
from tradebot_ops.facts.access.literals import Literals
from tradebot_ops.facts.project import neighbours
from tradebot_ops.facts.project.neighbours import Neighbours
from tradebot_ops.prodcheck.check import Severity, Verdict, check, failed, passed, warned
from tradebot_ops.text.lists import few


@check(
    "CFG-09",
    "Secrets lie in files alone",
    asks=(literals.found,),
    severity=Severity.CRITICAL,
    source="CIS Docker 4.10; `docker inspect` and a clone show the rest to everybody",
    needs=("ENG-01", "CFG-01"),
    anchor="compose.yaml#secrets",
    remedy="tradebot config show; then name the secret's file (NAME_FILE) in compose.yaml, change what was shown, and "
    "run `tradebot up`",
)
def in_files(found: Literals) -> Verdict:
    """Environments show in `docker inspect` and in crash reports, images and repositories go to whoever may fetch
    them: every known secret is searched for in all of these, and names of secrets where no file is named.
    """
    searched = ", ".join(f"{count} {kind}" for kind, count in found.looked.items())
    evidence = f"searched: {searched}. {found.unseen}".strip()
    expected = "in no place but its file"
    if found.elsewhere:
        message = "Secrets are written into images or files of the stack."
        return failed(message, observed=few(found.elsewhere), expected=expected, evidence=evidence)
    if found.environment:
        message = "Secrets are in the environment of replicas."
        return warned(message, observed=few(found.environment), expected=expected, evidence=evidence)
    return passed("Secrets lie in files alone.", observed=searched, evidence=evidence)


@check(
    "CFG-11",
    "No other project shares what is this one's",
    asks=(neighbours.neighbours,),
    severity=Severity.CRITICAL,
    source="design: two bots on one database or one exchange key trade against each other",
    needs=("CFG-01",),
    anchor="compose.yaml#volumes",
    remedy="tradebot status; then give the other project (`-p`) secrets, volumes and a database of its own",
)
def alone(found: Neighbours) -> Verdict:
    """Other projects in the state folder of this user are compared by their folders, their volumes and, unseen, their
    secrets, keys of exchanges among them. What other hosts and users do cannot be seen from here.
    """
    evidence = (
        f"compared with {len(found.projects)} projects of this user ({few(found.projects) or 'there are no others'}): "
        f"state folder, volumes, secrets; {found.exchange_keys} exchange keys"
    )
    if found.shared:
        message = "Another project uses what is this one's."
        return failed(message, observed=few(found.shared), expected="nothing shared", evidence=evidence)
    if found.outside:
        message = "Nobody here can see who else uses the data stores of elsewhere."
        return warned(message, observed=few(found.outside), expected="stores of the stack", evidence=evidence)
    observed = f"{len(found.projects)} other projects, nothing shared"
    return passed("No other project shares what is this one's.", observed=observed, evidence=evidence)
