"""The audit log as an admin reads it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """`username`: who did it, null where it was nobody who is known; `details` hold no secret and no document."""

    id: UUID
    at: datetime
    user_id: UUID | None
    username: str | None
    action: str
    resource_type: str
    resource_id: UUID | None
    details: dict[str, Any] | None
    ip_address: str | None
    user_agent: str | None


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """`actor`: a username. `since` is part of the window, `until` is not."""

    actor: str | None = None
    action: str | None = None
    resource_type: str | None = None
    resource_id: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None
