"""For those who run the system: alerts, what waits where, versions and settings."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field

from client.answers import Answer, Page
from client.connection import Connection, given


class Alert(Answer):
    id: UUID
    kind: str
    subject: str
    severity: str
    details: dict[str, Any] = Field(default_factory=dict[str, Any])
    opened_at: datetime
    closed_at: datetime | None = None
    closed_by_people: bool = False


class StageCount(Answer):
    stage: str
    reason: str | None = None
    count: int
    at_least: bool = False
    oldest_at: datetime | None = None
    oldest_seconds: int | None = None


class Stages(Answer):
    items: list[StageCount] = Field(default_factory=list[StageCount])


class SystemSettings(Answer):
    service: str
    versions: dict[str, str] = Field(default_factory=dict[str, str])
    settings: dict[str, str] = Field(default_factory=dict[str, str])


class OperationCalls(Connection):
    def alerts(self, *, state: str = "open", limit: int = 50, cursor: str | None = None) -> Page[Alert]:
        """`open`, `closed` or `all`; newest first."""
        query = given({"state": state, "limit": limit, "cursor": cursor})
        return self._call("GET", "/api/v1/alerts", Page[Alert], params=query)

    def close_alert(self, alert_id: UUID | str, *, reason: str) -> Alert:
        """Close one that tells of something past; the others close by themselves."""
        return self._call("POST", f"/api/v1/alerts/{alert_id}/close", Alert, json={"reason": reason})

    def stages(self) -> Stages:
        """How many invoices wait at each stage."""
        return self._call("GET", "/api/v1/system/stages", Stages)

    def system_settings(self) -> SystemSettings:
        """Versions and settings of the gateway, without secrets."""
        return self._call("GET", "/api/v1/system/settings", SystemSettings)
