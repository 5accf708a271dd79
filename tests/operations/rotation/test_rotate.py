"""Which secrets can be changed, which are refused with their reason, and how a rotation goes on."""

import json
from dataclasses import replace
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.operations.seen import Made, made, refusal, whole
from tests.paths import ROOT
from tradebot_ops.context import Ops
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.errors import LoginRefused, OpsError
from tradebot_ops.model import Level
from tradebot_ops.operations import secrets
from tradebot_ops.operations.rotation import looking, proof, readers, rotate, ways
from tradebot_ops.operations.rotation.pending import Journal, Pending
from tradebot_ops.operations.rotation.ways import WAYS, Way
from tradebot_ops.private_folder import overwrite
from tradebot_ops.progress import Phase, ProgressEvent, ignore_progress
from tradebot_ops.records import Absence, UnavailableServices, WatchedBot
from tradebot_ops.settings import Secret, load_settings
from tradebot_ops.stack.model import SecretFile


@pytest.fixture
def ops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ops:
    """Nothing runs; every secret is there."""
    monkeypatch.setattr(secrets, "BCRYPT_ROUNDS", 4)
    environ = {"TRADEBOT_STATE": str(tmp_path / "state"), "HOME": str(tmp_path)}
    made = Ops(load_settings({"project": "demo"}, environ, ROOT), StubEngine("demo"))
    secrets.ensure(made.stack, made.state)
    return made


def test_every_secret_of_the_stack_has_its_way_or_its_reason(ops: Ops) -> None:
    assert WAYS.keys() == rotate.own(ops).keys()
    assert all(way.change or way.why for way in WAYS.values())
    assert all(way.why for way in WAYS.values() if way.needs)


@pytest.mark.parametrize(
    "name",
    [
        "api_key",
        "alert_token",
        "redis_password",
        "redis_exporter_password",
        "prometheus_password",
        "alertmanager_password",
    ],
)
def test_with_nothing_running_the_next_start_takes_the_new_one(ops: Ops, name: str) -> None:
    before = ops.secret(name)
    found = rotate.rotate(ops, [name], ignore_progress)
    assert ops.secret(name) != before
    assert ops.secret(name).reveal() not in str(found)
    assert secrets.ensure(ops.stack, ops.state) == (), "what is computed from it fits already"
    assert not rotate.pending(ops, name)


def test_what_cannot_be_changed_now_is_refused_with_its_reason(ops: Ops) -> None:
    before = ops.secret("grafana_admin_password")
    with pytest.raises(OpsError) as caught:
        rotate.rotate(ops, ["grafana_admin_password"], ignore_progress)
    assert (caught.value.code, "Grafana keeps it" in caught.value.message) == ("TB-0927", True)
    assert ops.secret("grafana_admin_password") == before


def test_grafana_that_cannot_run_here_is_waited_for_by_nobody(ops: Ops) -> None:
    ops.state.store(UnavailableServices({"grafana": Absence("no image", "tradebot pull")}))
    before = ops.secret("grafana_admin_password")
    rotate.rotate(ops, ["grafana_admin_password"], ignore_progress)
    assert ops.secret("grafana_admin_password") != before


class FakeGrafana:
    """Takes one password at a time, as the real one does."""

    def __init__(self, password: Secret) -> None:
        self.password = password
        self.reloaded = 0

    def as_user(self, user: str, password: Secret) -> Any:
        def changed(old: Secret, new: Secret) -> None:
            asked()
            assert old == password
            self.password = new

        def asked() -> None:
            if (user, password) != ("admin", self.password):
                raise LoginRefused("Grafana refused.", code="TB-0561")

        return SimpleNamespace(organisation=asked, change_password=changed)


