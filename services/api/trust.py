"""TLS to Prometheus and Alertmanager: whom the API believes there."""

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from services.common.settings import Settings


@dataclass(frozen=True)
class Trust:
    """The authority whose certificate is the file ``ca``, for a server called ``name``, and no other."""

    ca: Path
    name: str

    @classmethod
    def of(cls, settings: Settings, url: str) -> Self | None:
        """None for what answers in the clear, and where no authority is named: then those that Python knows count."""
        ca = settings.monitoring_ca_file
        return cls(ca, settings.tls_name) if ca and url.startswith("https://") else None


def context(trust: Trust | None) -> ssl.SSLContext | bool:
    """httpx' ``verify``. Raises ``OSError`` for an authority that cannot be read."""
    if trust is None:
        return True
    found = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    found.load_verify_locations(trust.ca)
    return found


def extensions(trust: Trust | None) -> dict[str, Any]:
    """Of a request of httpx: its address is another one in each network, the name on the certificate is not."""
    return {"sni_hostname": trust.name} if trust else {}
