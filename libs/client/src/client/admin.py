"""For admins: users, the audit log, configuration; and how the whole system is."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field

from client.answers import Answer, Page
from client.connection import Connection, given
from client.operations import StageCount
from client.switches import Pause

Value = int | float | str


class User(Answer):
    id: UUID
    username: str
    email: str
    role: str
    is_active: bool
    created_at: datetime | None = None
    updated_at: datetime | None = None


class AuditEntry(Answer):
    id: UUID
    at: datetime
    user_id: UUID | None = None
    username: str | None = None
    action: str
    resource_type: str
    resource_id: UUID | None = None
    details: dict[str, Any] | None = None
    ip_address: str | None = None
    user_agent: str | None = None


class ConfigurationVersion(Answer):
    """Null stands for not set."""

    version: int
    old_value: Value | None = None
    new_value: Value | None = None
    user_id: UUID
    username: str
    reason: str
    at: datetime


class ConfigurationEntry(Answer):
    """`value` is null where nobody set one: then the environment variable counts, and without it `default`."""

    key: str
    kind: str
    service: str
    live: bool
    description: str
    environment: str | None = None
    default: Value
    minimum: float | None = None
    maximum: float | None = None
    words: list[str] = Field(default_factory=list[str])
    value: Value | None = None
    version: int
    changed_at: datetime | None = None
    changed_by: str | None = None


class ConfigurationDetail(ConfigurationEntry):
    """With its changes, the newest first."""

    history: list[ConfigurationVersion] = Field(default_factory=list[ConfigurationVersion])


class Dependency(Answer):
    name: str
    state: str
    milliseconds: int


class ServiceSign(Answer):
    service: str
    state: str
    connections: int
    last_seen_at: datetime | None = None


class GroupLag(Answer):
    group: str
    topic: str
    records: int | None = None


class Breaker(Answer):
    destination: str
    open: bool
    why: str | None = None
    opened_at: datetime | None = None
    next_probe_at: datetime | None = None
    held_until: datetime | None = None


class SystemStatus(Answer):
    state: str
    checked_at: datetime
    last_night: str
    dependencies: list[Dependency]
    services: list[ServiceSign]
    lag: list[GroupLag]
    stages: list[StageCount]
    breakers: list[Breaker]
    paused: list[Pause]


class UiConfig(Answer):
    name: str
    environment: str
    version: str
    languages: list[str]
    features: list[str]
    limits: dict[str, int]
    notice: str | None = None


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