@pytest.mark.parametrize("came_so_far", [False, True], ids=["from the start", "killed after Grafana had it"])
def test_grafana_that_runs_is_asked(ops: Ops, monkeypatch: pytest.MonkeyPatch, came_so_far: bool) -> None:
    old, new = ops.secret("grafana_admin_password"), Secret("begun-before-the-kill")
    grafana = FakeGrafana(new if came_so_far else old)
    Journal(ops.state).begin(Pending("grafana_admin_password", old, new))
    monkeypatch.setattr(ops, "grafana_as", grafana.as_user, raising=False)
    for module in (ways, readers):
        monkeypatch.setattr(module, "runs", lambda _, service: service == "grafana")
    rotate.rotate(ops, ["grafana_admin_password"], ignore_progress)
    assert (grafana.password, ops.secret("grafana_admin_password").reveal()) == (new, new.reveal())


def test_grafana_that_takes_the_old_one_still_is_no_rotation(ops: Ops, monkeypatch: pytest.MonkeyPatch) -> None:
    before = ops.secret("grafana_admin_password")
    seconds = count()
    monkeypatch.setattr(proof, "time", SimpleNamespace(monotonic=lambda: next(seconds), sleep=lambda _: None))
    monkeypatch.setattr(readers, "runs", lambda _, service: service == "grafana")
    monkeypatch.setattr(ways, "runs", lambda _, service: service == "grafana")
    takes_all = SimpleNamespace(organisation=lambda: None, change_password=lambda old, new: None)
    monkeypatch.setattr(ops, "grafana_as", lambda user, password: takes_all, raising=False)
    with pytest.raises(OpsError, match="the old one is still accepted"):
        rotate.rotate(ops, ["grafana_admin_password"], ignore_progress)
    assert ops.secret("grafana_admin_password") == before
    assert rotate.pending(ops, "grafana_admin_password")


@pytest.mark.parametrize(("names", "code"), [(["api_kee"], "TB-0271"), (["redis_acl"], "TB-0271"), ([], "TB-0271")])
def test_what_is_no_secret(ops: Ops, names: list[str], code: str) -> None:
    with pytest.raises(OpsError) as caught:
        rotate.rotate(ops, names, ignore_progress)
    assert caught.value.code == code


def test_the_files_of_the_user_are_left_alone(tmp_path: Path) -> None:
    environ = {"TRADEBOT_STATE": str(tmp_path / "state"), "HOME": str(tmp_path)}
    ops = Ops(load_settings({"project": "demo"}, environ, ROOT), StubEngine("demo"))
    secrets.ensure(ops.stack, ops.state)
    own = SimpleNamespace(name="api_key", file=tmp_path / "vault" / "api_key", derive="")
    stack: Any = ops.stack
    ops.__dict__["stack"] = SimpleNamespace(secrets=dict(stack.secrets) | {"api_key": own}, services=stack.services)
    with pytest.raises(OpsError, match="belongs to you"):
        rotate.rotate(ops, ["api_key"], ignore_progress)


def test_one_that_was_left_half_way_goes_on_with_its_value(ops: Ops) -> None:
    Journal(ops.state).begin(Pending("api_key", ops.secret("api_key"), Secret("begun-before-the-kill")))
    assert [each.message for each in looking.check(ops).findings] == ["A rotation of api_key was left half-way."]
    rotate.rotate(ops, ["api_key"], ignore_progress)
    assert ops.secret("api_key").reveal() == "begun-before-the-kill"
    assert looking.check(ops).ok


def test_a_value_of_ones_own(ops: Ops) -> None:
    rotate.import_(ops, "api_key", Secret("a-key-of-my-own"), ignore_progress)
    assert ops.secret("api_key").reveal() == "a-key-of-my-own"
    with pytest.raises(OpsError, match="cannot be changed"):
        rotate.import_(ops, "grafana_admin_password", Secret("mine"), ignore_progress)


def test_the_password_of_a_bot_is_given_at_any_time_and_never_made_anew(ops: Ops) -> None:
    found = rotate.import_(ops, "bot_password", Secret("as-the-bot-has-it"), ignore_progress)
    assert ops.secret("bot_password").reveal() == "as-the-bot-has-it"
    assert "refused" not in str(found.sections)
    with pytest.raises(OpsError, match="from its own configuration"):
        rotate.rotate(ops, ["bot_password"], ignore_progress)
    assert WAYS["bot_password"].obstacle(ops), "so that --all leaves it as it is"


