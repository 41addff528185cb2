"""What failed: the calls and their answers."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from pydantic import Field

from client.answers import Answer, Page
from client.connection import Connection, given


class FailedSummary(Answer):
    """`kind`: `invoice` (a failed row) or `record` (of Kafka, that nobody could read)."""

    id: UUID
    kind: str
    at: datetime | None = None
    group: str
    status: str
    reason: str | None = None
    error: str | None = None
    version: int
    invoice_id: str | None = None
    number: str | None = None
    job_id: UUID | None = None
    dossier: str | None = None
    supplier_name: str | None = None
    currency: str | None = None
    amount: Decimal | None = None
    maybe_sent: bool = False
    topic: str | None = None
    partition: int | None = None
    offset: int | None = None
    consumer_group: str | None = None


class DocumentVersion(Answer):
    number: int
    at: datetime
    user_id: UUID | None = None
    reason: str | None = None
    diff: str | None = None


class ReplayedBy(Answer):
    replay_id: UUID
    state: str
    outcome: str | None = None
    at: datetime | None = None


class Failed(FailedSummary):
    body: str
    body_is_base64: bool
    key: str | None = None
    headers: dict[str, str] | None = None
    findings: list[Any] | None = None
    resolution: dict[str, Any] | None = None
    replay_count: int = 0
    replay_of: str | None = None
    versions: list[DocumentVersion] = Field(default_factory=list[DocumentVersion])
    replays: list[ReplayedBy] = Field(default_factory=list[ReplayedBy])


class CauseGroup(Answer):
    """`count` is exact unless `more`."""

    group: str
    kind: str
    reason: str | None = None
    cause: str
    count: int
    more: bool
    first_at: datetime
    last_at: datetime
    example: UUID
    example_error: str | None = None


class CauseGroups(Answer):
    groups: list[CauseGroup]


class Edited(Answer):
    id: UUID
    number: int
    diff: str
    moved_version: int | None = None
    replay_id: UUID | None = None


class Archived(Answer):
    number: int
    at: datetime


class FailureCalls(Connection):
    def failed(
        self, criteria: Mapping[str, Any] | None = None, *, limit: int = 50, cursor: str | None = None
    ) -> Page[FailedSummary]:
        """Newest first. Criteria: kind, group, reason, job_id, dossier, topic, since, until, text, archived."""
        query = given({**(criteria or {}), "limit": limit, "cursor": cursor})
        return self._call("GET", "/api/v1/failed-messages", Page[FailedSummary], params=query)

    def failure_groups(self) -> list[CauseGroup]:
        """By cause; the one that struck last comes first."""
        return self._call("GET", "/api/v1/failed-messages/groups", CauseGroups).groups

    def failure(self, row_id: UUID | str) -> Failed:
        return self._call("GET", f"/api/v1/failed-messages/{row_id}", Failed)

    def edit_failure(
        self,
        row_id: UUID | str,
        *,
        version: int,
        reason: str,
        document: str | None = None,
        document_base64: str | None = None,
        replay: bool = True,
    ) -> Edited:
        """Store a new body, as text or in base64, and let it go again. `version`: of what was looked at."""
        body = given({"document": document, "document_base64": document_base64, "version": version, "reason": reason})
        path = f"/api/v1/failed-messages/{row_id}/document"
        return self._call("PUT", path, Edited, json={**body, "replay": replay})

    def archive_failures(self, selection: Mapping[str, Any], *, reason: str) -> Archived:
        """`selection`: `ids`, or criteria as for `failed`."""
        body = {"selection": dict(selection), "reason": reason}
        return self._call("POST", "/api/v1/failed-messages/archive", Archived, json=body)

    def restore_failures(self, ids: Sequence[UUID | str], *, reason: str) -> Archived:
        body = {"selection": {"ids": [str(row_id) for row_id in ids]}, "reason": reason}
        return self._call("POST", "/api/v1/failed-messages/restore", Archived, json=body)
