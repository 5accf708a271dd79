"""Who gives commands: the user, and the host they sit at."""

import os
import socket
from collections.abc import Mapping


def actor(environ: Mapping[str, str]) -> str:
    """``ana@host``."""
    return f"{user(environ)}@{socket.gethostname()}"


def user(environ: Mapping[str, str]) -> str:
    """Behind sudo whoever typed it, and by number where a user has no name, as in some containers."""
    import pwd

    for name in ("SUDO_USER", "LOGNAME", "USER"):
        if given := environ.get(name):
            return given
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())
