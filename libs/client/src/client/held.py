"""Held invoices: the calls and their answers."""

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from pydantic import Field

from client.answers import Answer, InvoiceSummary, Page, TimelineEntry
from client.connection import Connection, given


class HeldSummary(InvoiceSummary):
    maybe_sent: bool
    held_since: datetime
    age_seconds: int


class OtherVersion(Answer):
    id: UUID
    invoice_id: str
    number: str | None = None
    status: str
    stage: str
    reason: str | None = None
    issue_date: date | None = None
    currency: str | None = None
    amount: Decimal | None = None
    modified_at: datetime | None = None
    processed_at: datetime | None = None
    uuid: str | None = None


class FieldChange(Answer):
    path: str
    old: str | None = None
    new: str | None = None


class Comparison(Answer):
    changes: list[FieldChange] = Field(default_factory=list[FieldChange])
    more: int = 0
    note: str | None = None


class Choice(Answer):
    resolution: str
    allowed: bool
    why_not: str | None = None
    not_before: datetime | None = None


class Held(HeldSummary):
    version: int
    generation: int = 0
    reference: UUID | None = None
    attempts: list[TimelineEntry] = Field(default_factory=list[TimelineEntry])
    history: list[TimelineEntry] = Field(default_factory=list[TimelineEntry])
    other: OtherVersion | None = None
    difference: Comparison | None = None
    choices: list[Choice] = Field(default_factory=list[Choice])


class Resolved(Answer):
    id: UUID
    resolution: str
    status: str
    stage: str
    reason: str | None = None
    version: int
    replayed: bool = False


class HeldCalls(Connection):
    def held(
        self,
        *,
        reason: str | None = None,
        dossier: str | None = None,
        job_id: UUID | str | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page[HeldSummary]:
        """What waits for a person; the one that was listed first comes first."""
        job = str(job_id) if job_id else None
        query = {"reason": reason, "dossier": dossier, "job_id": job, "limit": limit, "cursor": cursor}
        return self._call("GET", "/api/v1/held", Page[HeldSummary], params=given(query))

    def held_invoice(self, row_id: UUID | str) -> Held:
        return self._call("GET", f"/api/v1/held/{row_id}", Held)

    def resolve_held(
        self,
        row_id: UUID | str,
        resolution: str,
        *,
        reason: str,
        uuid: str | None = None,
        idempotency_key: str | None = None,
    ) -> Resolved:
        """`found` (with the destination's `uuid`), `not_there` or `abandon`. With a key a repetition is safe."""
        body = given({"resolution": resolution, "reason": reason, "uuid": uuid})
        headers = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
        return self._call("POST", f"/api/v1/held/{row_id}/resolve", Resolved, json=body, headers=headers)
