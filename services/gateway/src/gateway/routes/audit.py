"""The audit log. For admins."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, FastAPI, Query
from pydantic import Field

from gateway.admin.audit import ReadAudit
from gateway.domain.access import Permission
from gateway.domain.audit import AuditEntry, AuditFilter
from gateway.domain.readings import Page
from gateway.routes.envelopes import Envelope, Envelopes
from gateway.routes.guard import Guard
from gateway.routes.schemas import Instant, Line, Paging
from gateway.use_cases import Authorize


class AuditQuery(Paging):
    actor: Line | None = Field(default=None, description="a username, exactly")
    action: Line | None = Field(default=None, description="exactly, such as `users.change`")
    resource_type: Line | None = None
    resource_id: UUID | None = None
    since: Instant | None = None
    until: Instant | None = Field(default=None, description="not part of the window itself")

    def chosen(self) -> AuditFilter:
        return AuditFilter(self.actor, self.action, self.resource_type, self.resource_id, self.since, self.until)


def add_audit_routes(api: FastAPI, *, read: ReadAudit, authorize: Authorize, envelopes: Envelopes) -> None:
    reader = Depends(Guard(authorize, Permission.AUDIT_READ))

    @api.get("/api/v1/audit", tags=["audit"], name="list", dependencies=[reader])
    async def entries(query: Annotated[AuditQuery, Query()]) -> Envelope[Page[AuditEntry]]:
        """Who did what, newest first. Entries are never changed or deleted."""
        return envelopes.success(await read(query.chosen(), cursor=query.cursor, limit=query.limit))
