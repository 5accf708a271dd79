import errno
import itertools
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, TypeVar

import pytest

from tradebot_ops.stack import hashing
from tradebot_ops.stack.model import (
    Build,
    Condition,
    Dependency,
    Healthcheck,
    Host,
    Limits,
    Logging,
    Mount,
    MountKind,
    Port,
    Probe,
    SecretFile,
    SecretMount,
    Service,
    Stack,
    Volume,
)

Load = Callable[..., Stack]

KEYS = """
image: app:1
command: [run, it]
environment: {A: 1, B: 2}
ports: ["127.0.0.1:${P:-80}:80"]
volumes: [./conf:/conf:ro, data:/data]
secrets: [key]
depends_on: [db]
deploy: {replicas: 1, resources: {limits: {memory: 1g}}}
x-tradebot: {scalable: true, probe: {protocol: tcp, port: 80}, other: 1}
"""
TOP = """  db: {image: db}
volumes: {data: }
secrets: {key: {file: ./key, x-tradebot: {derive: one}}}
"""


@pytest.fixture
def app(load_text: Load, tmp_path: Path) -> Callable[..., Service]:
    """Load the service above with some of its text replaced."""
    (tmp_path / "conf" / "sub").mkdir(parents=True)
    (tmp_path / "conf" / "a.yml").write_text("a: 1\n", encoding="utf-8")
    (tmp_path / "conf" / "sub" / "b.yml").write_text("b: 1\n", encoding="utf-8")

    def run(old: str = "", new: str = "", **options: object) -> Service:
        lines = "\n".join(f"    {line}" for line in KEYS.strip().splitlines())
        text = f"services:\n  app:\n{lines}\n{TOP}"
        assert old in text
        return load_text(text.replace(old, new, 1) if old else text, **options).services["app"]

    return run


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("app:1", "app:2"),
        ("[run, it]", "[run]"),
        ("B: 2", "B: 3"),
        ("${P:-80}", "81"),
        (":ro", ""),
        ("data:/data", "data:/other"),
        ("[key]", "[]"),
        ("derive: one", "derive: two"),
        ("./key", "./elsewhere"),
        ("data: }", "data: {name: other}}"),
        ("1g", "2g"),
        ("other: 1", "other: 2"),
        ("command", "read_only: true\n    command"),
        ("command", 'user: "1000"\n    command'),
        ("command", "cap_drop: [ALL]\n    command"),
        ("command", "cap_add: [KILL]\n    command"),
        ("command", "security_opt: ['no-new-privileges:true']\n    command"),
        ("command", "stop_grace_period: 20s\n    command"),
        ("command", "stop_signal: SIGINT\n    command"),
        ("command", "restart: always\n    command"),
        ("command", "init: true\n    command"),
        ("command", "tmpfs: [/tmp]\n    command"),
        ("1g}", "1g, pids: 64}"),
        ("1g}", "1g, cpus: 1}"),
    ],
)
def test_what_makes_a_replica_differ_changes_the_spec_hash(app: Callable[..., Service], old: str, new: str) -> None:
    assert app().spec_hash != app(old, new).spec_hash


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("replicas: 1", "replicas: 3"),
        ("depends_on: [db]", "depends_on: {db: {condition: service_healthy}}"),
        ("port: 80}", "port: 81}"),
        ("{A: 1, B: 2}", "[B=2, A=1]"),
        ("[run, it]", "run it"),
        ("1g", "1024m"),
        ("command", "build: .\n    command"),
        ("command", "restart: 'no'\n    command"),
        ("${P:-80}", "80"),
        ("scalable: true", "scalable: true, reload: SIGHUP"),
    ],
)
def test_what_leaves_a_replica_as_it_is_does_not(app: Callable[..., Service], old: str, new: str) -> None:
    changed = app(old, new)
    assert (app().spec_hash, app().content_hash) == (changed.spec_hash, changed.content_hash)


def test_another_project_has_other_volumes(app: Callable[..., Service]) -> None:
    assert app().spec_hash != app(project="other").spec_hash


