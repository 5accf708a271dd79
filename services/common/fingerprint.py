"""Equal errors share a fingerprint: the type and the top frames of the traceback, without line numbers."""

import hashlib
import re
import traceback
from dataclasses import dataclass

TOP_FRAMES = 5
_ROOTS = ("/_stack/", "/site-packages/", "/dist-packages/")
_LIBRARY = re.compile(r"^.*/lib/python[\d.]+/")


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """``where`` is the innermost frame as ``path:function``."""

    value: str
    type: str
    where: str


def fingerprint(error: BaseException) -> Fingerprint:
    """Of an exception that carries its traceback. Line numbers and installation folders do not count."""
    frames = traceback.extract_tb(error.__traceback__)[-TOP_FRAMES:]
    names = [f"{normal_path(frame.filename)}:{frame.name}" for frame in frames]
    kind = type(error).__name__
    digest = hashlib.sha256("|".join([kind, *names]).encode()).hexdigest()[:16]
    return Fingerprint(digest, kind, names[-1] if names else "")


def normal_path(filename: str) -> str:
    """The file's path below the installation: ``services/api/app.py``, ``fastapi/routing.py``."""
    for root in _ROOTS:
        if root in filename:
            return filename.rpartition(root)[2]
    # The last folder of that name: a project may well lie in one called so, too.
    if start := filename.rfind("/services/") + 1:
        return filename[start:]
    return _LIBRARY.sub("", filename)