def test_all_speaks_of_a_bot_s_password_only_where_a_bot_is_watched(ops: Ops, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rotate, "_change", lambda *_: 0.0)
    for watched in (False, True):
        ops.state.store(WatchedBot("freqtrade" if watched else ""))
        left: Any = rotate.rotate(ops, [], ignore_progress, every=True).data
        assert ("bot_password" in left["left"]) is watched


def test_before_the_first_start_any_may_be_given(tmp_path: Path) -> None:
    environ = {"TRADEBOT_STATE": str(tmp_path / "state"), "HOME": str(tmp_path)}
    ops = Ops(load_settings({"project": "demo"}, environ, ROOT), StubEngine("demo"))
    rotate.import_(ops, "postgres_password", Secret("the-one-of-the-vault"), ignore_progress)
    assert ops.secret("postgres_password").reveal() == "the-one-of-the-vault"
    assert "postgres_password" not in secrets.ensure(ops.stack, ops.state)
    with pytest.raises(OpsError) as caught:
        rotate.rotate(Ops(ops.settings, ops.engine), ["nothing"], ignore_progress)
    assert caught.value.code == "TB-0271"


@pytest.mark.parametrize("value", ["", "two\nlines", "x" * 73, "tab\tin it", " space"])
def test_what_is_no_value(ops: Ops, value: str) -> None:
    before = ops.secret("api_key")
    with pytest.raises(OpsError) as caught:
        rotate.import_(ops, "api_key", Secret(value), ignore_progress)
    assert caught.value.code == "TB-0843"
    assert ops.secret("api_key") == before


def test_the_list_shows_no_value(ops: Ops) -> None:
    found = looking.listing(ops)
    assert not [name for name in WAYS if ops.secret(name).reveal() in str(found)]
    data: Any = found.data
    assert {each["name"] for each in data["secrets"] if each["rotates"]} == {n for n, way in WAYS.items() if way.change}


def test_one_is_shown_alone(ops: Ops) -> None:
    found = looking.show(ops, "grafana_admin_password")
    assert found.sections[0].lines == (ops.secret("grafana_admin_password").reveal(),)
    assert ops.secret("grafana_admin_password").reveal() not in (ops.state.folder / "audit.jsonl").read_text()


def test_faults_of_secrets_are_found(ops: Ops) -> None:
    files = {name: ops.secret_file(name) for name in WAYS}
    files["api_key"].write_text("short")
    files["alert_token"].unlink()
    files["redis_password"].write_bytes(b"\xff\xfe")
    files["prometheus_password"].write_text("x" * 80)
    found = " ".join(each.message for each in looking.check(ops).findings)
    assert "api_key has 5 characters only." in found
    assert "There is no alert_token yet." in found
    assert "redis_password cannot be read as text." in found
    assert "prometheus_password has 80 bytes" in found


@pytest.mark.parametrize(("length", "sound"), [(15, False), (16, True)])
def test_so_short_is_a_warning(ops: Ops, length: int, sound: bool) -> None:
    ops.secret_file("api_key").write_text("x" * length)
    found = looking.check(ops).findings
    assert [each.level for each in found] == ([Level.PASS] if sound else [Level.WARN])


