"""For those who run the system: alerts, what waits where, versions and settings."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, FastAPI, Query
from pydantic import Field, StringConstraints

from gateway.domain.access import Caller, Permission, User
from gateway.domain.operations import (
    AlertReading,
    AlertState,
    Closing,
    JobNotifications,
    Report,
    ReportedKind,
    Severity,
    Stages,
    SystemSettings,
)
from gateway.domain.readings import Page
from gateway.operations import OperationStories
from gateway.routes.envelopes import Envelope, Envelopes
from gateway.routes.guard import FromCaller, Guard, json_only
from gateway.routes.schemas import NO_CONTROLS, Line, Paging, Sent
from gateway.use_cases import Authorize


class AlertQuery(Paging):
    state: AlertState = "open"


Said = Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=NO_CONTROLS)]


class ReportDetails(Sent):
    why: Said = Field(description="what people are told")
    do: Said | None = Field(default=None, description="what they can do about it")


class ReportRequest(Sent):
    kind: ReportedKind
    subject: Line = Field(description="what it is about: one alert of a kind and subject is open at a time")
    severity: Severity = "warning"
    details: ReportDetails

    def report(self, user: User, caller: Caller) -> Report:
        details = self.details.model_dump(exclude_none=True)
        return Report(self.kind, self.subject, self.severity, details, user, caller)


class CloseRequest(Sent):
    reason: Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=NO_CONTROLS)] = Field(
        description="what was done about it, for the audit log"
    )


def add_operation_routes(
    api: FastAPI, *, stories: OperationStories, authorize: Authorize, envelopes: Envelopes
) -> None:
    watcher = Depends(Guard(authorize, Permission.JOBS_READ))
    operator = Depends(Guard(authorize, Permission.SYSTEM_READ))
    _add_alert_routes(api, stories=stories, authorize=authorize, envelopes=envelopes)

    @api.get("/api/v1/jobs/{job_id}/notifications", tags=["jobs"], name="notifications", dependencies=[watcher])
    async def notifications(job_id: UUID) -> Envelope[JobNotifications]:
        """What people were told of a job, oldest first, and whether it arrived; nothing for a job that is not there."""
        return envelopes.success(JobNotifications(list(await stories.operations.notifications(job_id))))

    @api.get("/api/v1/system/stages", tags=["operations"], name="stages", dependencies=[operator])
    async def stages() -> Envelope[Stages]:
        """How many invoices wait at each stage, for what, and since when the oldest."""
        return envelopes.success(await stories.read_system.stages())

    @api.get("/api/v1/system/settings", tags=["operations"], name="settings", dependencies=[operator])
    async def settings() -> Envelope[SystemSettings]:
        """Versions and settings of this gateway, without secrets."""
        return envelopes.success(await stories.read_system.of_this_gateway())


def _add_alert_routes(api: FastAPI, *, stories: OperationStories, authorize: Authorize, envelopes: Envelopes) -> None:
    reader = Depends(Guard(authorize, Permission.ALERTS_READ))
    opener, closer = Guard(authorize, Permission.ALERTS_OPEN), Guard(authorize, Permission.ALERTS_CLOSE)

    @api.get("/api/v1/alerts", tags=["operations"], name="alerts", dependencies=[reader])
    async def alerts(query: Annotated[AlertQuery, Query()]) -> Envelope[Page[AlertReading]]:
        """What asks for a person, newest first; only what is open where `state` says nothing else."""
        return envelopes.success(await stories.read_alerts(query.state, cursor=query.cursor, limit=query.limit))

    @api.post("/api/v1/alerts", tags=["operations"], name="report", dependencies=[Depends(json_only)])
    async def report(
        user: Annotated[User, Depends(opener)], caller: FromCaller, body: ReportRequest
    ) -> Envelope[AlertReading]:
        """Ask for a person. While one of that kind and subject is open, it is answered and nothing is told anew."""
        return envelopes.success(await stories.operations.report(body.report(user, caller)))

    @api.post("/api/v1/alerts/{alert_id}/close", tags=["operations"], dependencies=[Depends(json_only)])
    async def close_alert(
        alert_id: UUID, user: Annotated[User, Depends(closer)], caller: FromCaller, body: CloseRequest
    ) -> Envelope[AlertReading]:
        """Close an alert that somebody dealt with; 409 for one that closes by itself when its cause is over."""
        closing = Closing(body.reason, user, caller)
        return envelopes.success(await stories.operations.close_alert(alert_id, closing))
