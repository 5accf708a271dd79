"""Versions of what runs: Python packages as declared, and programs that still get security fixes."""

from collections.abc import Mapping
from datetime import date

from tradebot_ops.facts import moment
from tradebot_ops.facts.project.support import TABLE_DATE, supported_until
from tradebot_ops.facts.replicas import programs
from tradebot_ops.prodcheck.check import Verdict, check, failed, passed, warned

TABLE_DAYS = 180


@check(
    "ENG-08",
    "Python packages as required",
    asks=(programs.packages,),
    source="brief: dependencies are installed",
    needs=("ENG-01",),
    anchor="services/requirements.txt",
    remedy="tradebot images build; then tradebot up",
)
def packages(found: tuple[programs.Packages, ...]) -> Verdict:
    """Asked of the interpreter that runs the service: what it finds is what it imports. That a file of requirements
    exists proves nothing.
    """
    from packaging.requirements import Requirement

    wrong = []
    for each in found:
        for line in each.wanted:
            requirement = Requirement(line)
            version = each.installed.get(requirement.name.lower().replace("_", "-").replace(".", "-"))
            if version is None or not requirement.specifier.contains(version, prereleases=True):
                wrong.append(f"{each.replica}: {line} (has {version or 'none'})")
    if wrong:
        more = f" and {len(wrong) - 4} more" if len(wrong) > 4 else ""
        return failed(
            f"{len(wrong)} required packages are missing or too old.",
            observed="; ".join(wrong[:4]) + more,
            expected="as in services/requirements.txt",
        )
    count = sum(len(each.wanted) for each in found)
    where = ", ".join(f"{each.replica} (Python {each.python})" for each in found)
    return passed("Every required package is there.", observed=f"{count} requirements in {where}")


@check(
    "ENG-11",
    "Every program gets security fixes",
    asks=(programs.releases, moment.today),
    source="vendors' published ends of support",
    needs=("ENG-01",),
    anchor="compose.yaml#image",
    remedy="tradebot images list; then name a newer one in .env (POSTGRES_IMAGE …) and run `tradebot up`",
)
def supported(releases: Mapping[str, str], today: date) -> Verdict:
    """After its end of support a program's holes are published and not mended."""
    ends = {name: supported_until(name, version) for name, version in releases.items() if not _debians(version)}
    over = [f"{name} {releases[name]} (ended {end})" for name, end in ends.items() if end and end < today]
    unknown = [name for name in releases if ends.get(name) is None]
    evidence = f"table of {TABLE_DATE}; not in it: {', '.join(sorted(unknown)) or 'nothing'}"
    if over:
        observed = ", ".join(over)
        return warned("Programs are out of support.", observed=observed, expected="supported", evidence=evidence)
    if (today - TABLE_DATE).days > TABLE_DAYS:
        return warned("The table of ends of support is old.", observed=f"of {TABLE_DATE}", evidence=evidence)
    known = [f"{name} {releases[name]} (until {end})" for name, end in ends.items() if end]
    if not known:
        return warned("Of no program is known until when it is supported.", evidence=evidence)
    return passed("What the table knows gets security fixes.", observed=", ".join(known), evidence=evidence)


def _debians(version: str) -> bool:
    """Debian mends its own builds for longer than the makers do theirs; `apt` knows of them, this table does not."""
    return "+ds" in version or "+dfsg" in version
