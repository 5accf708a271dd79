"""``-o yaml``: the same document as ``--json``."""

import json
from typing import TextIO

import yaml

from tradebot_ops.model import Report


def render(report: Report, stream: TextIO, color: bool | None) -> None:
    del color
    plain = json.loads(json.dumps(report.to_dict(), default=str))
    stream.write(yaml.safe_dump(plain, sort_keys=False, allow_unicode=True))
