import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.operations.seen import refusal
from tradebot_ops.errors import OpsError
from tradebot_ops.stack import schema
from tradebot_ops.stack.model import Stack

Load = Callable[..., Stack]

GOOD = "services:\n  app: {image: app:1}\n"
#: The reader does not judge names or doubles in lists; the schema does.
BAD = "services:\n  app:\n    image: a\n    cap_drop: [ALL, ALL]\n"


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        (BAD, ":4: services.app.cap_drop", "non-unique"),
        ("services:\n  'not a name': {image: a}\n", ":1: services", "not a name"),
        ("x-note: 1\nvolumes:\n  'v v':\n" + GOOD, ":2: volumes", "v v"),
    ],
)
def test_what_only_the_schema_knows_is_refused_with_its_place(
    load_text: Load, text: str, place: str, said: str
) -> None:
    with pytest.raises(OpsError) as caught:
        load_text(text)
    assert caught.value.code == "TB-0812"
    assert place in caught.value.message
    assert said in caught.value.message


def markers(cache: Path) -> list[str]:
    return sorted(path.name for path in cache.rglob("*") if path.is_file())


def test_a_description_that_passed_is_remembered(
    load_text: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "cache"
    load_text(GOOD, cache=cache)
    assert len(markers(cache)) == 1
    monkeypatch.setattr(schema, "_errors", lambda plain: pytest.fail("asked the schema again"))
    load_text("# a comment changes nothing\n" + GOOD, cache=cache)


def test_one_that_failed_is_not(load_text: Load, tmp_path: Path) -> None:
    for _ in range(2):
        with pytest.raises(OpsError, match="non-unique"):
            load_text(BAD, cache=tmp_path / "cache")
    assert markers(tmp_path / "cache") == []


def test_another_variable_is_checked_anew(load_text: Load, tmp_path: Path) -> None:
    text = "services:\n  app: {image: a, cap_drop: [ALL, '${CAP}']}\n"
    load_text(text, environ={"CAP": "KILL"}, cache=tmp_path / "cache")
    with pytest.raises(OpsError, match="non-unique"):
        load_text(text, environ={"CAP": "ALL"}, cache=tmp_path / "cache")


def test_without_a_cache_it_is_asked_every_time(load_text: Load) -> None:
    with pytest.raises(OpsError, match="non-unique"):
        load_text(BAD, cache=None)


def test_a_cache_that_cannot_be_written_costs_only_time(load_text: Load, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    assert load_text(GOOD, cache=tmp_path / "file").services


def test_the_cache_stays_small(load_text: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema, "_REMEMBERED", 3)
    for number in range(5):
        load_text(f"services:\n  app: {{image: a:{number}}}\n", cache=tmp_path / "cache")
    assert len(markers(tmp_path / "cache")) == 3


def test_the_schema_is_the_one_its_notice_names() -> None:
    folder = schema.SCHEMA.parent
    assert hashlib.sha256(schema.SCHEMA.read_bytes()).hexdigest() in (folder / "NOTICE").read_text(encoding="utf-8")
    assert "Apache License" in (folder / "LICENSE").read_text(encoding="utf-8")


def test_loading_a_remembered_description_does_not_import_jsonschema(load_text: Load, tmp_path: Path) -> None:
    load_text(GOOD, cache=tmp_path / "cache")
    script = (
        "import sys; from pathlib import Path; from tradebot_ops.stack.load import load; "
        "from tradebot_ops.stack.source import Source; here = Path(sys.argv[1]); "
        "load(Source((here / 'compose.yaml',), here, ''), {}, project='demo', cache=here / 'cache'); "
        "sys.exit(' '.join(sys.modules.keys() & {'jsonschema', 'dotenv', 'docker', 'httpx', 'rich'}) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_several_are_remembered_for_their_owner_and_the_newest_stay(
    load_text: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "own"
    texts = [f"services:\n  app: {{image: a:{number}}}\n" for number in range(4)]
    for text in texts:
        load_text(text, cache=cache)
    kept = markers(cache)
    assert len(kept) == 4
    assert (cache / "valid-stacks").stat().st_mode & 0o777 == 0o700
    for number, name in enumerate(kept):
        os.utime(cache / "valid-stacks" / name, (number, number))
    monkeypatch.setattr(schema, "_REMEMBERED", 3)
    load_text(GOOD, cache=cache)
    left = set(markers(cache))
    assert (left & set(kept), len(left)) == (set(kept[2:]), 3)


def test_another_schema_is_asked_anew(load_text: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    load_text(GOOD, cache=tmp_path / "cache")
    other = tmp_path / "schema.json"
    other.write_text('{"required": ["volumes"]}', encoding="utf-8")
    monkeypatch.setattr(schema, "SCHEMA", other)
    with pytest.raises(OpsError) as caught:
        load_text(GOOD, cache=tmp_path / "cache")
    file = tmp_path / "compose.yaml"
    assert refusal(caught.value) == (
        "TB-0812",
        f"{file}:1: 'volumes' is a required property.",
        "See https://docs.docker.com/reference/compose-file/",
    )
