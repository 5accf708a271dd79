"""What goes wrong on a real engine, and what the operator is told: what, why, and what to type next."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.engines.contract import tiny_stack
from tests.engines.docker.parts import PYTHON, on_docker, require_docker, unique_project
from tests.integration.docker.rig import Interposer, api, remains
from tests.integration.docker.rig import project as tradebot_of
from tests.paths import ROOT
from tests.waiting import free_port, until
from tradebot_ops.docker.client import Deadlines
from tradebot_ops.docker.images import recipe
from tradebot_ops.docker.locate import locate
from tradebot_ops.engines.base import LogQuery, State
from tradebot_ops.engines.docker.engine import DockerEngine
from tradebot_ops.engines.docker.spec import SPEC_HASH
from tradebot_ops.errors import OpsError
from tradebot_ops.operations.converge.engine_view import EngineView
from tradebot_ops.operations.converge.execute import converge
from tradebot_ops.stack.model import Build, Limits, Port, SecretFile, SecretMount, Service, Stack
from tradebot_ops.stack.plan import plan

pytestmark = [pytest.mark.integration, pytest.mark.docker]

SHORT = Deadlines(read=1.0, write=1.0, transfer=5.0)


class Project:
    """One project driven through the engine itself, without the command line."""

    def __init__(self, folder: Path, **environ: str) -> None:
        self.name = unique_project()
        self.folder = folder
        self.environ = {**os.environ, "TRADEBOT_STATE": str(folder / "state"), **environ}
        self.engine = DockerEngine(self.name, self.environ)
        self.stack = on_docker(tiny_stack(self.name, folder, free_port(), image=PYTHON))

    def with_service(self, name: str, **values: object) -> Stack:
        changed = replace(self.stack.services[name], **values)  # type: ignore[arg-type]
        return replace(self.stack, services={**self.stack.services, name: changed})

    def view(self) -> EngineView:
        return EngineView(self.engine, patience=20)

    def apply(self, stack: Stack, service: str = "web") -> None:
        self.engine.prepare(stack, lambda _service, _line: None)
        self.engine.apply(stack, service, 1)


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    require_docker(PYTHON)
    made = Project(tmp_path)
    yield made
    made.engine.destroy(None, volumes=True)
    assert not any(remains(made.name).values())


def silent(*told: object) -> None:
    """Progress that nobody looks at."""


@contextlib.contextmanager
def interposed(project: Project, word: bytes) -> Iterator[DockerEngine]:
    """A client of the project whose engine swallows requests with that word."""
    socket_folder = Path(project.environ["TRADEBOT_STATE"])
    socket_folder.mkdir(parents=True, exist_ok=True)
    between = Interposer(socket_folder / "e.sock", word)
    yield DockerEngine(project.name, {**project.environ, "DOCKER_HOST": between.host}, SHORT)
    between.close()


def refused(project: Project, stack: Stack, service: str = "web") -> OpsError:
    with pytest.raises(OpsError) as caught:
        project.apply(stack, service)
    assert caught.value.hint
    return caught.value


def test_an_engine_that_deadlocks_while_stopping_is_named_with_what_is_stuck(project: Project) -> None:
    project.apply(project.stack)
    with interposed(project, b"/stop") as engine:
        (found,) = engine.list()
        begun = time.monotonic()
        with pytest.raises(OpsError, match="did not answer within 2 s while stopping web 1") as caught:
            engine.stop(found, 1)
        assert time.monotonic() - begun < 10
    assert int(caught.value.exit_code) == 6


@pytest.mark.parametrize("word", [b"/containers/json", b"/version"])
def test_an_engine_that_hangs_does_not_hang_a_question(project: Project, word: bytes) -> None:
    with interposed(project, word) as engine:
        with pytest.raises(OpsError, match="did not answer within 1 s") as caught:
            engine.list()
        assert int(caught.value.exit_code) == 6


def test_ctrl_c_ends_a_command_whose_engine_is_silent(tmp_path: Path) -> None:
    require_docker()
    between = Interposer(tmp_path / "e.sock", b"/images/create")
    try:
        pulling = tradebot_of(tmp_path / "home", DOCKER_HOST=between.host, REDIS_IMAGE="redis:8").start("pull", "redis")
        assert between.swallowed.wait(20)
        pulling.send_signal(signal.SIGINT)
        begun = time.monotonic()
        out, err = pulling.communicate(timeout=30)
        assert time.monotonic() - begun < 10
        assert (pulling.returncode, out) == (130, ""), err
        assert "Traceback" not in err
    finally:
        between.close()


def test_down_ends_when_the_engine_does_not(project: Project) -> None:
    project.apply(project.stack)
    with interposed(project, b"DELETE /v1.45/networks") as engine, pytest.raises(OpsError) as caught:
        engine.destroy(None, volumes=True)
    assert "removing the network" in caught.value.message
    assert int(caught.value.exit_code) == 6


def test_a_user_without_permission_is_told_how_to_get_it(tmp_path: Path) -> None:
    require_docker()
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        pytest.skip("only root can become a user without rights")
    path = tmp_path / "closed.sock"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        path.chmod(0o600)
        for folder in (tmp_path, *tmp_path.parents):
            if folder.stat().st_uid == 0 and str(folder).startswith("/tmp/"):
                folder.chmod(0o755)
        script = (
            "from tradebot_ops.docker.locate import Location, check\n"
            "from tradebot_ops.errors import OpsError\n"
            "import sys\n"
            "try:\n"
            f"    check(Location('unix://{path}'))\n"
            "except OpsError as error:\n"
            "    sys.stdout.write(f'{error.code} {error.hint}')\n"
        )
        done = subprocess.run(
            ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", sys.executable, "-c", script],
            env={"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
        )
    if "Permission denied" in done.stderr and "locate" not in done.stderr:
        pytest.skip("the checkout is closed to other users")
    assert done.stdout.startswith("TB-0402"), done.stderr
    assert "usermod -aG docker" in done.stdout


def test_a_missing_image_without_a_registry_says_how_to_get_one(project: Project) -> None:
    error = refused(project, project.with_service("web", image="registry.invalid/nobody/nothing:1"))
    assert error.code == "TB-0826"
    assert "images build --from debian" in error.hint
    assert remains(project.name)["containers"] == []


def test_what_runs_stays_when_its_replacement_cannot_be_made(project: Project) -> None:
    project.apply(project.stack)
    (before,) = project.engine.list()
    changed = project.with_service("web", image="tradebot/never:1", spec_hash="another")
    with pytest.raises(OpsError, match="tradebot/never:1"):
        converge(changed, plan(changed, project.engine.list(), services=["web"]).steps, project.view(), {}, silent)
    (after,) = project.engine.list()
    assert (after.id, after.state) == (before.id, State.RUNNING)


def test_a_successor_that_a_killed_command_left_does_not_stand_in_the_way(project: Project) -> None:
    """Both ways: as the one that fits, and as one that fits no more."""
    project.apply(project.stack)
    (found,) = project.engine.list()
    with api() as engine:
        engine.rename(found.id, f"{found.name}-next")
    project.apply(project.stack)
    (adopted,) = project.engine.list()
    assert (adopted.id, adopted.name) == (found.id, found.name)
    with api() as engine:
        config = engine.inspect_container(found.id)["Config"]
        engine.create_container(PYTHON, name=f"{found.name}-next", labels=config["Labels"] | {SPEC_HASH: "older"})
    project.apply(project.with_service("web", spec_hash="newer"))
    (made,) = project.engine.list()
    assert made.id != found.id
    assert (made.name, made.state) == (found.name, State.RUNNING)


def test_changes_are_announced_until_nobody_wants_to_know(project: Project) -> None:
    project.engine.prepare(project.stack, silent)
    told = threading.Event()
    end = project.engine.announce(told.set)
    project.engine.apply(project.stack, "web", 1)
    assert told.wait(10)
    end()
    until(lambda: not any(thread.name == "events" for thread in threading.enumerate()), "its thread ended", 10)


def test_a_build_that_fails_shows_its_last_lines(project: Project, tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "Dockerfile").write_text(f"FROM {PYTHON}\nRUN echo nearly there && exit 4\n")
    build = Build(tmp_path / "app", tmp_path / "app" / "Dockerfile")
    error = refused(project, project.with_service("web", image="tradebot/test-never:1", build=build))
    assert error.code == "TB-0101"
    assert any("nearly there" in line for line in error.detail)


def test_a_missing_image_is_built_with_its_source_on_its_label(project: Project, tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "Dockerfile").write_text(f"FROM {PYTHON}\nCOPY . /srv\n")
    tag = f"tradebot/{unique_project()}:1"
    build = Build(tmp_path / "app", tmp_path / "app" / "Dockerfile")
    stack = project.with_service("web", image=tag, build=build)
    told: list[str] = []
    try:
        project.engine.prepare(stack, lambda service, line: told.append(f"{service}: {line}"))
        project.engine.apply(stack, "web", 1)
        assert any(line.startswith("web: Step 1/") for line in told)
        assert not project.engine.images.outdated(tag, build)
        assert project.engine.image_facts(stack).rebuilt == frozenset()
        (tmp_path / "app" / "new.txt").write_text("newer than the image\n")
        assert project.engine.images.outdated(tag, build)
        project.engine.images.build(recipe(tag, build), lambda _line: None)
        assert project.engine.image_facts(stack).rebuilt == {"web"}
    finally:
        replaced = {each["ImageID"] for each in project.engine._containers.listed()}
        project.engine.destroy(None, volumes=False)
        for name in (tag, *replaced):
            project.engine.images.remove(name)


def test_a_chosen_port_that_is_taken_names_its_holder(project: Project) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        error = refused(project, project.with_service("web", ports=(Port(8000, port, explicit=True),)))
    assert (error.code, int(error.exit_code)) == ("TB-0821", 8)
    assert f"process {os.getpid()}" in error.message


def test_a_default_port_that_is_taken_moves_and_stays_moved(project: Project) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        stack = project.with_service("web", ports=(Port(project.stack.services["web"].expose[0], port),))
        project.apply(stack)
        moved = project.engine.list()[0].published[0].address.port
        assert moved > port
    other = replace(stack.services["web"], spec_hash="web-2")
    project.apply(replace(stack, services={**stack.services, "web": other}))
    assert project.engine.list()[0].published[0].address.port == moved


def test_a_foreign_container_with_our_name_is_left_alone(project: Project) -> None:
    name = f"{project.name}-web-1"
    with api() as engine:
        foreign = engine.create_container(PYTHON, ["sleep", "1"], name=name)["Id"]
        try:
            error = refused(project, project.stack)
            assert error.code == "TB-0822"
            assert name in error.message
            assert engine.inspect_container(foreign)["Id"] == foreign
        finally:
            engine.remove_container(foreign, force=True)


def test_a_replica_is_kept_until_its_successor_can_have_the_name(project: Project) -> None:
    """It has another name, as after `docker rename`, and a stranger has taken the one that it had."""
    name = f"{project.name}-web-1"
    project.apply(project.stack)
    before = project.engine.list()[0]
    with api() as engine:
        engine.rename(before.id, f"{name}-old")
        foreign = engine.create_container(PYTHON, ["sleep", "1"], name=name)["Id"]
        try:
            other = replace(project.stack.services["web"], spec_hash="web-2")
            error = refused(project, replace(project.stack, services={**project.stack.services, "web": other}))
            assert error.code == "TB-0822"
            assert [(one.id, one.state) for one in project.engine.list()] == [(before.id, State.RUNNING)]
        finally:
            engine.remove_container(foreign, force=True)


def test_a_replica_without_grace_is_not_waited_for(project: Project) -> None:
    deaf = replace(project.stack.services["web"], command=("sleep", "60"), init=False, probe=None, stop_grace=0.0)
    project.apply(replace(project.stack, services={"web": deaf}))
    begun = time.monotonic()
    project.engine.destroy(None, volumes=False)
    assert time.monotonic() - begun < 8


def test_a_foreign_network_with_our_name_is_left_alone(project: Project) -> None:
    name = f"{project.name}_default"
    with api() as engine:
        engine.create_network(name)
        try:
            assert refused(project, project.stack).code == "TB-0822"
        finally:
            engine.remove_network(name)


def test_a_volume_in_use_is_refused_with_its_user(project: Project) -> None:
    project.apply(project.stack)
    with api() as engine:
        mount = engine.create_host_config(binds=[f"{project.name}_data:/data"])
        user = engine.create_container(PYTHON, ["sleep", "30"], host_config=mount)["Id"]
        try:
            with pytest.raises(OpsError, match="still uses the volume") as caught:
                project.engine.destroy(None, volumes=True)
            assert (caught.value.code, user[:12] in caught.value.hint) == ("TB-0904", True)
        finally:
            engine.remove_container(user, force=True)


def test_a_container_that_runs_out_of_memory_says_so(project: Project) -> None:
    script = "x = [b'x' * 10_000_000 for _ in range(1000)]"
    stack = project.with_service("failing", command=("python", "-c", script), limits=Limits(memory=32 * 1024 * 1024))
    project.apply(stack, "failing")
    # Docker hears of a container's end and of the reason one by one, in either order.
    ended = {State.EXITED, State.FAILED}
    found = until(
        lambda: one if (one := project.engine.list()[0]).oom_killed and one.state in ended else None,
        "its end by the limit",
    )
    assert found.exit_code == 137


def test_a_replica_removed_behind_our_back_is_simply_gone(project: Project) -> None:
    project.apply(project.stack)
    (found,) = project.engine.list()
    with api() as engine:
        engine.remove_container(found.id, force=True)
    assert project.engine.list() == ()
    project.engine.stop(found, 1)
    project.engine.remove(found)
    assert project.engine.stats([found]) == ()
    assert list(project.engine.logs(LogQuery())) == []


def test_a_missing_secret_is_named_before_anything_starts(project: Project, tmp_path: Path) -> None:
    stack = project.with_service("web", secrets=(SecretMount("key", "/run/secrets/key"),))
    stack = replace(stack, secrets={"key": SecretFile("key", tmp_path / "nowhere" / "key")})
    error = refused(project, stack)
    assert error.code == "TB-0824"
    assert "secret key" in error.message


def test_a_secret_others_could_read_is_not_opened(project: Project, tmp_path: Path) -> None:
    folder = Path("/var/tmp") / unique_project()
    folder.mkdir(mode=0o755)
    try:
        file = folder / "key"
        file.write_text("secret")
        file.chmod(0o600)
        stack = project.with_service("web", secrets=(SecretMount("key", "/run/secrets/key"),))
        stack = replace(stack, secrets={"key": SecretFile("key", file)})
        error = refused(project, stack)
        assert error.code == "TB-0828"
        assert f"chmod 700 '{folder}'" in error.hint
        assert file.stat().st_mode & 0o777 == 0o600
        folder.chmod(0o700)
        project.apply(stack)
        assert project.engine.exec(project.engine.list()[0], ["cat", "/run/secrets/key"]).output == "secret"
    finally:
        shutil.rmtree(folder)


def test_an_old_engine_is_spoken_to_in_its_own_version(tmp_path: Path) -> None:
    require_docker(PYTHON)
    project = Project(tmp_path, DOCKER_API_VERSION="1.41")
    try:
        service: Service = project.stack.services["web"]
        project.apply(project.stack)
        assert project.engine.client.version == (1, 41)
        (found,) = project.engine.list()
        assert project.engine.stats([found])[0].memory > 0
        assert project.engine.exec(found, ["true"]).exit_code == 0
        until(lambda: list(project.engine.logs(LogQuery())), "a log line")
        assert project.engine.endpoint("web", service.expose[0]).port == service.expose[0]
        assert [event.action for event in project.engine.events()][:1] == ["start"]
    finally:
        project.engine.destroy(None, volumes=True)
    assert not any(remains(project.name).values())


DIAL = """#!{python}
import os, socket, sys, threading
# ssh makes this file once others can share its handshake.
open(next(word[12:] for word in sys.argv if word.startswith("ControlPath=")), "w").close()
with socket.socket(socket.AF_UNIX) as engine:
    engine.connect({socket!r})
    def up():
        while data := os.read(0, 65536):
            engine.sendall(data)
        engine.shutdown(socket.SHUT_WR)
    threading.Thread(target=up, daemon=True).start()
    while data := engine.recv(65536):
        os.write(1, data)
