"""Reading the audit log."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from gateway.domain.audit import AuditEntry, AuditFilter
from gateway.domain.cursors import Cursors
from gateway.domain.readings import Page


class AuditLog(Protocol):
    async def entries(
        self, chosen: AuditFilter, *, before: tuple[datetime, UUID] | None, limit: int
    ) -> Sequence[AuditEntry]:
        """Newest first."""
        ...


@dataclass(frozen=True, slots=True)
class ReadAudit:
    audit: AuditLog
    cursors: Cursors

    async def __call__(self, chosen: AuditFilter, *, cursor: str | None, limit: int) -> Page[AuditEntry]:
        """Raises CursorInvalid."""
        bound = {"list": "audit", **asdict(chosen)}
        before = None
        if cursor is not None:
            at, entry_id = self.cursors.open(cursor, bound_to=bound)
            before = (datetime.fromisoformat(at), UUID(entry_id))
        found = await self.audit.entries(chosen, before=before, limit=limit + 1)
        items = list(found[:limit])
        if len(found) <= limit:
            return Page(items, None)
        return Page(items, self.cursors.seal((items[-1].at.isoformat(), str(items[-1].id)), bound_to=bound))
