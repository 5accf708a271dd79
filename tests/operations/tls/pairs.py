"""A certificate with its key, and the authority that signed it, as files."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from tradebot_ops.operations.tls import issue


def pair(folder: Path, name: str) -> tuple[Path, Path]:
    """``pair.pem``, what a server of that name loads, and ``ca.pem``, what its clients have to trust."""
    now = datetime.now(UTC)
    above = issue.authority("demo", now - timedelta(days=1))
    made = issue.server(above, (name,), now, 30)
    server, authority = folder / "pair.pem", folder / "ca.pem"
    server.write_text(made.certificate + made.key.reveal())
    authority.write_text(above.certificate)
    return server, authority
