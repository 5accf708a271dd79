"""The supervisor's configuration, and talking to one that is not there."""

import configparser
from pathlib import Path

import pytest

from tests.engines.local.records import a_record
from tradebot_ops.engines.local.layout import Layout
from tradebot_ops.engines.local.supervision.config import render_config
from tradebot_ops.engines.local.supervision.rpc import NotRunning
from tradebot_ops.engines.local.supervision.supervisor import Supervisor
from tradebot_ops.settings import MAX_DRAIN


def _parsed(text: str) -> configparser.RawConfigParser:
    parser = configparser.RawConfigParser(inline_comment_prefixes=(";", "#"))
    parser.read_string(text)
    return parser


@pytest.mark.parametrize(
    ("restart", "one_shot", "again", "startsecs"),
    [
        ("always", False, "true", "10"),
        ("unless-stopped", False, "true", "10"),
        ("on-failure", False, "unexpected", "10"),
        ("no", False, "false", "0"),
        ("always", True, "false", "0"),
    ],
)
def test_restart_policies(restart: str, one_shot: bool, again: str, startsecs: str) -> None:
    section = _parsed(render_config([a_record(restart=restart, one_shot=one_shot)], as_root=False))["program:web-1"]
    assert (section["autorestart"], section["startsecs"]) == (again, startsecs)


def test_the_supervisor_does_not_cut_a_long_drain_short() -> None:
    """The engine ends a stop; the supervisor only where the engine was killed meanwhile."""
    section = _parsed(render_config([a_record(stop_grace=45)], as_root=False))["program:web-1"]
    assert int(section["stopwaitsecs"]) > MAX_DRAIN + 45


def test_a_number_of_retries_and_the_limits_of_the_log_are_kept() -> None:
    record = a_record(restart="on-failure:7", log_size=5 << 20, log_files=4, stop_signal="SIGINT")
    section = _parsed(render_config([record], as_root=False))["program:web-1"]
    assert section["startretries"] == "7"
    assert (section["stdout_logfile_maxbytes"], section["stdout_logfile_backups"]) == ("5242880", "3")
    assert section["stopsignal"] == "INT"


def test_a_signal_without_a_name_is_sent_by_the_engine() -> None:
    """The supervisor refuses its whole configuration for a signal that it does not know, whoever else is in it."""
    section = _parsed(render_config([a_record(stop_signal="37")], as_root=False))["program:web-1"]
    assert section["stopsignal"] == "CONT"


def test_no_command_environment_or_absolute_path_of_a_service_is_written() -> None:
    record = a_record(argv=("/opt/x y/prog", "--password-file", "/s/pw"), environ={"A": "b"}, folder="/home/x y")
    text = render_config([record], as_root=True)
    assert "/opt" not in text
    assert "/home" not in text
    assert "environment" not in text


def test_a_supervisor_that_was_never_started_is_not_running(tmp_path: Path) -> None:
    supervisor = Supervisor(Layout(tmp_path / "state"))
    assert not supervisor.running()
    assert supervisor.pid() is None
    with pytest.raises(NotRunning):
        supervisor.call("getPID")
    supervisor.shutdown()
