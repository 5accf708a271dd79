"""A secret that keeps to itself."""

import json

from tradebot_ops.settings import Secret


def test_a_secret_never_shows_itself() -> None:
    secret = Secret("hunter2")
    assert "hunter2" not in f"{secret} {secret!r} {secret:>20} {[secret]}" + "%s" % secret  # noqa: UP031
    assert secret.reveal() == "hunter2"
    assert json.dumps({"it": str(secret)}) == '{"it": "[REDACTED]"}'
