"""The stack this repository ships keeps its promises."""

import re
import socket
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml

import tradebot_ops
from tradebot_ops.settings import STACK_SETTINGS
from tradebot_ops.settings.declared import memory_limits
from tradebot_ops.stack.load import load
from tradebot_ops.stack.model import MountKind, Service, Stack, Trust
from tradebot_ops.stack.source import Source

ROOT = Path(tradebot_ops.__file__).resolve().parent.parent
FILE = ROOT / "compose.yaml"
CORE = ("redis", "postgres", "migrate", "api", "worker")


@pytest.fixture(scope="module")
def stack() -> Stack:
    return load(Source((FILE,), ROOT, "a test"), {}, project="demo", profiles=["*"])


def every(stack: Stack) -> list[Service]:
    return list(stack.services.values())


def test_it_loads_without_any_variable_set(stack: Stack) -> None:
    assert set(CORE) <= set(stack.services)


def test_the_core_needs_no_profile() -> None:
    plain = load(Source((FILE,), ROOT, "a test"), {}, project="demo")
    assert set(plain.services) == set(CORE)


def test_every_service_is_limited_and_hardened(stack: Stack) -> None:
    for service in every(stack):
        assert service.limits.memory, service.name
        assert service.limits.cpus, service.name
        assert service.limits.pids, service.name
        assert service.cap_drop == ("ALL",), service.name
        assert "no-new-privileges:true" in service.security_opt, service.name
        assert service.read_only, service.name
        assert service.init, service.name
        assert service.logging.options.keys() >= {"max-size", "max-file"}, service.name


def test_every_lasting_service_can_be_proved_ready(stack: Stack) -> None:
    for service in every(stack):
        if service.one_shot:
            continue
        assert service.probe is not None, service.name
        check = service.healthcheck
        assert check is not None, service.name
        assert check.interval >= 10, service.name  # a second's interval costs a third of two cores when idle
        assert check.start_interval == 1.0, service.name
        assert service.restart == "unless-stopped", service.name


def test_nothing_is_published_beyond_this_host(stack: Stack) -> None:
    for service in every(stack):
        assert {port.host_ip for port in service.ports} <= {"127.0.0.1"}, service.name


def test_ports_follow_their_variables(stack: Stack) -> None:
    changed = load(
        Source((FILE,), ROOT, "a test"),
        {"API_PORT": "8011", "WORKER_METRICS_PORT": "9500-9599"},
        project="demo",
        explicit={"API_PORT"},
    )
    api, worker = (changed.services[name].ports[0] for name in ("api", "worker"))
    assert (api.published, api.explicit) == (8011, True)
    assert (worker.published, worker.explicit) == (9500, False)
    assert stack.services["api"].ports[0].explicit is False


def test_no_image_floats(stack: Stack) -> None:
    for service in every(stack):
        name, _, tag = service.image.rpartition(":")
        assert name, f"{service.name}: {service.image} has no tag"
        assert service.build is not None or tag != "latest", service.name


def test_no_secret_stands_in_the_environment(stack: Stack) -> None:
    for service in every(stack):
        for key in (key for key in service.environment if re.search("PASSWORD|KEY|TOKEN|SECRET", key)):
            value = service.environment[key]
            inside = re.fullmatch(r"\$__file\{(.+)\}", value)
            # Of Grafana's own names one ends otherwise; it is a path as well, which the next line sees.
            assert inside or key.endswith("_FILE") or key == "GF_SERVER_CERT_KEY", f"{service.name}: {key}"
            assert (inside[1] if inside else value) in {mount.target for mount in service.secrets}, service.name


def test_no_variable_waits_for_an_entrypoint_that_does_not_run(stack: Stack) -> None:
    """Images read ``X__FILE`` in their entrypoint; the program behind it would go on with its default password."""
    for service in every(stack):
        cleared = service.entrypoint is not None and not any(service.entrypoint)
        assert not (cleared and [key for key in service.environment if key.endswith("__FILE")]), service.name


def test_grafana_has_the_generated_password_and_lets_people_look(stack: Stack) -> None:
    grafana = stack.services["grafana"].environment
    # Grafana expands $__file{} in whatever its variables override, and trims what it reads.
    assert grafana["GF_SECURITY_ADMIN_PASSWORD"] == "$__file{/run/secrets/grafana_admin_password}"
    assert (grafana["GF_USERS_ALLOW_SIGN_UP"], grafana["GF_AUTH_ANONYMOUS_ENABLED"]) == ("false", "false")
    assert grafana["GF_USERS_AUTO_ASSIGN_ORG_ROLE"] == "Viewer"


def test_the_monitoring_speaks_tls_and_is_asked_so_where_one_setting_says_it(stack: Stack) -> None:
    changed = load(Source((FILE,), ROOT, "a test"), {"MONITORING_SCHEME": "https"}, project="demo", profiles=["*"])
    for name in ("prometheus", "alertmanager", "grafana"):
        before, after = stack.services[name], changed.services[name]
        assert before.probe
        assert (before.probe.protocol, before.probe.trust) == ("http", None)
        assert after.probe
        assert after.probe.trust == Trust(ROOT / "secrets/tls_ca", "localhost")
        assert {"tls_ca", "tls_certificate", "tls_key"} <= {mount.source for mount in after.secrets}
        assert before.healthcheck
        assert after.healthcheck
        plain, secured = " ".join(before.healthcheck.test), " ".join(after.healthcheck.test)
        assert plain.replace("http://", "https://") == secured
        assert "https://127.0.0.1" in secured
        assert before.spec_hash != after.spec_hash, "it starts anew"
    api, grafana = (changed.services[name].environment for name in ("api", "grafana"))
    assert {api["PROMETHEUS_URL"], grafana["PROMETHEUS_URL"]} == {"https://prometheus:9090"}
    assert api["ALERTMANAGER_URL"] == "https://alertmanager:9093"
    assert grafana["GF_SERVER_PROTOCOL"] == "https"
    untouched = ("redis", "postgres", "migrate", "worker", "node-exporter", "redis-exporter", "postgres-exporter")
    assert all(stack.services[name].spec_hash == changed.services[name].spec_hash for name in untouched)


