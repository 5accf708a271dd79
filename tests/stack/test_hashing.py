import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tradebot_ops.stack import hashing
from tradebot_ops.stack.model import Build, Service, Stack

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
