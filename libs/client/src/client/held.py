"""Held invoices: the calls and their answers."""

from uuid import UUID

from client.answers import Page
from client.connection import Connection, given
from client.shapes import Held, HeldSummary, Resolved


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
