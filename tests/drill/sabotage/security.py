"""Stage 9 broken on purpose: on any engine, and as only containers can be."""

import base64
import hashlib
import io
import json
import tarfile
from collections.abc import Callable, Mapping
from typing import Any

import psycopg

from tests.drill.sabotage.fault import Act, Fault, editing, ops_of, sql
from tests.drill.sabotage.stores import open_to_all
from tests.integration.docker.rig import api
from tests.integration.tradebot import Tradebot
from tradebot_ops.docker.locate import locate
from tradebot_ops.engines.docker.spec import NUMBER, PROJECT, SERVICE

_COMPOSE = "compose.yaml"
_NO_LOGIN = (
    "      - --web.config.file=/run/secrets/prometheus_web\n      - --web.listen-address=0.0.0.0:9090\n",
    "      - --web.listen-address=0.0.0.0:9090\n",
)
_KEPT = "Nobody takes a line out of an engine's log again."
#: A replica that nobody described: what somebody started by hand carries the labels that were copied with it.
_STRAY = "worker", "99"


def described(*edits: tuple[str, str]) -> tuple[Act, Act]:
    """Edits compose.yaml and makes it so, and back."""
    acts = [editing(_COMPOSE, old, new) for old, new in edits]

    def both(wanted: list[Act]) -> Act:
        def act(stack: Tradebot) -> None:
            for each in wanted:
                each(stack)
            stack.ok("up", timeout=200)

        return act

    return both([inject for inject, _ in acts]), both([mend for _, mend in reversed(acts)])


def _weak(name: str, value: str) -> tuple[Act, Act]:
    """A secret that no running service reads on this engine, so that the rest goes on."""
    kept: list[str] = []

    def inject(stack: Tradebot) -> None:
        file = ops_of(stack).secret_file(name)
        kept.append(file.read_text(encoding="utf-8"))
        file.write_text(value, encoding="utf-8")

    def mend(stack: Tradebot) -> None:
        ops_of(stack).secret_file(name).write_text(kept.pop(), encoding="utf-8")

    return inject, mend


def _logged(written: Callable[[str], str]) -> tuple[Act, Act]:
    """A statement that fails, with a secret in it: Postgres writes it into its log, as it does with those of others.

    The mend takes it out of the local engine's file.
    """

    def form(stack: Tradebot) -> str:
        return written(ops_of(stack).secret("api_key").reveal())

    def inject(stack: Tradebot) -> None:
        try:
            sql(f"DROP TABLE {form(stack)!r}".replace("'", '"'))(stack)
        except psycopg.errors.UndefinedTable:
            return
        raise AssertionError("the statement fails")

    def mend(stack: Tradebot) -> None:
        leaked = form(stack).encode()
        file = stack.state / "local" / "logs" / "postgres-1.log"
        with file.open("r+b") as log:
            text = log.read()
            log.seek(0)
            log.write(text.replace(leaked, b"x" * len(leaked)))

    return inject, mend


def _in_base64(value: str) -> str:
    return base64.b64encode(f"Basic of tradebot:{value}".encode()).decode()


FAULTS = (
    Fault("a default account in Postgres", "SEC-01", "fail",
          sql("CREATE ROLE postgres LOGIN PASSWORD 'postgres'"), sql("DROP ROLE postgres")),
    Fault("Redis lets strangers in", "SEC-01", "fail", *open_to_all()),
    Fault("a password of one letter", "SEC-01", "warn", *_weak("grafana_admin_password", "a" * 24)),
    Fault("a short password", "SEC-01", "warn", *_weak("grafana_admin_password", "Zq3-x_8L")),
    Fault("a worker's port on 0.0.0.0", "SEC-02", "fail",
          *described(('"127.0.0.1:${WORKER_METRICS_PORT', '"0.0.0.0:${WORKER_METRICS_PORT')), also=("SEC-08",)),
    Fault("Alertmanager's port on 0.0.0.0", "SEC-02", "warn",
          *described(('"127.0.0.1:${ALERTMANAGER_PORT', '"0.0.0.0:${ALERTMANAGER_PORT')), also=("SEC-08",)),
    Fault("Prometheus without a login", "SEC-03", "warn", *described(_NO_LOGIN)),
    Fault("Prometheus without a login on 0.0.0.0", "SEC-03", "fail",
          *described(_NO_LOGIN, ('"127.0.0.1:${PROMETHEUS_PORT', '"0.0.0.0:${PROMETHEUS_PORT')),
          also=("SEC-02", "SEC-08")),
    Fault("the API without TLS on 0.0.0.0", "SEC-08", "warn",
          *described(('"${API_ADDRESS:-127.0.0.1}:${API_PORT', '"0.0.0.0:${API_PORT')), also=("SEC-02",)),
    Fault("a secret in a log line", "SEC-09", "fail", *_logged(str), local=_KEPT),
    Fault("a secret in a log line, in base64", "SEC-09", "fail", *_logged(_in_base64), local=_KEPT),
)  # fmt: skip


