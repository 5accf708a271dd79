"""Pipelines that run the stack and its checks, ready to be written into a repository: one template each."""

from importlib.resources import files

from tradebot_ops.context import Ops
from tradebot_ops.errors import OpsError
from tradebot_ops.model import Report, Section
from tradebot_ops.text.suggest import did_you_mean
from tradebot_ops.version import version

#: Where each service looks for it.
PLACES = {"github": ".github/workflows/prod-check.yml", "gitlab": ".gitlab-ci.yml"}


def template(ops: Ops, service: str, install: str = "") -> Report:
    """A pipeline as a document."""
    written = text(ops, service, install)
    return Report(
        data={"file": PLACES[service], "text": written}, sections=(Section(lines=tuple(written.splitlines())),)
    )


def text(ops: Ops, service: str, install: str = "") -> str:
    """The text of a pipeline. ``install`` is what pip is given; this version of tradebot where nobody says.

    Raises ``OpsError`` TB-0239 for a service that has no template, and for an ``install`` that holds a quote.
    """
    if service not in PLACES:
        meant = did_you_mean(service, list(PLACES))
        hint = f"{meant} tradebot ci template {'|'.join(PLACES)}".lstrip()
        raise OpsError(f"There is no pipeline for '{service}'.", code="TB-0239", hint=hint)
    if "'" in install or "\n" in install:
        raise OpsError("--install cannot hold a quote.", code="TB-0239", hint="Write it plainly: --install '.[local]'")
    written = (files(__package__) / "templates" / f"{service}.yml").read_text(encoding="utf-8")
    values = {
        "@INSTALL@": install or f"tradebot-ops[local]=={version()}",
        "@ENGINE@": "local" if ops.settings.engine == "auto" else ops.settings.engine,
        "@ENV@": ops.settings.env,
    }
    for name, value in values.items():
        written = written.replace(name, value)
    return written
