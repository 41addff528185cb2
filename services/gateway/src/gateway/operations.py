"""The stories of those who run the system."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from gateway.domain.cursors import Cursors
from gateway.domain.operations import (
    AlertReading,
    AlertState,
    Closing,
    JobNotification,
    Report,
    StageCount,
    Stages,
    SystemSettings,
)
from gateway.domain.readings import Page
from gateway.paging import read_id, read_page


class Operations(Protocol):
    async def alerts(self, state: AlertState, *, before: UUID | None, limit: int) -> Sequence[AlertReading]:
        """Newest first."""
        ...

    async def report(self, report: Report) -> AlertReading:
        """The open alert of that kind and subject; where there is none it is opened, and audited."""
        ...

    async def notifications(self, job_id: UUID) -> Sequence[JobNotification]:
        """What people were told of a job, oldest first."""
        ...

    async def close_alert(self, alert_id: UUID, closing: Closing) -> AlertReading:
        """Close and audit. Raises NotFound, or NotAllowedNow where it is closed or closes by itself."""
        ...

    async def stages(self) -> Sequence[StageCount]: ...

    async def versions(self) -> Mapping[str, str]:
        """Of the database and its schema."""
        ...


@dataclass(frozen=True, slots=True)
class ReadAlerts:
    operations: Operations
    cursors: Cursors

    async def __call__(self, state: AlertState, *, cursor: str | None, limit: int) -> Page[AlertReading]:
        """Raises CursorInvalid."""
        bound = {"list": "alerts", "state": state}
        return await read_page(
            self.cursors, bound, cursor, limit,
            ask=lambda before, most: self.operations.alerts(state, before=before, limit=most),
            place_of=lambda alert: (str(alert.id),), read_place=read_id,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class ReadSystem:
    operations: Operations
    installed: Mapping[str, str]
    settings: Mapping[str, str]

    async def stages(self) -> Stages:
        return Stages(list(await self.operations.stages()))

    async def of_this_gateway(self) -> SystemSettings:
        return SystemSettings("gateway", {**self.installed, **await self.operations.versions()}, self.settings)


@dataclass(frozen=True, slots=True)
class OperationStories:
    read_alerts: ReadAlerts
    operations: Operations
    read_system: ReadSystem
