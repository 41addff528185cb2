"""What failed: the calls and their answers."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from client.answers import Page
from client.connection import Connection, given
from client.shapes import Archived, CauseGroup, CauseGroups, Edited, Failed, FailedSummary


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