def test_contents_change_the_content_hash_alone(app: Callable[..., Service], tmp_path: Path) -> None:
    before = app()
    (tmp_path / "conf" / "sub" / "b.yml").write_text("b: 2\n", encoding="utf-8")
    edited = app()
    (tmp_path / "conf" / "c.yml").write_text("", encoding="utf-8")
    added = app()
    (tmp_path / "conf" / "c.yml").rename(tmp_path / "conf" / "d.yml")
    renamed = app()
    assert len({one.content_hash for one in (before, edited, added, renamed)}) == 4
    assert len({one.spec_hash for one in (before, edited, added, renamed)}) == 1


def test_touching_a_file_changes_nothing(app: Callable[..., Service], tmp_path: Path) -> None:
    before = app()
    (tmp_path / "conf" / "a.yml").touch()
    assert app() == before


def test_configs_are_followed_too(load_text: Load, tmp_path: Path) -> None:
    text = "services:\n  app: {image: a, configs: [c]}\nconfigs: {c: {file: ./c.yml}}\n"
    (tmp_path / "c.yml").write_text("1", encoding="utf-8")
    before = load_text(text).services["app"]
    (tmp_path / "c.yml").write_text("2", encoding="utf-8")
    after = load_text(text).services["app"]
    assert before.content_hash != after.content_hash
    assert before.spec_hash == after.spec_hash


@pytest.mark.parametrize(
    "mount", ["./conf:/conf", "data:/data", "/:/host:ro", "/proc:/p:ro", "..:/up:ro", ".:/here:ro"]
)
def test_what_is_data_or_only_looked_at_is_not_followed(load_text: Load, tmp_path: Path, mount: str) -> None:
    (tmp_path / "conf").mkdir()
    stack = load_text(f"services:\n  app: {{image: a, volumes: ['{mount}']}}\nvolumes: {{data: }}\n")
    assert stack.services["app"].content_hash == ""


def test_a_folder_beyond_the_bounds_is_not_followed(
    app: Callable[..., Service], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hashing, "MAX_BYTES", 100)
    (tmp_path / "conf" / "big").write_bytes(b"x" * 101)
    before = app()
    (tmp_path / "conf" / "a.yml").write_text("a: 2\n", encoding="utf-8")
    assert app().content_hash == before.content_hash != ""
    monkeypatch.setattr(hashing, "MAX_BYTES", 10_000)
    monkeypatch.setattr(hashing, "MAX_FILES", 2)
    assert app().content_hash == before.content_hash


def test_hashes_are_the_same_in_another_process(app: Callable[..., Service], tmp_path: Path) -> None:
    here = app()
    script = (
        "import sys; from pathlib import Path; from tradebot_ops.stack.load import load; "
        "from tradebot_ops.stack.source import Source; here = Path(sys.argv[1]); "
        "source = Source((here / 'compose.yaml',), here, ''); "
        "app = load(source, {}, project='demo', cache=here / 'cache').services['app']; "
        "sys.stdout.write(app.spec_hash + ' ' + app.content_hash)"
    )
    for seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", script, str(tmp_path)],
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
        )
        assert done.stdout == f"{here.spec_hash} {here.content_hash}"


def test_the_source_of_a_service_is_its_code_and_data_alone(tmp_path: Path) -> None:
    files = {"Dockerfile": "FROM x", "main.py": "1", "jobs/one.py": "1", "data/prices.csv": "1"}
    left_behind = {"__pycache__/main.pyc": "1", "jobs/__pycache__/one.pyc": "1", ".main.py.swp": "1", ".git/HEAD": "1"}

    def write(name: str, text: str) -> None:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")

    for name, text in files.items():
        write(name, text)
    build = Build(tmp_path, tmp_path / "Dockerfile")
    first = hashing.source_hash(build)
    for name, text in left_behind.items():
        write(name, text)
    write("Dockerfile", "FROM y")
    assert hashing.source_hash(build) == first
    for name in ("main.py", "jobs/one.py", "data/prices.csv"):
        write(name, "2")
        assert hashing.source_hash(build) != first
        write(name, "1")
    write("jobs/two.py", "")
    assert hashing.source_hash(build) != first


