"""The context of a command: settings, stack, engine, API. Opened when first used; passed, never global."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from tradebot_ops.debian.stand_ins import VARIABLES, stand_ins_of
from tradebot_ops.engines.base import Address, Engine, KeepsImages
from tradebot_ops.engines.choose import EngineChoice, choose
from tradebot_ops.errors import NoAddress, NotRunning, OpsError
from tradebot_ops.records import Absence, ChosenProfiles, DesiredReplicas, StandInImages, UnavailableServices
from tradebot_ops.settings import DEFAULT_PROFILES, Secret, Settings, who
from tradebot_ops.stack.model import Stack, Trust
from tradebot_ops.state import HostState, ProjectState, cache_root, state_root

if TYPE_CHECKING:
    from tradebot_ops.clients.alertmanager import Alertmanager
    from tradebot_ops.clients.api import Api
    from tradebot_ops.clients.grafana import Grafana
    from tradebot_ops.clients.panels import Panels
    from tradebot_ops.clients.postgres import Postgres
    from tradebot_ops.clients.prometheus import Prometheus
    from tradebot_ops.clients.redis import Redis
    from tradebot_ops.stack.source import Source

#: Alertmanager's configuration where channels were added to it.
ALERTMANAGER_FOLDER = "alertmanager"
#: Prometheus' configuration where it asks over TLS.
PROMETHEUS_FOLDER = "prometheus"
#: Folders of the state that take the place of the stack's own, by the variable that compose.yaml finds them with.
OWN_CONFIGURATION = {"ALERTMANAGER_CONFIG": ALERTMANAGER_FOLDER, "PROMETHEUS_CONFIG": PROMETHEUS_FOLDER}
#: The user of Prometheus and Alertmanager.
WEB_USER = "tradebot"
#: The user that Grafana is made with.
GRAFANA_USER = "admin"
#: The user of the Postgres exporter, which the migration makes.
POSTGRES_MONITOR = "exporter"
START_MONITORING = "tradebot monitoring start"


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Change:
    """A change under way: ``command`` as the operator types it; ``leased`` when it holds the project for itself."""

    command: str
    arguments: tuple[str, ...]
    leased: bool


class Ops:
    """One command's world for one project.

    ``changes`` are those under way, the outermost first (``operations.change`` alone writes to it). ``warnings``
    concern the command as a whole: they are shown with its report.
    """

    def __init__(
        self,
        settings: Settings,
        engine: Engine | None = None,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self.settings = settings
        self.clock = clock
        self._given_engine = engine
        #: What the command line would say against the words after `tradebot`, empty for nothing. It sets this itself.
        self.complaint: Callable[[str], str] | None = None
        self.changes: list[Change] = []
        self.warnings: list[str] = list(settings.warnings)

    def with_settings(self, settings: Settings) -> "Ops":
        """The same world under other settings: what one changes, the other changes."""
        made = Ops(settings, self._given_engine, self.clock)
        made.changes, made.warnings = self.changes, self.warnings
        return made

    @cached_property
    def state(self) -> ProjectState:
        return ProjectState(self.host_state.folder / self.settings.project)

    @property
    def host_state(self) -> HostState:
        """State that all projects of this user share: images belong to the host."""
        return HostState(state_root(self.settings.environ))

    @cached_property
    def source(self) -> "Source":
        from tradebot_ops.stack.source import find

        return find([str(name) for name in self.settings.files], self.settings.cwd)

    @cached_property
    def stack(self) -> Stack:
        from tradebot_ops.stack.load import load

        return load(
            self.source,
            self.variables,
            project=self.settings.project,
            profiles=self.profiles,
            replicas=self.desired_replicas,
            explicit=self.settings.explicit,
            cache=cache_root(self.settings.environ),
        )

    @property
    def variables(self) -> dict[str, str]:
        """All that the description may use as ``${NAME}``."""
        return self.stand_ins | self.settings.variables() | self._places()

    def _places(self) -> dict[str, str]:
        """Where the description finds what belongs to this project alone."""
        places = {"TRADEBOT_SECRETS": str(self.state.secrets)}
        own = {name: self.state.folder / folder for name, folder in OWN_CONFIGURATION.items()}
        return places | {name: str(folder) for name, folder in own.items() if folder.is_dir()}

    @property
    def stand_ins(self) -> dict[str, str]:
        """Images in place of official ones: those that the engine has, and those chosen on this host (`images build`).

        What the user set outranks both.
        """
        chosen = dict(self.host_state.load(StandInImages).tags)
        return chosen if chosen.keys() >= VARIABLES else {**self._stand_ins_of_engine(), **chosen}

    def _stand_ins_of_engine(self) -> dict[str, str]:
        """None of an engine that does not answer: whoever needs the engine says so."""
        try:
            engine = self.engine
            return stand_ins_of(engine.image_sources()) if isinstance(engine, KeepsImages) else {}
        except OpsError:
            return {}

    @property
    def profiles(self) -> tuple[str, ...]:
        """Profiles of this command, else those of the last `up`, else the default."""
        if self.settings.profiles is not None:
            return self.settings.profiles
        known = self.state.load(ChosenProfiles).profiles
        return DEFAULT_PROFILES if known is None else known

    @property
    def unavailable(self) -> Mapping[str, Absence]:
        """Services that the last `up` could not run here, by name."""
        return self.state.load(UnavailableServices).services

    @property
    def desired_replicas(self) -> Mapping[str, int]:
        """Replicas that `scale` stored; they outrank the settings until the next `scale`."""
        return self.state.load(DesiredReplicas).replicas

    @cached_property
    def choice(self) -> EngineChoice:
        if self._given_engine is not None:
            return EngineChoice(self._given_engine, "given by the caller")
        return choose(self.settings, self.state)

    @property
    def engine(self) -> Engine:
        return self.choice.engine

    def secret(self, name: str) -> Secret:
        """A generated secret of this project. Raises ``OpsError`` TB-0805 when there is none.

        While it is being rotated a second line may follow, which is the one that comes.
        """
        text = _read_secret(self.secret_file(name))
        declared = self.stack.secrets.get(name)
        return Secret(text if declared and declared.derive else text.partition("\n")[0].rstrip())

    def secret_file(self, name: str) -> Path:
        """Where a secret of this project lies: what may be shown of it."""
        return self.stack.secrets[name].file if name in self.stack.secrets else self.state.secrets / name

    def trust(self, service: str) -> Trust | None:
        """Whom to trust at a service that answers over TLS; None where it answers in the clear."""
        known = self.stack.services.get(service)
        return known.probe.trust if known and known.probe else None

    def url(self, service: str, address: Address) -> str:
        """The beginning of each address of a service's pages."""
        return f"{'https' if self.trust(service) else 'http'}://{address}"

    @cached_property
    def api(self) -> "Api":
        from tradebot_ops.clients.api import Api

        address = self._reach("api", 8010, "The API does not run.", "TB-0501", "tradebot up")
        by = who.actor(self.settings.environ)
        return Api(self.url("api", address), self.secret("api_key"), by=by, trust=self.trust("api"))

    @cached_property
    def prometheus(self) -> "Prometheus":
        address = self._prometheus_address()  # one that never ran has no password yet, and says that it does not run
        return self._prometheus(address, self.secret("prometheus_password"))

    def prometheus_as(self, password: Secret) -> "Prometheus":
        """The same Prometheus, asked with another password."""
        return self._prometheus(self._prometheus_address(), password)

    def _prometheus(self, address: Address, password: Secret) -> "Prometheus":
        from tradebot_ops.clients.prometheus import Prometheus
        from tradebot_ops.clients.rest import Login

        return Prometheus(self.url("prometheus", address), Login(WEB_USER, password), trust=self.trust("prometheus"))

    @cached_property
    def panels(self) -> "Panels":
        from tradebot_ops.clients.panels import Panels
        from tradebot_ops.clients.rest import Login

        address = self._prometheus_address()
        login = Login(WEB_USER, self.secret("prometheus_password"))
        return Panels(self.url("prometheus", address), login, self.trust("prometheus"))

    def _prometheus_address(self) -> Address:
        return self._reach("prometheus", 9090, "Prometheus does not run.", "TB-0510", START_MONITORING)

    @cached_property
    def grafana(self) -> "Grafana":
        address = self._grafana_address()
        return self._grafana(address, GRAFANA_USER, self.secret("grafana_admin_password"))

    def grafana_as(self, user: str, password: Secret) -> "Grafana":
        """The same Grafana, asked as another user."""
        return self._grafana(self._grafana_address(), user, password)

    def _grafana(self, address: Address, user: str, password: Secret) -> "Grafana":
        from tradebot_ops.clients.grafana import Grafana
        from tradebot_ops.clients.rest import Login

        return Grafana(self.url("grafana", address), Login(user, password), trust=self.trust("grafana"))

    def _grafana_address(self) -> Address:
        return self._reach("grafana", 3000, "Grafana does not run.", "TB-0560", START_MONITORING)

    @cached_property
    def alertmanager(self) -> "Alertmanager":
        address = self._alertmanager_address()
        return self._alertmanager(address, self.secret("alertmanager_password"))

    def alertmanager_as(self, password: Secret) -> "Alertmanager":
        """The same Alertmanager, asked with another password."""
        return self._alertmanager(self._alertmanager_address(), password)

    def _alertmanager(self, address: Address, password: Secret) -> "Alertmanager":
        from tradebot_ops.clients.alertmanager import Alertmanager
        from tradebot_ops.clients.rest import Login

        return Alertmanager(
            self.url("alertmanager", address), Login(WEB_USER, password), trust=self.trust("alertmanager")
        )

    def _alertmanager_address(self) -> Address:
        return self._reach("alertmanager", 9093, "Alertmanager does not run.", "TB-0520", START_MONITORING)

    @cached_property
    def redis(self) -> "Redis":
        from tradebot_ops.clients.redis import Redis

        address = self.engine.endpoint("redis", 6379)
        return Redis(address.host, address.port, self.secret("redis_password"))

    @cached_property
    def postgres(self) -> "Postgres":
        """The stack's database, asked as the account that owns it and that the migration uses."""
        return self._postgres(self._declared("POSTGRES_USER", "postgres"), "postgres_password")

    @cached_property
    def postgres_app(self) -> "Postgres":
        """The same database, asked as the account that the description gives to the API."""
        from urllib.parse import urlsplit

        environ = self.stack.services["api"].environment if "api" in self.stack.services else {}
        user = urlsplit(environ.get("DATABASE_URL", "")).username or self._declared("POSTGRES_USER", "postgres")
        return self._postgres(user, PurePath(environ.get("DATABASE_PASSWORD_FILE", "postgres_password")).name)

    @cached_property
    def postgres_monitor(self) -> "Postgres":
        """The same database, asked as the exporter's account: it sees statistics of everybody, and no table of ours."""
        return self._postgres(POSTGRES_MONITOR, "postgres_exporter_password")

    def postgres_as(self, user: str, password: Secret, database: str) -> "Postgres":
        """The same server, asked as another user."""
        return self._postgres_at(self._postgres_address(), user, password, database)

    def _postgres(self, user: str, secret: str) -> "Postgres":
        database = self._declared("POSTGRES_DB", self._declared("POSTGRES_USER", "postgres"))
        return self._postgres_at(self._postgres_address(), user, self.secret(secret), database)

    @staticmethod
    def _postgres_at(address: Address, user: str, password: Secret, database: str) -> "Postgres":
        from tradebot_ops.clients.postgres import Account, Postgres

        return Postgres(address.host, address.port, Account(user, password, database))

    def _postgres_address(self) -> Address:
        return self._reach("postgres", 5432, "Postgres does not run.", "TB-0535", "tradebot up")

    def _declared(self, name: str, default: str) -> str:
        """A variable of the service postgres; the official image's default where the description has none."""
        service = self.stack.services.get("postgres")
        return service.environment.get(name, default) if service else default

    def _reach(self, service: str, port: int, away: str, code: str, hint: str) -> Address:
        """Address of the service. One that was never started, or stopped, is reported in the same words and with the
        same code on every engine; what this host cannot run, with what it lacks."""
        try:
            return self.engine.endpoint(service, port)
        except NoAddress:
            if any(found.service == service and found.state.alive for found in self.engine.list()):
                raise
            known = self.unavailable.get(service)
            raise NotRunning(away, code=code, hint=known.hint if known else hint) from None


def _read_secret(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        raise OpsError(
            f"There is no secret {path.name} yet.", code="TB-0805", hint="tradebot up generates it."
        ) from None
    except OSError as error:
        raise OpsError(
            f"Cannot read the secret {path}: {error.strerror}.",
            code="TB-0805",
            hint=f"Check who owns it: ls -l {path}",
        ) from None
