"""Records of every kind: read as they were written, in the shapes that lie on users' disks, and honest about damage."""

import ast
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from tests.paths import ROOT
from tradebot_ops import records
from tradebot_ops.engines.local.layout import Layout
from tradebot_ops.engines.local.records import Record, Records
from tradebot_ops.errors import OpsError
from tradebot_ops.state import HostState

REPLICA: dict[str, Any] = {
    "service": "worker",
    "number": 1,
    "spec_hash": "s",
    "content_hash": "c",
    "image": "worker:1",
    "argv": ["/bin/true"],
    "environ": {"A": "b"},
    "folder": "/",
    "restart": "always",
    "one_shot": False,
    "stop_signal": "SIGTERM",
    "stop_grace": 10,
    "published": [8010],
    "ports": {"8010": 8011},
}
SCALING: dict[str, Any] = {
    "at": "2026-11-22T12:00:00+00:00",
    "by": "ann@host",
    "service": "worker",
    "from": 2,
    "to": 3,
    "kept": True,
}
OPTIMIZED: dict[str, Any] = {
    "at": "2026-11-22T12:00:00+00:00",
    "by": "ann@host",
    "before": {"WORKER_REPLICAS": "8"},
    "after": {"WORKER_REPLICAS": "4", "REDIS_MAXMEMORY": "256mb"},
    "desired": 8,
}
WORD = {"name": "team-trained", "by": "maria", "at": "2026-11-22T12:00:00+00:00", "note": "drilled"}


@dataclass(frozen=True)
class Case:
    """A record, the object in its file as earlier versions wrote it, and objects that have the wrong shape."""

    record: Any
    content: dict[str, Any]
    wrong: tuple[dict[str, Any], ...]

    @property
    def kind(self) -> type[Any]:
        return type(self.record)


CASES = [
    Case(
        records.Attestations((records.Attestation("team-trained", "maria", WORD["at"], "drilled"),)),
        {"attestations": [WORD]},
        ({"attestations": WORD}, {"attestations": [{**WORD, "by": 1}]}, {"attestations": [{**WORD, "at": "noon"}]}),
    ),
    Case(
        records.DesiredReplicas({"worker": 6}),
        {"replicas": {"worker": 6}},
        ({"replicas": [6]}, {"replicas": {"worker": "six"}}, {"replicas": {"worker": True}}, {"replicas": None}),
    ),
    Case(
        records.UsedEngines(("local", "docker")),
        {"engines": ["local", "docker"]},
        ({"engines": "local"}, {"engines": [1]}),
    ),
    Case(
        records.ChosenProfiles(("monitoring",)),
        {"profiles": ["monitoring"]},
        ({"profiles": "monitoring"}, {"profiles": [1]}),
    ),
    Case(
        records.UnavailableServices({"grafana": records.Absence("No program.", "apt-get install it")}),
        {"grafana": {"message": "No program.", "hint": "apt-get install it"}},
        ({"grafana": "No program."}, {"grafana": {"message": 1}}),
    ),
    Case(records.StandInImages({"REDIS_IMAGE": "redis:8.0"}), {"REDIS_IMAGE": "redis:8.0"}, ({"A": 1},)),
    Case(
        records.ScaleHistory((records.Scaling(SCALING["at"], "ann@host", "worker", 2, 3, True),)),
        {"scalings": [SCALING]},
        ({"scalings": SCALING}, {"scalings": ["up"]}, {"scalings": [{**SCALING, "to": "3"}]}),
    ),
    Case(
        records.ChannelTests({"critical/slack": "2026-11-22T12:00:00+00:00"}),
        {"critical/slack": "2026-11-22T12:00:00+00:00"},
        ({"critical/slack": 3}, {"critical/slack": None}),
    ),
    Case(records.WorkersTold(3), {"workers": 3}, ({"workers": "3"}, {"workers": None})),
    Case(
        records.MountedFiles({"hash": {"/etc/a": "digest"}}),
        {"hash": {"/etc/a": "digest"}},
        ({"hash": ["/etc/a"]}, {"hash": {"/etc/a": 1}}),
    ),
    Case(
        records.Descriptions({"hash": {"environment.LEVEL": "info"}}),
        {"hash": {"environment.LEVEL": "info"}},
        ({"hash": ["environment.LEVEL"]}, {"hash": {"environment.LEVEL": 1}}),
    ),
    Case(
        records.RememberedPorts({"worker-1": {"9091": 9092}}),
        {"worker-1": {"9091": 9092}},
        ({"worker-1": 9092}, {"worker-1": {"9091": "9092"}}),
    ),
    Case(
        records.MovedPorts({"api": {"8010": 8011}}), {"api": {"8010": 8011}}, ({"api": [8011]}, {"api": {"8010": 1.5}})
    ),
    Case(
        records.Optimizations(
            (records.Optimization(OPTIMIZED["at"], "ann@host", OPTIMIZED["before"], OPTIMIZED["after"], 8),)
        ),
        {"optimizations": [OPTIMIZED]},
        ({"optimizations": OPTIMIZED}, {"optimizations": [{**OPTIMIZED, "before": {"A": 1}}]}),
    ),
    Case(records.WatchedBot("freqtrade"), {"adapter": "freqtrade"}, ({"adapter": 1},)),
    Case(
        records.HaltDrill("freqtrade", SCALING["at"], SCALING["at"]),
        {"adapter": "freqtrade", "halted_at": SCALING["at"], "cancelled_at": SCALING["at"]},
        ({"adapter": 1}, {"halted_at": "noon"}, {"cancelled_at": "2026-11-22T12:00:00"}),
    ),
    Case(records.ReloadedContainers({"id": "hash"}), {"id": "hash"}, ({"id": {}},)),
]
every = pytest.mark.parametrize("case", CASES, ids=lambda case: case.record.FILE)
#: The records whose keys are fixed; in the others every key is a name.
FIXED = [
    case for case in CASES if set(case.content) & {"adapter", "engines", "replicas", "profiles", "scalings", "workers"}
]


