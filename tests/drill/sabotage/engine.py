"""Stage 1 broken on purpose."""

from tests.drill.sabotage.fault import Fault, editing
from tests.drill.sabotage.security import described

_REQUIREMENTS = "services/requirements.txt"
_FIRST = "alembic"
_IN_IMAGE = "Containers have the list of their image."
_LIMITED = 'options: {max-size: 10m, max-file: "3"}'

FAULTS = (
    Fault("a package that nobody installed", "ENG-08", "fail",
          *editing(_REQUIREMENTS, _FIRST, f"no-such-package>=1\n{_FIRST}"), also=("SVC-07", "CFG-06"), local=_IN_IMAGE),
    Fault("a package of a version to come", "ENG-08", "fail",
          *editing(_REQUIREMENTS, _FIRST, f"pydantic>=99\n{_FIRST}"), also=("SVC-07", "CFG-06"), local=_IN_IMAGE),
)  # fmt: skip

DOCKER_FAULTS = (
    Fault("logs without a bound", "ENG-06", "fail", *described((_LIMITED, "options: {}"))),
)  # fmt: skip
