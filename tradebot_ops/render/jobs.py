"""How a followed job moves on, one line per change."""

from typing import Any, TextIO

from tradebot_ops.text.visible import visible


def progress_line(job: dict[str, Any], stream: TextIO) -> None:
    share = f"{round(100 * (job['progress'] or 0)):3d} %" if job["state"] == "running" else ""
    words = (job["id"], job["state"], share, job.get("note") or "")
    stream.write(visible("  ".join(word for word in words if word)) + "\n")
    stream.flush()