def test_every_record_is_tried() -> None:
    kinds = {
        kind for kind in vars(records).values() if isinstance(kind, type) and isinstance(vars(kind).get("FILE"), str)
    }
    assert kinds == {case.kind for case in CASES}


@every
def test_what_is_on_users_disks_is_read_and_written_alike(tmp_path: Path, case: Case) -> None:
    state = HostState(tmp_path)
    state.store(case.record)
    assert json.loads((tmp_path / case.record.FILE).read_text()) == case.content
    assert state.load(case.kind) == case.record


@every
def test_before_the_first_write_there_are_defaults(tmp_path: Path, case: Case) -> None:
    assert HostState(tmp_path).load(case.kind) == case.kind()
    (tmp_path / case.record.FILE).write_text("{}")
    assert HostState(tmp_path).load(case.kind) == case.kind()


@pytest.mark.parametrize("case", FIXED, ids=lambda case: case.record.FILE)
def test_keys_of_another_version_are_ignored(tmp_path: Path, case: Case) -> None:
    (tmp_path / case.record.FILE).write_text(json.dumps({**case.content, "later": [1]}))
    assert HostState(tmp_path).load(case.kind) == case.record


def test_missing_and_unknown_keys_inside_of_a_record() -> None:
    found = records.ScaleHistory.of({"scalings": [{"service": "worker", "later": 1}]})
    assert found.scalings == (records.Scaling(service="worker"),)
    absent = records.UnavailableServices.of({"grafana": {"hint": "apt-get", "later": 1}}).services["grafana"]
    assert absent.hint == "apt-get"
    assert absent.message.endswith(".")


def _refused(load: Callable[[], Any], path: Path) -> None:
    before = path.read_bytes()
    with pytest.raises(OpsError) as raised:
        load()
    assert raised.value.code == "TB-0801"
    assert str(path) in raised.value.message
    assert f"mv '{path}'" in raised.value.hint
    assert path.read_bytes() == before


@every
def test_a_truncated_file_is_refused_and_kept(tmp_path: Path, case: Case) -> None:
    path = tmp_path / case.record.FILE
    path.write_text(json.dumps(case.content)[:-2])
    _refused(lambda: HostState(tmp_path).load(case.kind), path)


@pytest.mark.parametrize(
    ("case", "content"),
    [pytest.param(case, wrong, id=f"{case.record.FILE} {wrong}") for case in CASES for wrong in case.wrong],
)
def test_a_wrong_shape_is_refused_and_kept(tmp_path: Path, case: Case, content: dict[str, Any]) -> None:
    path = tmp_path / case.record.FILE
    path.write_text(json.dumps(content))
    _refused(lambda: HostState(tmp_path).load(case.kind), path)


@pytest.fixture
def replicas(tmp_path: Path) -> Records:
    layout = Layout(tmp_path)
    layout.make()
    return Records(layout)


def _put(folder: Path, text: str) -> Path:
    path = folder / "local" / "records" / "worker-1.json"
    path.write_text(text)
    return path


def test_a_replicas_record_comes_back(tmp_path: Path, replicas: Records) -> None:
    assert replicas.get("worker-1") is None
    _put(tmp_path, json.dumps({**REPLICA, "later": 1}))
    found = replicas.get("worker-1")
    assert isinstance(found, Record)
    assert (found.argv, found.published, found.started, found.stop_grace) == (("/bin/true",), (8010,), False, 10.0)
    changed = replace(found, started=True)
    replicas.put(changed)
    assert replicas.get("worker-1") == changed


WRONG_REPLICAS = [
    pytest.param(json.dumps(REPLICA)[:-9], id="truncated"),
    pytest.param("[]", id="list"),
    pytest.param(json.dumps({"service": "worker"}), id="keys missing"),
    *(
        pytest.param(json.dumps({**REPLICA, key: value}), id=key)
        for key, value in {
            "argv": "/bin/true",
            "environ": ["A=b"],
            "number": "1",
            "one_shot": 0,
            "stop_grace": "10s",
            "ports": {"8010": "8011"},
            "published": [[]],
        }.items()
    ),
]


@pytest.mark.parametrize("text", WRONG_REPLICAS)
def test_a_replicas_damaged_record_is_refused_and_kept(tmp_path: Path, replicas: Records, text: str) -> None:
    path = _put(tmp_path, text)
    _refused(lambda: replicas.get("worker-1"), path)


def test_each_file_is_named_in_one_place() -> None:
    names = {case.record.FILE for case in CASES}
    found = {
        (path.relative_to(ROOT).as_posix(), node.value)
        for path in (ROOT / "tradebot_ops").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and node.value in names
    }
    assert found == {("tradebot_ops/records.py", name) for name in names}
