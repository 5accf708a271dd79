"""Redis: who gets in, and whom it had to turn away."""

from collections.abc import Mapping
from typing import Any

from tradebot_ops.clients.redis import AclUser, SlowCommand
from tradebot_ops.facts.stores import redis
from tradebot_ops.prodcheck.check import Severity, Verdict, check, failed, passed, warned, worst
from tradebot_ops.text.sentences import shortened

CROWDED = 0.8
SLOWEST_S = 0.1
#: Any of these in the hands of every job empties or stops Redis.
EVERYTHING = ("+@all", "allcommands")


@check(
    "DAT-04",
    "Redis lets in only who has a password, and everybody who has one",
    asks=(redis.anonymous, redis.default_user, redis.info, redis.slowlog),
    severity=Severity.CRITICAL,
    source="Redis: ACL, protected mode; brief: secure passwords",
    needs=("DAT-01",),
    anchor="compose.yaml#redis_acl",
    remedy="tradebot restart redis",
)
def guarded(
    anonymous: redis.Anonymous, user: AclUser | None, info: Mapping[str, Any], slow: tuple[SlowCommand, ...]
) -> Verdict:
    """Whoever reaches an open Redis reads every job and can run code through it. Tried with a real login, because
    settings that look safe are not always in force.
    """
    clients, most = int(info["connected_clients"]), int(info.get("maxclients", 0) or 10000)
    rejected = int(info["rejected_connections"])
    commands = user.commands if user else ""
    worst_command = max((entry.seconds for entry in slow), default=0.0)
    shown: dict[str, str] = {
        "observed": f"{clients} of {most} clients, {rejected} turned away, user default: {commands or 'off'}",
        "expected": "login without a password refused, nobody turned away",
        "evidence": f"PING without a password: {shortened(anonymous.answer, 160)}; slow log: {len(slow)} entries",
    }
    found = []
    if not anonymous.refused:
        found.append(failed("Redis answers without a password.", **shown))
    if user and user.enabled and user.without_password:
        found.append(failed("The user default needs no password.", **shown))
    if rejected:
        found.append(failed(f"Redis turned away {rejected} connections.", **shown, hint="tradebot status"))
    if clients > CROWDED * most:
        found.append(warned(f"{clients} of {most} connections are taken.", **shown, hint="tradebot status"))
    if worst_command > SLOWEST_S:
        hint = "tradebot exec redis -- redis-cli slowlog get"
        found.append(warned(f"A command took {worst_command:.2f} s.", **shown, hint=hint))
    if user and user.enabled and any(word in commands.split() for word in EVERYTHING) and "-@dangerous" not in commands:
        hint = "The tool itself needs CONFIG and ACL; keep the password from everybody else."
        found.append(warned("The account of the services may run every command, FLUSHALL too.", **shown, hint=hint))
    return worst(found) if found else passed("Redis lets in only who has a password.", **shown)