def test_grafanas_data_source_takes_its_address_and_whom_to_trust_from_its_environment(stack: Stack) -> None:
    file = ROOT / "config/grafana/provisioning/datasources/prometheus.yml"
    (source,) = yaml.safe_load(file.read_text(encoding="utf-8"))["datasources"]
    environment = stack.services["grafana"].environment
    assert (source["url"], environment["PROMETHEUS_URL"]) == ("${PROMETHEUS_URL}", "http://prometheus:9090")
    assert (source["jsonData"]["serverName"], environment["TLS_NAME"]) == ("${TLS_NAME}", "localhost")
    assert source["jsonData"]["tlsAuthWithCACert"] is True, "Grafana panics at a string"
    inside = re.fullmatch(r"\$__file\{(.+)\}", source["secureJsonData"]["tlsCACert"])
    assert inside
    assert inside[1] in {mount.target for mount in stack.services["grafana"].secrets}


def test_no_health_check_puts_a_secret_on_a_command_line(stack: Stack) -> None:
    """Every user of the host reads command lines. A variable before the program is in none."""
    for service in every(stack):
        script = " ".join(service.healthcheck.test) if service.healthcheck else ""
        words = re.sub(r"\b[A-Z_]+=\$\([^)]*\)", "", script)
        assert "$(" not in words, service.name
        assert not re.search(r"://[^/ ]*@", words), service.name


def test_other_services_are_always_named_with_their_port(stack: Stack) -> None:
    """Engines without containers rewrite `service:port` and nothing else, so no other form may appear."""
    names = "|".join(map(re.escape, stack.services))
    for service in every(stack):
        for text in (*service.environment.values(), *service.command):
            for match in re.finditer(rf"(?:://|@)({names})\b(?!:\d)", text):
                pytest.fail(f"{service.name}: {match[1]} without port in {text!r}")


def test_every_word_of_a_command_starts_with_a_program(stack: Stack) -> None:
    for service in every(stack):
        assert service.command, service.name
        assert re.fullmatch(r"[a-z][\w-]*", service.command[0]), service.name


def test_a_stopping_worker_has_time_for_its_grace(stack: Stack) -> None:
    worker = stack.services["worker"]
    assert worker.stop_grace > float(worker.environment["WORKER_GRACE_SECONDS"])


def test_data_lies_in_named_volumes(stack: Stack) -> None:
    for name in ("redis", "postgres"):
        kinds = {mount.kind for mount in stack.services[name].mounts}
        assert MountKind.VOLUME in kinds
        assert MountKind.BIND not in kinds


def test_redis_never_drops_a_job(stack: Stack) -> None:
    command = stack.services["redis"].command
    assert "noeviction" in command
    assert command[command.index("--appendonly") + 1] == "yes"


class _Answer(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/ready" else 503)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Tests stay quiet."""


@pytest.mark.parametrize(("path", "healthy"), [("/ready", True), ("/other", False)])
@pytest.mark.parametrize("name", ["api", "worker"])
def test_the_http_check_believes_only_200(stack: Stack, name: str, path: str, healthy: bool) -> None:
    check = stack.services[name].healthcheck
    assert check is not None
    with ThreadingHTTPServer(("127.0.0.1", 0), _Answer) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        words = [sys.executable, *check.test[2:-2], str(server.server_port), path]
        done = subprocess.run(words, capture_output=True, timeout=30)
        server.shutdown()
    assert (done.returncode == 0) is healthy, done.stderr


def test_the_http_check_fails_where_nobody_listens(stack: Stack) -> None:
    check = stack.services["api"].healthcheck
    assert check is not None
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: nobody else can take it meanwhile
        words = [sys.executable, *check.test[2:-2], str(taken.getsockname()[1]), "/"]
        assert subprocess.run(words, capture_output=True, timeout=30).returncode == 1


def test_the_checks_ask_what_the_probes_ask(stack: Stack) -> None:
    for name in ("api", "worker"):
        service = stack.services[name]
        assert service.healthcheck is not None
        assert service.probe is not None
        assert service.healthcheck.test[-2:] == (str(service.probe.port), service.probe.path)


def test_every_variable_is_a_setting_or_follows_from_one_or_from_the_host() -> None:
    """Else a value somebody sets is neither checked nor shown."""
    used = set(re.findall(r"\$\{([A-Z_]+)", FILE.read_text(encoding="utf-8")))
    declared = {setting.name for setting in STACK_SETTINGS}
    images = {name for name in used if name.endswith("_IMAGE")}
    host = {"TRADEBOT_SECRETS", "TRADEBOT_UID", "TRADEBOT_GID", "ALERTMANAGER_CONFIG", "PROMETHEUS_CONFIG"}
    follows = memory_limits({setting.name: setting.check(setting.default) for setting in STACK_SETTINGS}).keys()
    assert used - declared - images - host == set(follows)


def test_defaults_are_those_of_the_settings() -> None:
    """`docker compose up` without tradebot must start the same stack, but for the workers that would share a port."""
    written = dict(re.findall(r"\$\{(\w+):-([^}]*)\}", FILE.read_text(encoding="utf-8")))
    for setting in STACK_SETTINGS:
        if setting.name in written and setting.name != "WORKER_REPLICAS":
            assert setting.check(written[setting.name].lower()) == setting.check(setting.default), setting.name
    assert written["WORKER_REPLICAS"] == "1"
