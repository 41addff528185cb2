"""For admins: users, the audit log, configuration; and how the whole system is."""

from datetime import datetime
from uuid import UUID

from client.answers import Page
from client.connection import Connection, given
from client.shapes import AuditEntry, ConfigurationDetail, ConfigurationEntry, SystemStatus, UiConfig, User

Value = int | float | str


class AdminCalls(Connection):
    def users(
        self, *, role: str | None = None, is_active: bool | None = None, limit: int = 50, cursor: str | None = None
    ) -> Page[User]:
        """By name."""
        query = given({"role": role, "is_active": is_active, "limit": limit, "cursor": cursor})
        return self._call("GET", "/api/v1/users", Page[User], params=query)

    def user(self, user_id: UUID | str) -> User:
        return self._call("GET", f"/api/v1/users/{user_id}", User)

    def add_user(self, username: str, email: str, password: str, *, role: str = "user") -> User:
        body = {"username": username, "email": email, "password": password, "role": role}
        return self._call("POST", "/api/v1/users", User, json=body)

    def change_user(
        self, user_id: UUID | str, *, role: str | None = None, email: str | None = None, is_active: bool | None = None
    ) -> User:
        """Counts from the next request on; the last active admin stays one."""
        body = given({"role": role, "email": email, "is_active": is_active})
        return self._call("PATCH", f"/api/v1/users/{user_id}", User, json=body)

    def set_password(self, user_id: UUID | str, password: str) -> User:
        return self._call("POST", f"/api/v1/users/{user_id}/password", User, json={"password": password})

    def audit(
        self,
        *,
        actor: str | None = None,
        action: str | None = None,
        resource_type: str | None = None,
        resource_id: UUID | str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page[AuditEntry]:
        """Newest first. `actor` is a username; the times must be aware."""
        query = given({
            "actor": actor, "action": action, "resource_type": resource_type, "limit": limit, "cursor": cursor,
            "resource_id": str(resource_id) if resource_id else None,
            "since": since.isoformat() if since else None, "until": until.isoformat() if until else None,
        })  # fmt: skip
        return self._call("GET", "/api/v1/audit", Page[AuditEntry], params=query)

    def configuration(self) -> Page[ConfigurationEntry]:
        """Every key."""
        return self._call("GET", "/api/v1/configuration", Page[ConfigurationEntry])

    def configuration_of(self, key: str) -> ConfigurationDetail:
        return self._call("GET", f"/api/v1/configuration/{key}", ConfigurationDetail)

    def configure(self, key: str, value: Value, *, expected_version: int, reason: str) -> ConfigurationDetail:
        """Set a live key, if it still is at that version."""
        body = {"value": value, "expected_version": expected_version, "reason": reason}
        return self._call("PUT", f"/api/v1/configuration/{key}", ConfigurationDetail, json=body)

    def roll_back(self, key: str, to_version: int, *, expected_version: int, reason: str) -> ConfigurationDetail:
        """What it was at that version, as a new one; 0 unsets it."""
        body = {"to_version": to_version, "expected_version": expected_version, "reason": reason}
        return self._call("POST", f"/api/v1/configuration/{key}/rollback", ConfigurationDetail, json=body)

    def system_status(self) -> SystemStatus:
        """Each dependency, service, group, stage and breaker."""
        return self._call("GET", "/api/v1/system/status", SystemStatus)

    def ui_config(self) -> UiConfig:
        return self._call("GET", "/api/v1/ui-config", UiConfig)
