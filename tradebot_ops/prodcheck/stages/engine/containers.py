"""Duties of the engine for its containers: run them, bound their logs, speak our API, come back after a reboot."""

from tradebot_ops.engines.inspection import EngineInfo, Inspected, TriedOut
from tradebot_ops.facts import engine
from tradebot_ops.facts.fact import Skip
from tradebot_ops.facts.project import stack
from tradebot_ops.facts.replicas import containers
from tradebot_ops.prodcheck.check import Severity, Verdict, check, failed, passed, skipped, warned

_BOUNDED_BY_THEMSELVES = {"local", "journald", "none", "syslog"}


@check(
    "ENG-02",
    "The engine runs a container",
    asks=(engine.scratch,),
    severity=Severity.CRITICAL,
    source="design: an engine that answers may still be unable to run anything",
    needs=("ENG-01",),
    anchor="compose.yaml",
    remedy="tradebot images list; then look at the engine's own log: journalctl -u docker -n 50",
)
def runs(tried: TriedOut) -> Verdict:
    """A scratch container is made from an image that is present, asked something and removed: the engine's disk, its
    runtime and its control groups work now, not only its socket.
    """
    observed, expected = f"from {tried.image}", "it starts, answers and is removed"
    if tried.refused:
        message = f"The engine answers but cannot run containers: {tried.refused}"
        return failed(message, observed=observed, expected=expected, evidence=tried.refused)
    return passed("A scratch container was made, asked and removed.", observed=observed)


@check(
    "ENG-06",
    "Logs are bounded",
    asks=(containers.replicas,),
    source="moby issue 40207: Docker's default keeps logs for ever",
    needs=("ENG-01",),
    anchor="compose.yaml#logging",
    remedy="tradebot up; it recreates what was started with other options, `logging` in compose.yaml holds them",
)
def logs(found: tuple[Inspected, ...]) -> Verdict:
    """A log that is never rotated fills the disk in months, and then every store stops at once."""
    endless = [each.label for each in found if not _bounded(each)]
    if endless:
        observed = _few(endless)
        return failed(
            f"{len(endless)} replicas keep their logs for ever.", observed=observed, expected="max-size and max-file"
        )
    if not found:
        return skipped(Skip.PREREQUISITE, "Nothing was started yet.")
    return passed("Every replica's log is rotated.", observed=f"{len(found)} replicas")


def _bounded(each: Inspected) -> bool:
    if each.log_driver in _BOUNDED_BY_THEMSELVES:
        return True
    return bool(each.log_options.get("max-size")) and each.log_options.get("max-size") != "-1"


@check(
    "ENG-10",
    "The engine's API suits this client",
    asks=(engine.info,),
    source="Docker 29 refuses API versions before 1.44",
    needs=("ENG-01",),
    anchor=".env#DOCKER_API_VERSION",
    remedy="tradebot version; then unset DOCKER_API_VERSION, or upgrade the engine",
)
def api(info: EngineInfo) -> Verdict:
    """Outside the engine's own range every call fails; a version that was pinned years ago leads there."""
    if not info.api:
        return skipped(Skip.ENGINE, "The local engine has no API of its own.")
    observed = f"in use {info.api}, engine {info.api_min} to {info.api_max}"
    wanted = info.api_pinned or info.api
    if not _number(info.api_min) <= _number(wanted) <= _number(info.api_max):
        pinned = f"DOCKER_API_VERSION={info.api_pinned}" if info.api_pinned else f"API {info.api}"
        return failed(f"{pinned} is outside the engine's range.", observed=observed, expected="within the range")
    if _number(info.api) < (1, 41):
        return warned("The engine's API is old.", observed=observed, expected="1.41 or newer")
    return passed("The engine's API suits this client.", observed=observed)


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())


@check(
    "ENG-13",
    "It comes back after a reboot",
    asks=(engine.info, stack.environment),
    source="design: a host reboots at night, and nobody is there",
    needs=("ENG-01",),
    anchor="compose.yaml#restart",
    remedy="tradebot service install; with Docker: sudo systemctl enable --now docker",
)
def reboot(info: EngineInfo, env: str) -> Verdict:
    """Restart policies are the engine's to keep, so the engine itself must be started by the host."""
    if info.starts_at_boot is None:
        return skipped(Skip.ENGINE, f"Whether it starts at boot cannot be seen from here: {info.boot_evidence}.")
    if info.starts_at_boot:
        return passed("The engine starts with the host.", observed=info.boot_evidence)
    judge = failed if env == "prod" else warned
    return judge(
        "Nothing starts the engine when the host boots.",
        observed="not enabled",
        expected="enabled at boot",
        evidence=info.boot_evidence,
    )


def _few(names: list[str], most: int = 5) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