# Every field of the model

T = TypeVar("T")
#: What is no part of what a replica is, with another value of each.
NO_PART = {
    "build": Build(Path("/b"), Path("/b/Dockerfile")),
    "content_hash": "1",
    "depends_on": (Dependency("db", Condition.HEALTHY),),
    "needs_memory": 1,
    "one_shot": True,
    "probe": Probe("tcp", 80),
    "profiles": ("extra",),
    "reload": "SIGHUP",
    "replicas": 2,
    "scalable": True,
    "spec_hash": "1",
}
#: Another value of every other field; a new one has to be decided about here.
PART: dict[str, list[Any]] = {
    "name": ["other"],
    "image": ["app:2"],
    "command": [("run", "on")],
    "entrypoint": [(), ("sh",)],
    "environment": [{"A": "1"}],
    "ports": [(Port(80, 80),), (Port(80, 81),), (Port(81, 80),), (Port(80, 80, "0.0.0.0"),)],
    "expose": [(80,)],
    "mounts": [
        (Mount(MountKind.BIND, "/a", "/b"),),
        (Mount(MountKind.VOLUME, "/a", "/b"),),
        (Mount(MountKind.BIND, "/c", "/b"),),
        (Mount(MountKind.BIND, "/a", "/c"),),
        (Mount(MountKind.BIND, "/a", "/b", read_only=True),),
        (Mount(MountKind.BIND, "/a", "/b", size=1),),
        (Mount(MountKind.BIND, "/a", "/b", mode=1),),
    ],
    "secrets": [
        (SecretMount("a", "b"),),
        (SecretMount("c", "b"),),
        (SecretMount("a", "c"),),
        (SecretMount("a", "b", 1),),
    ],
    "configs": [
        (SecretMount("a", "b"),),
        (SecretMount("c", "b"),),
        (SecretMount("a", "c"),),
        (SecretMount("a", "b", 1),),
    ],
    "networks": [{"a": ()}, {"a": ("b",)}, {"b": ()}],
    "healthcheck": [
        Healthcheck(("CMD", "a")),
        Healthcheck(("CMD", "b")),
        Healthcheck(("CMD", "a"), interval=1),
        Healthcheck(("CMD", "a"), timeout=1),
        Healthcheck(("CMD", "a"), retries=1),
        Healthcheck(("CMD", "a"), start_period=1),
        Healthcheck(("CMD", "a"), start_interval=1),
    ],
    "restart": ["always"],
    "limits": [Limits(memory=1), Limits(cpus=1), Limits(pids=1)],
    "user": ["1000"],
    "read_only": [True],
    "cap_drop": [("ALL",)],
    "cap_add": [("KILL",)],
    "group_add": [("1",)],
    "security_opt": [("a",)],
    "init": [True],
    "working_dir": ["/a"],
    "stop_grace": [1.0],
    "stop_signal": ["SIGINT"],
    "labels": [{"a": "b"}],
    "logging": [Logging("journald"), Logging(options={"a": "b"})],
    "host": [
        Host(container_name="a"),
        Host(hostname="a"),
        Host(extra_hosts={"a": "b"}),
        Host(ulimits={"a": (1, 2)}),
        Host(ulimits={"a": (1, 3)}),
        Host(shm_size=1),
        Host(tty=True),
        Host(stdin_open=True),
    ],
    "x": [{"a": 1}],
}
PLAIN = Service("app", "app:1", ("run",))
BARE = Stack("demo", Path("/demo"), (), {"app": PLAIN})


def _with(part: T, **values: Any) -> T:
    changed: T = replace(part, **values)  # type: ignore[type-var]
    return changed


