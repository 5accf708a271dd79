"""Client of Grafana: its health, its data sources, its dashboards, who may do what. Each call has a deadline; only
those that add, remove or edit write."""

from collections.abc import Mapping
from typing import Any

from tradebot_ops.clients.rest import Codes, Failures, Login, Rest
from tradebot_ops.settings import Secret
from tradebot_ops.stack.model import Trust

_CODES = Codes(unreachable="TB-0560", refused="TB-0561", failed="TB-0562")


class Grafana:
    """A client for one Grafana.

    Every method raises ``OpsError``: TB-0560 unreachable or no answer within ``timeout`` seconds, TB-0562 failed; all
    but ``version`` also TB-0561, password refused, which is a ``LoginRefused``.
    """

    def __init__(self, base_url: str, login: Login, timeout: float = 5.0, trust: Trust | None = None) -> None:
        self._rest = Rest(Failures("Grafana", "grafana", base_url, timeout, _CODES, login, trust))

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

    def organisation(self) -> Mapping[str, Any]:
        """The one that this login belongs to: the cheapest question that needs a login."""
        return self._get("/api/org")

    def setting(self, section: str, name: str) -> str:
        """A setting in force, wherever it comes from; empty for one that it does not know. For an admin."""
        found = self._get("/api/admin/settings")
        return str((found.get(section) or {}).get(name, ""))

    def add_user(self, name: str, password: Secret) -> int:
        """The id of a user made with the role that new users get. For an admin."""
        wanted = {"name": name, "login": name, "password": password.reveal()}
        response = self._rest.request("POST", "/api/admin/users", json=wanted)
        if not response.is_success:
            raise self._rest.failure(f"HTTP {response.status_code} for a new user")
        return int(self._rest.document(response)["id"])

    def remove_user(self, id_: int) -> None:
        """For an admin; one that is gone already is fine."""
        response = self._rest.request("DELETE", f"/api/admin/users/{id_}")
        if not response.is_success and response.status_code != 404:
            raise self._rest.failure(f"HTTP {response.status_code} for the removal of user {id_}")

    def change_password(self, old: Secret, new: Secret) -> None:
        """Of the user that this login is; sessions that are open stay."""
        wanted = {"oldPassword": old.reveal(), "newPassword": new.reveal(), "confirmNew": new.reveal()}
        response = self._rest.request("PUT", "/api/user/password", json=wanted)
        if not response.is_success:
            raise self._rest.failure(f"HTTP {response.status_code} for a new password")

    def reload_datasources(self) -> None:
        """Read their files again, and the files with passwords that these name. For an admin."""
        response = self._rest.request("POST", "/api/admin/provisioning/datasources/reload")
        if not response.is_success:
            raise self._rest.failure(f"HTTP {response.status_code} for reading data sources again")

    def edit(self, uid: str, title: str) -> None:
        """Make a dashboard. Raises ``LoginRefused`` where this login may not."""
        wanted = {"dashboard": {"uid": uid, "title": title, "panels": []}, "overwrite": True}
        response = self._rest.request("POST", "/api/dashboards/db", json=wanted)
        if not response.is_success:
            raise self._rest.failure(f"HTTP {response.status_code} for a new dashboard")

    def remove_dashboard(self, uid: str) -> None:
        """One that is gone already is fine."""
        response = self._rest.request("DELETE", f"/api/dashboards/uid/{uid}")
        if not response.is_success and response.status_code != 404:
            raise self._rest.failure(f"HTTP {response.status_code} for the removal of dashboard {uid}")

    def _get(self, path: str) -> dict[str, Any]:
        response = self._rest.request("GET", path)
        if not response.is_success:
            raise self._rest.failure(f"HTTP {response.status_code}")
        return dict(self._rest.document(response))
