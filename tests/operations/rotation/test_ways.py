"""Each way is killed at each of its steps and begun again: services are let in all the time, and in the end the new
value alone is."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.paths import ROOT
from tradebot_ops.context import WEB_USER, Ops
from tradebot_ops.engines.base import Address
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.errors import LoginRefused, OpsError, Refused
from tradebot_ops.operations import secrets
from tradebot_ops.operations.rotation import proof, readers, ways
from tradebot_ops.operations.rotation.pending import Pending
from tradebot_ops.private_folder import overwrite
from tradebot_ops.settings import Secret, load_settings

NEW = Secret("the-new-value-of-this-secret")


class KilledError(BaseException):
    """The process ended here."""


class World:
    """Stores that know passwords by user; ``steps`` counts what changes something, and one of them kills."""

    def __init__(self, ops: Ops, name: str) -> None:
        self.ops = ops
        self.pending = Pending(name, ops.secret(name), NEW)
        self.redis = {"default": {value(ops, "redis_password")}, "exporter": {value(ops, "redis_exporter_password")}}
        self.postgres = {
            "tradebot_app": value(ops, "postgres_app_password"),
            "exporter": value(ops, "postgres_exporter_password"),
            "tradebot": value(ops, "postgres_password"),
        }
        self.said: list[str] = []
        self.steps = 0
        self.kill_at = -1
        self.holds: Callable[[], bool] = lambda: True

    def step(self, what: str) -> None:
        assert self.holds(), f"{what}: before it somebody was locked out, after {self.said}"
        self.said.append(what)
        if self.steps == self.kill_at:
            self.kill_at = -1
            raise KilledError
        self.steps += 1

    # What the ways reach

    def client(self, _: Ops, password: Secret, user: str | None = None) -> Any:
        def let_in(*_: object) -> None:
            if password.reveal() not in self.redis[user or "default"]:
                raise Refused("WRONGPASS", code="TB-0540")

        def take(user: str, passwords: tuple[Secret, ...]) -> None:
            let_in()
            self.step(f"redis takes {len(passwords)} of {user}")
            self.redis[user] = {each.reveal() for each in passwords}

        return SimpleNamespace(acl_whoami=let_in, ping_latencies=let_in, take_passwords=take)

    def as_user(self, user: str, password: Secret, _: str) -> Any:
        def rows(*_: object) -> None:
            if self.postgres[user] != password.reveal():
                raise LoginRefused("no", code="TB-0531")

        return SimpleNamespace(rows=rows)

    @contextmanager
    def session(self) -> Iterator[Any]:
        def set_password(user: str, password: Secret) -> None:
            self.step(f"postgres takes the new one of {user}")
            self.postgres[user] = password.reveal()

        yield SimpleNamespace(set_password=set_password)

    def write(self, path: Path, text: str) -> None:
        self.step(f"{path.name} is written")
        overwrite(path, text)

    def restart(self, _: Ops, services: list[str], *__: object) -> None:
        self.step(f"restart {' '.join(services)}")


def value(ops: Ops, name: str) -> str:
    return ops.secret_file(name).read_text().strip()


def lines(ops: Ops, name: str) -> list[str]:
    return ops.secret_file(name).read_text().split()


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> tuple[Ops, dict[Path, str]]:
    """Made once, for its hashes are slow to make; with what was in its secrets then."""
    home = tmp_path_factory.mktemp("ways")
    environ = {"TRADEBOT_STATE": str(home / "state"), "HOME": str(home)}
    made = Ops(load_settings({"project": "demo"}, environ, ROOT), StubEngine("demo"))
    secrets.ensure(made.stack, made.state)
    return made, {file: file.read_text() for file in made.state.secrets.iterdir()}


@pytest.fixture
def ops(project: tuple[Ops, dict[Path, str]]) -> Ops:
    before, texts = project
    for file, text in texts.items():
        file.write_text(text)
    fresh = Ops(before.settings, StubEngine("demo"))
    fresh.__dict__["stack"] = before.stack
    return fresh


def begun(ops: Ops, name: str, monkeypatch: pytest.MonkeyPatch, running: bool = True) -> World:
    world = World(ops, name)
    monkeypatch.setattr(proof, "time", SimpleNamespace(monotonic=lambda: 0.0, sleep=lambda _: pytest.fail("waits")))
    for module in (ways, readers):
        monkeypatch.setattr(module, "runs", lambda *_: running)
        monkeypatch.setattr(module, "overwrite", world.write)
    monkeypatch.setattr(ways, "_redis", world.client)
    monkeypatch.setattr(readers, "restart", world.restart)
    monkeypatch.setattr(ops, "postgres_as", world.as_user, raising=False)
    ops.__dict__["postgres"] = world  # forgotten by the ways, and needed again after a kill
    return world


def finished(world: World, carry_out: Callable[[Ops, Pending], None], kill_at: int) -> bool:
    """Whether it was killed at that step; then it was begun again."""
    world.kill_at = kill_at
    world.ops.__dict__["postgres"] = world
    try:
        carry_out(world.ops, world.pending)
    except KilledError:
        world.ops.__dict__["postgres"] = world
        carry_out(world.ops, world.pending)
        return True
    return False


@pytest.mark.parametrize("kill_at", range(-1, 12))
def test_redis_lets_services_in_all_the_time(ops: Ops, monkeypatch: pytest.MonkeyPatch, kill_at: int) -> None:
    """They read the file at each connection; a Redis that starts in between knows what is in it."""
    world = begun(ops, "redis_password", monkeypatch)
    acl = ops.secret_file("redis_acl")

    def holds() -> bool:
        used = value(ops, "redis_password")
        stored = secrets.acl([used], [value(ops, "redis_exporter_password")])
        return used in world.redis["default"] and any(each in acl.read_text() for each in _hashes(stored, "default"))

    world.holds = holds
    ops.__dict__["redis"] = "a client with the old one"
    finished(world, ways.redis_password, kill_at)
    assert "redis" not in ops.__dict__
    assert holds()
    assert world.redis["default"] == {NEW.reveal()}
    assert value(ops, "redis_password") == NEW.reveal()
    assert acl.read_text() == secrets.acl([NEW.reveal()], [value(ops, "redis_exporter_password")])
    assert world.redis["exporter"] == {value(ops, "redis_exporter_password")}


def _hashes(text: str, user: str) -> list[str]:
    (line,) = [line for line in text.splitlines() if line.startswith(f"user {user} ")]
    return [word for word in line.split() if word.startswith("#")]


@pytest.mark.parametrize("kill_at", range(-1, 12))
def test_the_exporter_of_redis_is_let_in_until_it_has_the_new_one(
    ops: Ops, monkeypatch: pytest.MonkeyPatch, kill_at: int
) -> None:
    """It reads its file when it starts."""
    world = begun(ops, "redis_exporter_password", monkeypatch)
    old = world.pending.old.reveal()
    uses = {"exporter": old}

    def restart(*words: Any) -> None:
        world.restart(*words)
        uses.update(exporter=value(ops, world.pending.name))

    monkeypatch.setattr(readers, "restart", restart)
    world.holds = lambda: uses["exporter"] in world.redis["exporter"]
    finished(world, ways.redis_exporter_password, kill_at)
    assert "restart redis-exporter" in world.said
    assert world.holds()
    assert world.redis["exporter"] == {NEW.reveal()}
    assert value(ops, "redis_exporter_password") == NEW.reveal()
    acl = ops.secret_file("redis_acl").read_text()
    assert acl == secrets.acl([value(ops, "redis_password")], [NEW.reveal()])
    assert NEW.reveal() in ops.secret_file("redis_exporter_login").read_text()


@pytest.mark.parametrize("name", ["redis_password", "redis_exporter_password"])
def test_without_a_redis_that_runs_the_files_alone_are_written(
    ops: Ops, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    world = begun(ops, name, monkeypatch, running=False)
    change = ways.WAYS[name].change
    assert change
    change(ops, world.pending)
    assert not [each for each in world.said if "takes" in each or each.startswith("restart")]
    assert value(ops, name) == NEW.reveal()
    other = {"redis_password", "redis_exporter_password"} - {name}
    mine = {name: NEW.reveal()} | {each: value(ops, each) for each in other}
    expected = secrets.acl([mine["redis_password"]], [mine["redis_exporter_password"]])
    assert ops.secret_file("redis_acl").read_text() == expected


@pytest.mark.parametrize("kill_at", range(-1, 6))
def test_postgres_lets_services_in_by_one_of_two_lines(ops: Ops, monkeypatch: pytest.MonkeyPatch, kill_at: int) -> None:
    world = begun(ops, "postgres_app_password", monkeypatch)
    world.holds = lambda: world.postgres["tradebot_app"] in lines(ops, "postgres_app_password")
    finished(world, ways.postgres_app_password, kill_at)
    assert world.holds()
    assert world.postgres["tradebot_app"] == NEW.reveal()
    assert lines(ops, "postgres_app_password") == [NEW.reveal()]


@pytest.mark.parametrize(
    ("name", "user"), [("postgres_password", "tradebot"), ("postgres_exporter_password", "exporter")]
)
@pytest.mark.parametrize("kill_at", range(-1, 4))
def test_other_accounts_of_postgres(
    ops: Ops, monkeypatch: pytest.MonkeyPatch, name: str, user: str, kill_at: int
) -> None:
    world = begun(ops, name, monkeypatch)
    monkeypatch.setattr(ways, "POSTGRES_MONITOR", "exporter")
    change = ways.WAYS[name].change
    assert change
    finished(world, change, kill_at)
    assert (world.postgres[user], value(ops, name)) == (NEW.reveal(), NEW.reveal())
    said = [each for each in world.said if each.startswith("restart")]
    assert said[-1:] == (["restart postgres-exporter"] if user == "exporter" else [])
    assert world.said[-1:] == said[-1:] or user == "tradebot", "it is restarted last, with the new one in its file"


def test_an_old_value_that_is_still_taken_is_no_end(ops: Ops, monkeypatch: pytest.MonkeyPatch) -> None:
    world = begun(ops, "redis_password", monkeypatch)
    ticks = iter(range(0, 10_000, 10))
    monkeypatch.setattr(proof, "time", SimpleNamespace(monotonic=lambda: next(ticks), sleep=lambda _: None))

    class Deaf(dict[str, set[str]]):
        def __setitem__(self, user: str, passwords: set[str]) -> None:
            super().__setitem__(user, passwords | {world.pending.old.reveal()})

    world.redis = Deaf(world.redis)
    with pytest.raises(OpsError) as caught:
        ways.redis_password(ops, world.pending)
    assert caught.value.code == "TB-0136"


@pytest.mark.parametrize("name", ["api_key", "alert_token"])
@pytest.mark.parametrize("running", [True, False])
def test_the_api_takes_the_new_one_and_refuses_the_old_one(
    ops: Ops, monkeypatch: pytest.MonkeyPatch, name: str, running: bool
) -> None:
    world = begun(ops, name, monkeypatch, running)
    proved: list[tuple[str, str]] = []

    def asked(_: object, key: Secret, *, trust: object) -> Any:
        assert trust is ops.trust("api"), "over TLS it is asked as every command asks"

        def use(*words: object) -> None:
            assert words == ((1e9, ["succeeded"]) if name == "api_key" else (key,)), "what changes nothing"
            proved.append((key.reveal(), value(ops, name)))
            if key.reveal() != value(ops, name):
                raise LoginRefused("no", code="TB-0561")

        return SimpleNamespace(prunable=use, check_alert_token=use)

    monkeypatch.setattr("tradebot_ops.clients.api.Api", asked)
    monkeypatch.setattr(ways, "_api", {ops: "http://api"}.__getitem__)
    change = ways.WAYS[name].change
    assert change
    change(ops, world.pending)
    assert value(ops, name) == NEW.reveal()
    expected = [(NEW.reveal(), NEW.reveal()), (world.pending.old.reveal(), NEW.reveal())]
    assert proved == (expected if running else [])


@pytest.mark.parametrize(
    ("name", "client", "method"),
    [
        ("prometheus_password", "tradebot_ops.clients.prometheus.Prometheus", "flags"),
        ("alertmanager_password", "tradebot_ops.clients.alertmanager.Alertmanager", "receivers"),
    ],
)
@pytest.mark.parametrize("running", [True, False])
def test_a_page_takes_the_new_one_before_its_readers_have_it(
    ops: Ops, monkeypatch: pytest.MonkeyPatch, name: str, client: str, method: str, running: bool
) -> None:
    world = begun(ops, name, monkeypatch, running)
    service = name.partition("_")[0]
    asked: list[str] = []
    port = {"prometheus": 9090, "alertmanager": 9093}[service]

    def made(address: str, login: Any, trust: object) -> Any:
        assert trust is None
        assert (address, login.user) == (f"http://{service}:{port}", WEB_USER)

        def use() -> object:
            asked.append(login.password.reveal())
            if login.password.reveal() != value(ops, name):
                raise LoginRefused("no", code="TB-0561")
            return None

        return SimpleNamespace(**{method: use})

    reloaded: list[bool] = []
    monkeypatch.setattr(client, made)
    monkeypatch.setattr(ops.engine, "endpoint", lambda *words: ":".join(map(str, words)))
    ops.__dict__["grafana"] = SimpleNamespace(reload_datasources=lambda: reloaded.append(True))
    ops.__dict__[service] = "a client with the old one"
    ops.__dict__["panels"] = "a client with the old one"
    change = ways.WAYS[name].change
    assert change
    change(ops, world.pending)
    assert world.said == [f"{service}_web is written", f"{name} is written"]
    assert secrets.ensure(ops.stack, ops.state) == (), "the hash on the page fits the new value"
    assert asked == ([NEW.reveal(), world.pending.old.reveal()] if running else [])
    assert not {service, "panels"} & ops.__dict__.keys()
    assert reloaded == ([True] if running and service == "prometheus" else [])


def test_redis_and_the_api_are_asked_where_the_engine_has_them(ops: Ops, monkeypatch: pytest.MonkeyPatch) -> None:
    def endpoint(service: str, port: int) -> Any:
        return Address(f"{service}.example", port)

    monkeypatch.setattr(ops.engine, "endpoint", endpoint)
    made: list[tuple[object, ...]] = []
    monkeypatch.setattr("tradebot_ops.clients.redis.Redis", lambda *words: made.append(words))
    ways._redis(ops, NEW)
    ways._redis(ops, NEW, "exporter")
    assert made == [("redis.example", 6379, NEW, None), ("redis.example", 6379, NEW, "exporter")]
    assert ways._api(ops) == "http://api.example:8010"


@pytest.mark.parametrize(
    ("environment", "user"),
    [
        ({"DATABASE_URL": "postgresql://bots@postgres:5432/tradebot"}, "bots"),
        ({"DATABASE_URL": "postgresql://postgres:5432/tradebot"}, "tradebot_app"),
        ({}, "tradebot_app"),
        (None, "tradebot_app"),
    ],
)
def test_the_account_of_the_services_is_that_of_their_url(environment: dict[str, str] | None, user: str) -> None:
    services = {} if environment is None else {"api": SimpleNamespace(environment=environment)}
    ops: Any = SimpleNamespace(stack=SimpleNamespace(services=services))
    assert ways.app_user(ops) == user


@pytest.mark.parametrize(
    ("name", "computed"),
    [
        ("redis_password", ["redis_acl"]),
        ("redis_exporter_password", ["redis_acl", "redis_exporter_login"]),
        ("prometheus_password", ["prometheus_web"]),
    ],
)
@pytest.mark.parametrize("running", [True, False])
def test_a_file_that_is_computed_from_it_may_be_missing(
    ops: Ops, monkeypatch: pytest.MonkeyPatch, name: str, computed: list[str], running: bool
) -> None:
    """A stack of one's own may give Redis a password and no more; the next start makes what it needs."""
    world = begun(ops, name, monkeypatch, running)
    asked = SimpleNamespace(flags=lambda: None)
    monkeypatch.setattr(ops, "prometheus_as", lambda _: asked, raising=False)
    monkeypatch.setattr(readers, "prove_refused", lambda *_: None)
    ops.__dict__["grafana"] = SimpleNamespace(reload_datasources=lambda: None)
    for each in computed:
        ops.secret_file(each).unlink()
    change = ways.WAYS[name].change
    assert change
    change(ops, world.pending)
    assert value(ops, name) == NEW.reveal()
    assert not [each for each in computed if ops.secret_file(each).exists()]