def test_each_value_of_each_field_is_another_replica() -> None:
    assert PART.keys() | NO_PART.keys() == {field.name for field in fields(Service)}
    others = [_with(PLAIN, **{name: value}) for name, values in PART.items() for value in values]
    hashes = {hashing.spec_hash(BARE, service) for service in (PLAIN, *others)}
    assert len(hashes) == 1 + len(others)


@pytest.mark.parametrize("name", NO_PART)
def test_what_is_no_part_of_a_replica(name: str) -> None:
    changed = _with(PLAIN, **{name: NO_PART[name]})
    assert hashing.spec_hash(BARE, changed) == hashing.spec_hash(BARE, PLAIN)


def test_who_chose_a_port_is_no_part_of_it() -> None:
    one, other = (replace(PLAIN, ports=(Port(80, 80, explicit=each),)) for each in (True, False))
    assert hashing.spec_hash(BARE, one) == hashing.spec_hash(BARE, other)


def test_the_order_in_which_things_are_written_is_no_part_of_a_replica() -> None:
    one = replace(PLAIN, environment={"A": "1", "B": "2"}, labels={"a": "1", "b": "2"})
    other = replace(PLAIN, environment={"B": "2", "A": "1"}, labels={"b": "2", "a": "1"})
    assert hashing.spec_hash(BARE, one) == hashing.spec_hash(BARE, other)


@pytest.mark.parametrize("kind", ["secrets", "configs"])
def test_where_the_file_behind_a_name_lies_is_a_part(kind: str) -> None:
    def of(file: SecretFile) -> str:
        service = _with(PLAIN, **{kind: (SecretMount("a", "/a"),)})
        return hashing.spec_hash(_with(BARE, **{kind: {"a": file}}), service)

    files = [
        SecretFile("a", Path("/a")),
        SecretFile("a", Path("/b")),
        SecretFile("a", Path("/a"), "one"),
        SecretFile("b", Path("/a")),
    ]
    assert len({of(file) for file in files}) == 4


def test_the_name_of_a_volume_on_the_engine_is_a_part() -> None:
    service = replace(PLAIN, mounts=(Mount(MountKind.VOLUME, "data", "/data"),))
    one, other = (replace(BARE, volumes={"data": Volume(name)}) for name in ("a_data", "b_data"))
    assert hashing.spec_hash(one, service) != hashing.spec_hash(other, service)


def test_what_has_its_default_is_left_out() -> None:
    """A new field in a later version recreates nothing by itself."""
    assert hashing.specification(BARE, PLAIN) == {
        "name": "app", "image": "app:1", "command": ["run"], "files": [], "volumes": [],
    }  # fmt: skip


# The files that are followed


def mounting(*sources: Path, kind: MountKind = MountKind.BIND) -> Service:
    return replace(PLAIN, mounts=tuple(Mount(kind, str(each), f"/{each.name}", read_only=True) for each in sources))


def test_where_a_file_lies_in_its_folder_is_a_part_of_the_contents(tmp_path: Path) -> None:
    stack, folder = replace(BARE, folder=tmp_path / "stack"), tmp_path / "conf"
    for name in ("one", "two"):
        (folder / name).mkdir(parents=True)
    (folder / "one" / "a.yml").write_text("1")
    before = hashing.content_hash(stack, mounting(folder))
    (folder / "one" / "a.yml").rename(folder / "two" / "a.yml")
    assert hashing.content_hash(stack, mounting(folder)) != before


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    """A folder with files and a folder in it, its names in no order."""
    for name in ("c.yml", "a.yml", "sub/b.yml", "sub/a.yml"):
        (tmp_path / "conf" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "conf" / name).write_text(name)
    return tmp_path / "conf"