"""


def test_an_engine_behind_ssh_is_driven_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Docker's own way: `ssh HOST docker system dial-stdio`. Here that program is one that dials the local engine."""
    require_docker(PYTHON)
    program = tmp_path / "bin" / "ssh"
    program.parent.mkdir()
    program.write_text(DIAL.format(python=sys.executable, socket=locate(os.environ).socket))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    project = Project(tmp_path, DOCKER_HOST="ssh://ops@elsewhere")
    try:
        project.apply(project.stack)
        (found,) = project.engine.list()
        assert project.engine.exec(found, ["echo", "there"]).output == "there\n"
        with pytest.raises(OpsError, match="the engine runs on elsewhere") as caught:
            project.engine.endpoint("web", project.stack.services["web"].expose[0])
        assert "ssh elsewhere tradebot" in caught.value.hint
    finally:
        project.engine.destroy(None, volumes=True)
    assert not any(remains(project.name).values())


def test_an_engine_that_ssh_does_not_reach_says_what_ssh_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "bin" / "ssh"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho 'ops@elsewhere: Permission denied (publickey).' >&2\nexit 255\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    with pytest.raises(OpsError, match="Permission denied") as caught:
        Project(tmp_path, DOCKER_HOST="ssh://ops@elsewhere:2222").engine.list()
    assert caught.value.code == "TB-0401"
    assert caught.value.hint.endswith("ssh -l ops -p 2222 -- elsewhere docker version")
