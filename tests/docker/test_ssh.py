"""How many sessions share an SSH handshake, and what an operator is told to try."""

import contextlib
from pathlib import Path

from tradebot_ops.docker.ssh import SESSIONS, Handshakes, command


def test_no_handshake_carries_more_sessions_than_a_server_allows(tmp_path: Path) -> None:
    handshakes = Handshakes(tmp_path)
    with contextlib.ExitStack() as sessions:
        used = [sessions.enter_context(handshakes.session()).path for _ in range(2 * SESSIONS + 1)]
    assert [used.count(path) for path in dict.fromkeys(used)] == [SESSIONS, SESSIONS, 1]
    with handshakes.session() as again:
        assert again.path == used[0]


def test_the_command_says_where_and_as_whom() -> None:
    words = command("ssh://ops@elsewhere:2222/run/docker.sock")
    assert words[words.index("-l") :] == [
        *("-l", "ops", "-p", "2222", "--", "elsewhere"),
        *("docker", "--host", "unix:///run/docker.sock", "system", "dial-stdio"),
    ]