def test_the_order_of_a_listing_is_no_part_of_the_contents(
    conf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """File systems list a folder in whatever order."""
    other = tmp_path / "other"
    other.mkdir()
    stack = replace(BARE, folder=tmp_path)
    listed = Path.iterdir
    seen = set()
    for names in itertools.permutations(["a.yml", "c.yml", "sub"]):

        def shuffled(folder: Path, names: tuple[str, ...] = names) -> Iterator[Path]:
            found = sorted(listed(folder), reverse=names[0] != "a.yml")
            return iter(sorted(found, key=lambda path: names.index(path.name)) if folder == conf else found)

        monkeypatch.setattr(Path, "iterdir", shuffled)
        for roots in ((conf, other), (other, conf)):
            service = mounting(*roots)
            seen.add(
                (
                    hashing.content_hash(stack, service),
                    tuple(hashing.mounted_files(stack, service)),
                    tuple(hashing.every_path(conf)),
                )
            )
    assert len(seen) == 1


def test_each_file_has_a_digest_of_its_own(conf: Path, tmp_path: Path) -> None:
    stack = replace(BARE, folder=tmp_path / "stack")
    before = hashing.mounted_files(stack, mounting(conf))
    assert list(before) == [str(conf / name) for name in ("a.yml", "c.yml", "sub/a.yml", "sub/b.yml")]
    assert len(set(before.values())) == 4
    (conf / "a.yml").write_text("edited")
    after = hashing.mounted_files(stack, mounting(conf))
    assert {path for path in after if after[path] != before[path]} == {str(conf / "a.yml")}


def test_a_file_that_is_too_large_or_cannot_be_read_is_known_without_its_digest(
    conf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack, size = replace(BARE, folder=tmp_path / "stack"), len("sub/a.yml")
    monkeypatch.setattr(hashing, "MAX_BYTES", size)
    assert "" not in hashing.mounted_files(stack, mounting(conf)).values()
    monkeypatch.setattr(hashing, "MAX_BYTES", size - 1)
    found = hashing.mounted_files(stack, mounting(conf))
    assert [Path(path).name for path, digest in found.items() if not digest] == ["a.yml", "b.yml"]
    monkeypatch.setattr(hashing, "MAX_FILES", 3)
    assert len(hashing.mounted_files(stack, mounting(conf))) == 3
    monkeypatch.setattr(Path, "read_bytes", refuse)
    assert set(hashing.mounted_files(stack, mounting(conf)).values()) == {""}


def refuse(path: Path) -> bytes:
    raise PermissionError(errno.EACCES, "no", str(path))


def test_that_a_file_cannot_be_read_is_a_part_of_the_contents(
    conf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack = replace(BARE, folder=tmp_path / "stack")
    hashes = {hashing.content_hash(stack, mounting(conf))}
    for path in hashing.mounted_files(stack, mounting(conf)):
        Path(path).write_text("")
    hashes.add(hashing.content_hash(stack, mounting(conf)))
    monkeypatch.setattr(Path, "read_bytes", refuse)
    hashes.add(hashing.content_hash(stack, mounting(conf)))
    assert len(hashes) == 3


def test_contents_cannot_pass_for_names_nor_names_for_contents(tmp_path: Path) -> None:
    stack = replace(BARE, folder=tmp_path / "stack")
    hashes = set()
    for name, text in (("a", "bc"), ("ab", "c"), ("a", "b"), ("b", "a")):
        folder = tmp_path / "conf"
        folder.mkdir(exist_ok=True)
        (folder / name).write_text(text)
        hashes.add(hashing.content_hash(stack, mounting(folder)))
        (folder / name).unlink()
    (folder / "a").write_text("1")
    (folder / "b").write_text("2")
    hashes.add(hashing.content_hash(stack, mounting(folder)))
    (folder / "b").unlink()
    (folder / "a").write_text("1b\x002")
    hashes.add(hashing.content_hash(stack, mounting(folder)))
    (folder / "a").write_text("1b\x001\x002")  # as where the length stands, too
    hashes.add(hashing.content_hash(stack, mounting(folder)))
    (folder / "one").write_text("1")
    hashes.add(hashing.content_hash(stack, mounting(folder / "one")))
    (folder / "one").rename(folder / "two")
    hashes.add(hashing.content_hash(stack, mounting(folder / "two")))
    assert len(hashes) == 9


def test_the_bounds_count_all_files_together(conf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stack = replace(BARE, folder=tmp_path / "stack")
    every = sum(path.stat().st_size for path in conf.rglob("*.yml"))

    def follows() -> bool:
        before = hashing.content_hash(stack, mounting(conf))
        (conf / "a.yml").write_text("A.yml" if (conf / "a.yml").read_text() == "a.yml" else "a.yml")
        return hashing.content_hash(stack, mounting(conf)) != before

    for bound, followed in ((every, True), (every - 1, False)):
        monkeypatch.setattr(hashing, "MAX_BYTES", bound)
        assert follows() is followed
    monkeypatch.setattr(hashing, "MAX_BYTES", every)
    for bound, followed in ((4, True), (3, False)):
        monkeypatch.setattr(hashing, "MAX_FILES", bound)
        assert follows() is followed


def test_a_link_to_a_folder_is_not_walked(conf: Path, tmp_path: Path) -> None:
    """It may lead in a circle; and a link to nothing is nothing."""
    (conf / "round").symlink_to(conf)
    (conf / "nowhere").symlink_to(tmp_path / "gone")
    stack = replace(BARE, folder=tmp_path / "stack")
    assert len(hashing.mounted_files(stack, mounting(conf))) == 4
    assert hashing.content_hash(stack, mounting(tmp_path / "gone")) != ""


def test_every_path_is_the_folders_and_the_files_in_them(conf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (conf / "round").symlink_to(conf)
    paths = [conf, conf / "a.yml", conf / "c.yml", conf / "sub", conf / "sub" / "a.yml", conf / "sub" / "b.yml"]
    assert list(hashing.every_path(conf)) == paths
    assert list(hashing.every_path(conf / "a.yml")) == [conf / "a.yml"]
    assert list(hashing.every_path(conf / "gone")) == []
    monkeypatch.setattr(os, "access", lambda path, mode: path != conf / "sub" or mode != os.R_OK | os.X_OK)
    assert list(hashing.every_path(conf)) == paths[:4]
    monkeypatch.setattr(hashing, "MAX_FILES", 2)
    assert list(hashing.every_path(conf)) == paths[:2]


@pytest.mark.parametrize(
    ("mount", "followed"),
    [
        (Mount(MountKind.BIND, "CONF", "/c", read_only=True), True),
        (Mount(MountKind.BIND, "CONF", "/c"), False),
        (Mount(MountKind.VOLUME, "CONF", "/c", read_only=True), False),
        (Mount(MountKind.TMPFS, "", "/c", read_only=True), False),
    ],
)
def test_what_a_service_only_reads_is_configuration(
    conf: Path, tmp_path: Path, mount: Mount, *, followed: bool
) -> None:
    service = replace(PLAIN, mounts=(replace(mount, source=mount.source.replace("CONF", str(conf))),))
    stack = replace(BARE, folder=tmp_path / "stack")
    assert hashing.configuration_of(stack, service) == ([conf] if followed else [])


def test_a_config_is_followed_beside_mounts(conf: Path, tmp_path: Path) -> None:
    stack = replace(BARE, folder=tmp_path / "stack", configs={"c": SecretFile("c", tmp_path / "a-config")})
    service = replace(mounting(conf), configs=(SecretMount("c", "/c"), SecretMount("gone", "/g")))
    assert hashing.configuration_of(stack, service) == [tmp_path / "a-config", conf]


@pytest.mark.parametrize(
    ("path", "followed"),
    [
        *((path, False) for path in ("/proc", "/proc/net", "/sys/class", "/dev/shm/a", "/run/a", "/var/run/a")),
        *((path, False) for path in ("/", "/de", "/de/mo")),
        *((path, True) for path in ("/processes", "/system", "/devices", "/running", "/var", "/demo/conf", "/demos")),
    ],
)
def test_kernel_file_systems_and_what_holds_the_stack_are_looked_at_not_followed(path: str, followed: bool) -> None:
    stack = replace(BARE, folder=Path("/de/mo"))
    assert hashing.configuration_of(stack, mounting(Path(path))) == ([Path(path)] if followed else [])
