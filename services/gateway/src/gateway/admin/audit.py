"""Reading the audit log."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from gateway.domain.audit import AuditEntry, AuditFilter
from gateway.domain.cursors import Cursors
from gateway.domain.readings import Page
from gateway.paging import at_and_id, read_at_and_id, read_page


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
        return await read_page(
            self.cursors, bound, cursor, limit,
            ask=lambda before, most: self.audit.entries(chosen, before=before, limit=most),
            place_of=lambda entry: at_and_id(entry.at, entry.id), read_place=read_at_and_id,
        )  # fmt: skip
