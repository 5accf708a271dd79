"""Changing a ``.env`` file: what is read back is what was set, and nothing else moved."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from tradebot_ops.settings import load_settings
from tradebot_ops.settings.edit import edited, set_values
from tradebot_ops.text import dotenv

NAMES = st.sampled_from(["WORKER_REPLICAS", "REDIS_MAXMEMORY", "ODD_NAME"])
VALUES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
BEFORE = "# ours\nWORKER_REPLICAS=3 # three\n\nexport API_PORT='9000'\nWORKER_REPLICAS=4\nLOG_LEVEL=debug"


@given(st.dictionaries(NAMES, VALUES))
def test_what_was_set_is_read_back(values: dict[str, str]) -> None:
    assert dotenv.values(edited(BEFORE, values), {}, {}) == {
        "WORKER_REPLICAS": "4",
        "API_PORT": "9000",
        "LOG_LEVEL": "debug",
        **values,
    }


def test_other_lines_stay_and_the_first_place_is_kept() -> None:
    text = edited(BEFORE, {"WORKER_REPLICAS": "6", "REDIS_MAXMEMORY": "1gb"})
    assert text == "# ours\nWORKER_REPLICAS=6\n\nexport API_PORT='9000'\nLOG_LEVEL=debug\nREDIS_MAXMEMORY=1gb\n"


def test_a_name_that_is_taken_out_is_gone() -> None:
    assert edited(BEFORE, {"WORKER_REPLICAS": None}) == "# ours\n\nexport API_PORT='9000'\nLOG_LEVEL=debug\n"


def test_the_file_in_force_is_changed_for_its_owner_alone(tmp_path: Path) -> None:
    assert load_settings({}, {}, tmp_path).env_file == tmp_path / ".env"
    (tmp_path / ".env").write_text("LOG_LEVEL=info\n")
    (tmp_path / "real").write_text("API_PORT=1\n")
    (tmp_path / ".env.production").symlink_to("real")
    chosen = load_settings({"env": "prod"}, {}, tmp_path).env_file
    set_values(chosen, {"WORKER_REPLICAS": "5"})
    assert (tmp_path / ".env.production").is_symlink()
    assert (tmp_path / "real").read_text() == "API_PORT=1\nWORKER_REPLICAS=5\n"
    assert (tmp_path / "real").stat().st_mode & 0o777 == 0o600
    set_values(load_settings({}, {}, tmp_path).env_file, {"LOG_LEVEL": None})
    assert (tmp_path / ".env").read_text() == ""


def test_a_file_that_is_not_there_yet_is_made(tmp_path: Path) -> None:
    set_values(tmp_path / ".env", {"LOG_LEVEL": "info", "API_PORT": None})
    assert (tmp_path / ".env").read_text() == "LOG_LEVEL=info\n"
