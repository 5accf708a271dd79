"""Where this machine gets Debian packages from: no mirror's name stands in this code."""

import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tradebot_ops.errors import OpsError

RELEASE = "trixie"
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
#: An operator's own mirror; otherwise the one of this machine's apt configuration.
MIRROR_VARIABLE = "TRADEBOT_DEBIAN_MIRROR"


@dataclass(frozen=True)
class Mirror:
    """Addresses of Debian's archive and of its security archive; the latter is empty when unknown."""

    archive: str
    security: str = ""

    def sources(self, release: str) -> str:
        """The content of ``sources.list`` inside the image."""
        lines = [f"deb {self.archive} {release} main", f"deb {self.archive} {release}-updates main"]
        if self.security:
            lines.append(f"deb {self.security} {release}-security main")
        return "\n".join(lines) + "\n"


def find_mirror(environ: Mapping[str, str]) -> Mirror:
    """Where this machine gets its Debian packages. Raises OpsError TB-0503 when it does not say."""
    if chosen := environ.get(MIRROR_VARIABLE):
        return Mirror(chosen.rstrip("/"))
    archive = security = ""
    for site, release in _apt_sites():
        if release.endswith("-security"):
            security = security or site
        elif "-" not in release:
            archive = archive or site
    if not archive:
        raise OpsError(
            "This machine's apt configuration names no Debian mirror.",
            code="TB-0503",
            hint=f"Name one: {MIRROR_VARIABLE}=http://…",
        )
    return Mirror(archive, security)


def _apt_sites() -> Iterator[tuple[str, str]]:
    """(address, release) of every Debian source, in apt's own order."""
    try:
        listed = subprocess.run(
            ["apt-get", "indextargets", "--format", "$(SITE)|$(CODENAME)|$(RELEASE)|$(ORIGIN)", "Created-By: Packages"],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return
    for line in listed.splitlines():
        site, codename, release, origin = [*line.split("|"), "", "", ""][:4]
        if origin == "Debian" or origin.startswith("$"):
            yield site.rstrip("/"), codename or release
