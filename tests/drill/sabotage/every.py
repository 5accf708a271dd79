"""Every fault of this folder, by the name of its module. A new module is found by itself."""

import importlib
import pkgutil

from tests.drill import sabotage
from tests.drill.sabotage.fault import Fault


def every() -> dict[str, tuple[Fault, ...]]:
    """Faults of each module that lists some; those that only containers can have are in lists of their own."""
    names = sorted(each.name for each in pkgutil.iter_modules(sabotage.__path__))
    modules = {name: importlib.import_module(f"{sabotage.__name__}.{name}") for name in names}
    return {name: module.FAULTS for name, module in modules.items() if hasattr(module, "FAULTS")}