def test_an_api_that_goes_on_with_the_old_one_is_told_by_its_name(ops: Ops, monkeypatch: pytest.MonkeyPatch) -> None:
    world = begun(ops, "api_key", monkeypatch)
    ticks = iter(range(0, 10_000, 10))
    monkeypatch.setattr(proof, "time", SimpleNamespace(monotonic=lambda: next(ticks), sleep=lambda _: None))

    def use(_: Secret) -> None:
        raise LoginRefused("no", code="TB-0561")

    with pytest.raises(OpsError, match="^The service api goes on with the old api_key: "):
        ways._through_the_api(ops, world.pending, use)


@pytest.mark.parametrize(
    "name",
    [
        *("redis_password", "redis_exporter_password", "postgres_password", "postgres_app_password"),
        *("postgres_exporter_password", "api_key", "alert_token"),
    ],
)
def test_no_way_ends_before_the_old_one_is_proved_to_be_refused(
    ops: Ops, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    world = begun(ops, name, monkeypatch)
    monkeypatch.setattr(ways, "POSTGRES_MONITOR", "exporter")
    asked: list[Pending] = []

    def prove_refused(pending: Pending, use: Callable[[], object]) -> None:
        asked.append(pending)
        with pytest.raises((LoginRefused, Refused)):  # it is the old one that is tried
            use()

    def key(_: object, key: Secret, *, trust: object) -> Any:
        def use(*_: object) -> None:
            if key.reveal() != value(ops, name):
                raise LoginRefused("no", code="TB-0561")

        return SimpleNamespace(prunable=use, check_alert_token=use)

    monkeypatch.setattr("tradebot_ops.clients.api.Api", key)
    monkeypatch.setattr(ways, "_api", lambda _: "http://api")
    monkeypatch.setattr(ways, "prove_refused", prove_refused)
    change = ways.WAYS[name].change
    assert change
    change(ops, world.pending)
    assert asked == [world.pending]
