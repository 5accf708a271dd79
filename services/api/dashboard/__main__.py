"""One look at the panels without the API, on whatever host can reach Prometheus: `tradebot dash` runs this then.

``python -m services.api.dashboard RANGE FILE URL USER [AUTHORITY NAME]``, the password of Prometheus on standard input;
with a file of the authority to trust and the name that it vouches for where Prometheus answers over TLS. Writes the
document of ``GET /dashboard/panels``.
"""

import asyncio
import sys
from pathlib import Path

from pydantic import SecretStr

from services.api.dashboard.board import Board
from services.api.dashboard.definition import DefinitionError
from services.api.dashboard.prometheus import Prometheus
from services.api.dashboard.schemas import DashboardOut
from services.api.trust import Trust


def main(range_name: str, file: str, url: str, user: str, *trusted: str) -> None:
    """Exits with 1 and a sentence when the dashboard cannot be read."""
    trust = Trust(Path(trusted[0]), trusted[1]) if trusted else None
    board = Board(Path(file), Prometheus(url, user, SecretStr(sys.stdin.read()), trust=trust))
    try:
        document = asyncio.run(_look(board, range_name))
    except DefinitionError as error:
        sys.exit(str(error))
    sys.stdout.write(document.model_dump_json())


async def _look(board: Board, range_name: str) -> DashboardOut:
    try:
        return await board.look(range_name)
    finally:
        await board.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
