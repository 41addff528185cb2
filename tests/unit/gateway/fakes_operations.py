"""Alerts and counts in memory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from gateway.domain.cursors import Cursors
from gateway.domain.faults import NotAllowedNow, NotFound
from gateway.domain.operations import (
    CLOSED_BY_PEOPLE,
    AlertReading,
    AlertState,
    Closing,
    JobNotification,
    Report,
    StageCount,
)
from gateway.operations import OperationStories, ReadAlerts, ReadSystem

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


@dataclass
class FakeOperations:
    rows: list[AlertReading] = field(default_factory=list[AlertReading])
    counts: list[StageCount] = field(default_factory=list[StageCount])
    closed: list[Closing] = field(default_factory=list[Closing])
    settings: dict[str, str] = field(default_factory=dict[str, str])
    told: dict[UUID, list[JobNotification]] = field(default_factory=dict[UUID, list[JobNotification]])

    async def alerts(self, state: AlertState, *, before: UUID | None, limit: int) -> Sequence[AlertReading]:
        found = [
            row
            for row in sorted(self.rows, key=lambda row: row.id, reverse=True)
            if (state == "all" or (row.closed_at is None) == (state == "open")) and (before is None or row.id < before)
        ]
        return found[:limit]

    async def report(self, report: Report) -> AlertReading:
        for row in self.rows:
            if (row.kind, row.subject, row.closed_at) == (report.kind, report.subject, None):
                return row
        new = alert(kind=report.kind, subject=report.subject, severity=report.severity, details=dict(report.details))
        self.rows.append(new)
        return new

    async def notifications(self, job_id: UUID) -> Sequence[JobNotification]:
        return self.told.get(job_id, [])

    async def close_alert(self, alert_id: UUID, closing: Closing) -> AlertReading:
        for place, row in enumerate(self.rows):
            if row.id == alert_id:
                if row.closed_at is not None or not row.closed_by_people:
                    raise NotAllowedNow("It is closed already, or closes by itself")
                self.closed.append(closing)
                self.rows[place] = replace(row, closed_at=NOON)
                return self.rows[place]
        raise NotFound("alert", str(alert_id))

    async def stages(self) -> Sequence[StageCount]:
        return self.counts

    async def versions(self) -> Mapping[str, str]:
        return {"postgresql": "18.0"}

    def stories(self, cursors: Cursors) -> OperationStories:
        return OperationStories(ReadAlerts(self, cursors), self, ReadSystem(self, {"python": "3.11"}, self.settings))


def alert(**given: Any) -> AlertReading:
    fields: dict[str, Any] = {
        "id": uuid4(),
        "kind": "duplicate_suspected",
        "subject": "row-1",
        "severity": "critical",
        "details": {"why": "two uuids"},
        "opened_at": NOON,
        "closed_at": None,
    }
    kind = given.get("kind", fields["kind"])
    fields["closed_by_people"] = kind in CLOSED_BY_PEOPLE
    return AlertReading(**{**fields, **given})
