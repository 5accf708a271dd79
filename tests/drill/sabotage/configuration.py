"""Stage 2 broken on purpose."""

import shutil
from pathlib import Path

from tests.drill.sabotage.fault import Act, Fault, editing, ops_of
from tests.integration.tradebot import Tradebot


def _env_file(text: str, mode: int = 0o600) -> tuple[Act, Act]:
    """A ``.env`` where the stack has none, and away with it."""

    def inject(stack: Tradebot) -> None:
        file = stack.cwd / ".env"
        assert not file.exists()
        file.write_text(text, encoding="utf-8")
        file.chmod(mode)

    return inject, lambda stack: (stack.cwd / ".env").unlink()


def _secret(stack: Tradebot) -> Path:
    return ops_of(stack).secret_file("grafana_admin_password")


def _placeholder() -> tuple[Act, Act]:
    """In a secret that no running service reads on this engine, so that the rest goes on."""
    kept: list[str] = []

    def inject(stack: Tradebot) -> None:
        file = _secret(stack)
        kept.append(file.read_text(encoding="utf-8"))
        file.write_text("changeme", encoding="utf-8")

    def mend(stack: Tradebot) -> None:
        _secret(stack).write_text(kept.pop(), encoding="utf-8")

    return inject, mend


def _open_secrets() -> tuple[Act, Act]:
    return (
        lambda stack: (stack.state / "secrets").chmod(0o755),
        lambda stack: (stack.state / "secrets").chmod(0o700),
    )


def _up_with(text: str) -> tuple[Act, Act]:
    """A ``.env`` that is put into force, and out of it."""
    write, remove = _env_file(text)

    def inject(stack: Tradebot) -> None:
        write(stack)
        stack.ok("up", timeout=200)

    def mend(stack: Tradebot) -> None:
        remove(stack)
        stack.ok("up", timeout=200)

    return inject, mend


def _away(path: str) -> tuple[Act, Act]:
    def inject(stack: Tradebot) -> None:
        (stack.cwd / path).rename(stack.cwd / f"{path}.away")

    def mend(stack: Tradebot) -> None:
        (stack.cwd / f"{path}.away").rename(stack.cwd / path)

    return inject, mend


def _literal() -> tuple[Act, Act]:
    """A secret in a file that belongs into a repository."""

    def inject(stack: Tradebot) -> None:
        value = ops_of(stack).secret("api_key").reveal()
        (stack.cwd / "config" / "handover.txt").write_text(f"key: {value}\n", encoding="utf-8")

    return inject, lambda stack: (stack.cwd / "config" / "handover.txt").unlink()


def _twin() -> tuple[Act, Act]:
    """A project that was made by copying this one's secrets."""

    def inject(stack: Tradebot) -> None:
        shutil.copytree(stack.state / "secrets", stack.state.parent / "twin" / "secrets")

    return inject, lambda stack: shutil.rmtree(stack.state.parent / "twin")


_RULES = "config/prometheus/rules/redis.yml"

FAULTS = (
    Fault("a mounted folder missing", "CFG-01", "fail", *_away("config/grafana/dashboards")),
    Fault("an unknown setting", "CFG-02", "warn", *_env_file("WORKER_REPLICS=3\n")),
    Fault("a placeholder for a password", "CFG-03", "fail", *_placeholder(), also=("SEC-01",)),
    Fault("settings that every user reads", "CFG-04", "fail", *_env_file("ALERT_EMAIL_TO=ops@example.org\n", 0o644)),
    Fault("another environment than runs", "CFG-05", "fail", *_env_file("ENVIRONMENT=staging\n"), also=("CFG-06",)),
    Fault("a rule edited after it was read", "CFG-06", "warn", *editing(_RULES, "for: 2m", "for: 3m")),
    Fault("a description that was never applied", "CFG-06", "fail",
          *editing("compose.yaml", "stop_grace_period: 45s", "stop_grace_period: 46s")),
    Fault("Redis may fill its limit", "CFG-07", "warn", *_env_file("REDIS_MEMORY_LIMIT=512mb\n"), also=("CFG-06",)),
    Fault("a cache larger than Postgres' memory", "CFG-01", "fail", *_env_file("POSTGRES_MEMORY_LIMIT=100mb\n")),
    Fault("logs that are not JSON", "CFG-08", "fail", *_up_with("LOG_FORMAT=console\n")),
    Fault("a secret in a file of the stack", "CFG-09", "fail", *_literal()),
    Fault("a project with the same secrets", "CFG-11", "fail", *_twin()),
    Fault("secrets that a group reads", "CFG-04", "fail", *_open_secrets()),
)  # fmt: skip
