"""What Grafana answers: its health, its data sources, its dashboards. Read-only, each call with a deadline."""

from collections.abc import Mapping
from typing import Any

from tradebot_ops.clients.rest import Codes, Failures, Login, Rest

_CODES = Codes(unreachable="TB-0560", refused="TB-0561", failed="TB-0562")


class Grafana:
    """A client for one Grafana.

    Every method raises ``OpsError``: TB-0560 unreachable or no answer within ``timeout`` seconds, TB-0562 failed; all
    but ``version`` also TB-0561, password refused, which is a ``LoginRefused``.
    """

    def __init__(self, base_url: str, login: Login, timeout: float = 5.0) -> None:
        self._rest = Rest(Failures("Grafana", "grafana", base_url, timeout, _CODES, login))

    def version(self) -> str:
        """Asked of its health, which needs no login."""
        return str(self._get("/api/health").get("version", ""))

    def datasource_fault(self, uid: str) -> str:
        """Why the data source does not work, in Grafana's words; empty when it does."""
        response = self._rest.request("GET", f"/api/datasources/uid/{uid}/health")
        found = self._rest.document(response)
        if response.is_success and found.get("status") == "OK":
            return ""
        return str(found.get("message") or f"HTTP {response.status_code}")

    def dashboard(self, uid: str) -> Mapping[str, Any] | None:
        """The dashboard's JSON as it is provisioned; None when there is none of that uid."""
        response = self._rest.request("GET", f"/api/dashboards/uid/{uid}")
        if response.status_code == 404:
            return None
        if not response.is_success:
            raise self._rest.failure(f"HTTP {response.status_code}")
        return dict(self._rest.document(response)["dashboard"])

    def _get(self, path: str) -> dict[str, Any]:
        response = self._rest.request("GET", path)
        if not response.is_success:
            raise self._rest.failure(f"HTTP {response.status_code}")
        return dict(self._rest.document(response))