def _stray(**host: Any) -> tuple[Act, Act]:
    """A container with the labels of a worker, started with rights that the description never gives."""

    def name(stack: Tradebot) -> str:
        return f"{stack.project}-{'-'.join(_STRAY)}"

    def inject(stack: Tradebot) -> None:
        labels = {PROJECT: stack.project, SERVICE: _STRAY[0], NUMBER: _STRAY[1]}
        with api() as engine:
            rights = engine.create_host_config(**host)
            made = engine.create_container("tradebot/app:latest", ["sleep", "600"], name=name(stack), labels=labels,
                                           host_config=rights)  # fmt: skip
            engine.start(made)

    def mend(stack: Tradebot) -> None:
        with api() as engine:
            engine.remove_container(name(stack), force=True)

    return inject, mend


def _on_bridge() -> tuple[Act, Act]:
    """Redis is in the network of every other project, too."""

    def inject(stack: Tradebot) -> None:
        with api() as engine:
            engine.connect_container_to_network(f"{stack.project}-redis-1", "bridge")

    def mend(stack: Tradebot) -> None:
        with api() as engine:
            engine.disconnect_container_from_network(f"{stack.project}-redis-1", "bridge")

    return inject, mend


def _old_image() -> tuple[Act, Act]:
    """An image of 2020 in place of the exporter's; the description names it, and nothing is started from it."""
    tag, variable = "tradebot/test-old-exporter:1", "REDIS_EXPORTER_IMAGE"
    kept: list[str] = []

    def inject(stack: Tradebot) -> None:
        with api() as engine:
            engine.load_image(_archive(tag, "2020-01-01T00:00:00Z"))
        kept.append(stack.environ[variable])
        stack.environ[variable] = tag

    def mend(stack: Tradebot) -> None:
        stack.environ[variable] = kept.pop()
        with api() as engine:
            engine.remove_image(tag)

    return inject, mend


def _archive(tag: str, created: str) -> bytes:
    """What `docker save` writes of an image with one empty layer."""
    layer = _tar({})
    digest = f"sha256:{hashlib.sha256(layer).hexdigest()}"
    config = {
        "architecture": "amd64",
        "os": "linux",
        "created": created,
        "config": {},
        "rootfs": {"type": "layers", "diff_ids": [digest]},
        "history": [{"created": created, "created_by": "a test"}],
    }
    manifest = [{"Config": "config.json", "RepoTags": [tag], "Layers": ["layer.tar"]}]
    files = {"config.json": json.dumps(config).encode(), "manifest.json": json.dumps(manifest).encode()}
    return _tar({**files, "layer.tar": layer})


def _tar(files: Mapping[str, bytes]) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return made.getvalue()


def _socket() -> str:
    return locate({}).socket or "/var/run/docker.sock"


#: Who else notices a stray container on the engine's default network.
_STRAYS = ("SEC-05", "SEC-07")
_DATA = '    volumes: ["postgres-data:/var/lib/postgresql/data"]\n'
_API_MOUNT = "./config/grafana/dashboards:/etc/tradebot/dashboards:ro"

DOCKER_FAULTS = (
    Fault("a privileged container", "SEC-05", "fail", *_stray(privileged=True), also=("SEC-07",)),
    Fault("a container without seccomp", "SEC-05", "fail", *_stray(security_opt=["seccomp=unconfined"]),
          also=("SEC-07",)),
    Fault("the API as root", "SEC-05", "warn",
          *described(("  api:\n    <<: *app\n", '  api:\n    <<: *app\n    user: "0:0"\n'))),
    Fault("the API may write its root", "SEC-05", "warn",
          *described(("  api:\n    <<: *app\n", "  api:\n    <<: *app\n    read_only: false\n"))),
    Fault("docker.sock mounted", "SEC-06", "fail",
          *described((f'["{_API_MOUNT}"]', f'["{_API_MOUNT}", "{_socket()}:/var/run/docker.sock:ro"]'))),
    Fault("the host's /etc mounted", "SEC-06", "fail",
          *described((f'["{_API_MOUNT}"]', f'["{_API_MOUNT}", "/etc:/host-etc:ro"]'))),
    Fault("a container in the host's network", "SEC-06", "fail", *_stray(network_mode="host"), also=_STRAYS),
    Fault("a container that sees the host's processes", "SEC-06", "fail", *_stray(pid_mode="host"), also=_STRAYS),
    Fault("Redis on the network of all projects", "SEC-07", "fail", *_on_bridge()),
    Fault("an image of 2020", "SEC-11", "warn", *_old_image()),
    Fault("Postgres published", "SEC-02", "warn", *described((_DATA, f'    ports: ["127.0.0.1::5432"]\n{_DATA}'))),
)  # fmt: skip