@pytest.mark.parametrize(
    ("file", "folder", "found"),
    [(0o600, 0o755, 0), (0o644, 0o700, 0), (0o604, 0o711, 1), (0o640, 0o710, 1), (0o604, 0o755, 1)],
)
def test_a_secret_is_open_where_both_the_file_and_each_folder_let_others_in(
    tmp_path: Path, file: int, folder: int, found: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the folders above the tests allow: of them, only the one of the secret counts here."""
    inner = tmp_path / "secrets"
    inner.mkdir()
    path = inner / "api_key"
    path.write_text("x" * 32)
    path.chmod(file)
    inner.chmod(folder)
    monkeypatch.setattr(Path, "parents", property(lambda self: (inner, Path("/"))))
    assert looking._open_to_others(SecretFile("api_key", path)) is bool(found)


def test_that_one_could_not_be_shown_is_in_the_audit_log(ops: Ops) -> None:
    ops.secret_file("api_key").unlink()
    with pytest.raises(OpsError):
        looking.show(ops, "api_key")
    (_, ended) = [json.loads(line) for line in (ops.state.folder / "audit.jsonl").read_text().splitlines()]
    assert "There is no secret api_key yet." in json.dumps(ended)


def test_what_was_begun_is_finished_before_another_value_is_imported(ops: Ops, monkeypatch: pytest.MonkeyPatch) -> None:
    """A killed rotation may have changed half; from there, only its own new value leads on."""
    old, begun = ops.secret("api_key"), Secret("begun-before-the-kill")
    Journal(ops.state).begin(Pending("api_key", old, begun))
    done: list[tuple[str, str]] = []

    def carry_out(ops: Ops, pending: Pending) -> None:
        assert Journal(ops.state).find("api_key") == pending, "it is on the disk before anything is changed"
        done.append((pending.old.reveal(), pending.new.reveal()))
        overwrite(ops.secret_file("api_key"), pending.new.reveal())

    monkeypatch.setattr(rotate, "WAYS", {**WAYS, "api_key": Way("", carry_out)})
    rotate.import_(ops, "api_key", Secret("imported-afterwards"), ignore_progress)
    assert done == [(old.reveal(), begun.reveal()), (begun.reveal(), "imported-afterwards")]
    assert not rotate.pending(ops, "api_key")


# Words


def carried_out(ops: Ops, pending: Pending) -> None:
    overwrite(ops.secret_file(pending.name), pending.new.reveal())


@pytest.fixture
def quick(ops: Ops, monkeypatch: pytest.MonkeyPatch) -> Ops:
    """Every way writes its file alone; of a clock that stands, nothing takes time."""
    plain = {name: replace(way, change=way.change and carried_out) for name, way in WAYS.items()}
    for module in (rotate, looking):
        monkeypatch.setattr(module, "WAYS", plain)
    times = (number / 4 for number in count())
    monkeypatch.setattr(rotate, "time", SimpleNamespace(monotonic=lambda: next(times)))
    return ops


def test_each_step_is_told_by_the_name_of_its_secret(quick: Ops) -> None:
    Journal(quick.state).begin(Pending("api_key", quick.secret("api_key"), Secret("begun-before-the-kill")))
    events: list[ProgressEvent] = []
    rotate.rotate(quick, ["alert_token"], events.append)
    rotate.import_(quick, "api_key", Secret("imported-afterwards"), events.append)
    taken = "both are taken for a while"
    done = "the new one alone is in force"
    assert events == [
        ProgressEvent("alert_token", Phase.PREPARING, taken),
        ProgressEvent("alert_token", Phase.DONE, done),
        ProgressEvent("api_key", Phase.PREPARING, "finishing what was begun"),
        ProgressEvent("api_key", Phase.PREPARING, taken),
        ProgressEvent("api_key", Phase.DONE, done),
    ]


def test_the_audit_log_has_the_names_and_hooks_are_heard(quick: Ops, monkeypatch: pytest.MonkeyPatch) -> None:
    names = ["api_key", "alert_token"]
    assert made(monkeypatch, lambda heard: rotate.rotate(quick, names, heard)) == [Made(("secrets rotate", *names))]
    mine = Secret("a-key-of-my-own")
    assert made(monkeypatch, lambda heard: rotate.import_(quick, "api_key", mine, heard)) == [
        Made(("secrets import", "api_key"))
    ]


def test_a_new_one_is_long_and_another_each_time(quick: Ops) -> None:
    values = set()
    for _ in range(3):
        rotate.rotate(quick, ["api_key"], ignore_progress)
        values.add(quick.secret("api_key").reveal())
    assert (len(values), {len(each) for each in values}) == (3, {32})


def test_what_was_begun_with_the_same_value_is_carried_out_once(quick: Ops, monkeypatch: pytest.MonkeyPatch) -> None:
    old, begun = quick.secret("api_key"), Secret("begun-before-the-kill")
    Journal(quick.state).begin(Pending("api_key", old, begun))
    done: list[Pending] = []
    monkeypatch.setattr(rotate, "WAYS", {**WAYS, "api_key": Way("", lambda _, pending: done.append(pending))})
    rotate.import_(quick, "api_key", begun, ignore_progress)
    assert done == [Pending("api_key", old, begun)]


def test_screens(quick: Ops, snapshot: SnapshotAssertion) -> None:
    seen = [whole(rotate.rotate(quick, ["api_key", "alert_token"], ignore_progress))]
    quick.state.store(WatchedBot("freqtrade"))
    seen.append(whole(rotate.rotate(quick, [], ignore_progress, every=True)))
    seen.append(whole(rotate.import_(quick, "api_key", Secret("a-key-of-my-own"), ignore_progress)))
    seen.append(whole(rotate.import_(quick, "bot_password", Secret("as-the-bot-has-it"), ignore_progress)))
    assert "\n\n".join(seen) == snapshot


def test_the_first_value_of_one_that_is_not_there_yet_is_no_rotation(quick: Ops, snapshot: SnapshotAssertion) -> None:
    """Whatever its way: there is nothing that would have the old one."""
    for name in ("grafana_admin_password", "bot_password"):
        quick.secret_file(name).unlink()
        report = rotate.import_(quick, name, Secret("the-one-of-the-vault"), ignore_progress)
        assert quick.secret(name).reveal() == "the-one-of-the-vault"
        assert whole(report) == snapshot


def test_refusals(quick: Ops, tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    others = SecretFile("mine", tmp_path / "vault" / "mine")
    ours = SecretFile("more", quick.state.secrets / "more")
    stack: Any = quick.stack
    secrets_ = dict(stack.secrets) | {"mine": others, "more": ours}
    quick.__dict__["stack"] = SimpleNamespace(secrets=secrets_, services=stack.services)
    quick.secret_file("alert_token").unlink()
    seen = []
    for names in ([], ["api_kee"], ["redis_acl"], ["grafana_admin_password"], ["mine"], ["more"], ["alert_token"]):
        with pytest.raises(OpsError) as caught:
            rotate.rotate(quick, names, ignore_progress)
        seen.append(refusal(caught.value))
    for name in ("mine", "grafana_admin_password", "zzz"):
        with pytest.raises(OpsError) as caught:
            rotate.import_(quick, name, Secret("a-key-of-my-own"), ignore_progress)
        seen.append(refusal(caught.value))
    assert [tuple(each.replace(str(tmp_path), "HOME") for each in words) for words in seen] == snapshot
    assert not list((quick.state.folder).glob("audit*")), "nothing was begun"


@pytest.mark.parametrize(
    ("needs", "unavailable", "running", "left"),
    [
        ("", False, False, ""),
        ("grafana", False, False, "it does not run"),
        ("grafana", False, True, ""),
        ("grafana", True, False, ""),
    ],
)
def test_a_way_is_barred_by_the_service_that_it_needs(
    ops: Ops, monkeypatch: pytest.MonkeyPatch, needs: str, unavailable: bool, running: bool, left: str
) -> None:
    monkeypatch.setattr(ways, "runs", lambda _, service: running and service == needs)
    if unavailable:
        ops.state.store(UnavailableServices({"grafana": Absence("no image", "tradebot pull")}))
    assert Way("", carried_out, "it does not run", needs).obstacle(ops) == left
    assert Way("", None, "never", needs).obstacle(ops) == "never"
