"""Invoices in PostgreSQL, read only. No query here touches the document's body."""

from dataclasses import asdict
from typing import Any
from uuid import UUID

from common.db.pool import Database, Row
from gateway.adapters.invoice_selection import LOOKED_AT, look
from gateway.adapters.postgres_audit import write_audit
from gateway.domain.access import Caller, User
from gateway.domain.documents import report
from gateway.domain.exports import Extent, Format
from gateway.domain.invoices import InvoiceFilter, Match, Stretch
from gateway.domain.readings import Attempted, InvoiceDetail, InvoiceSummary, Moved, Twin

MOST_ENTRIES = 500

SUMMARY = (
    "id", "invoice_id", "job_id", "status", "stage", "reason", "dossier", "direction", "kind", "number", "issue_date",
    "supplier", "supplier_name", "customer", "customer_name", "currency", "amount", "created_at", "updated_at",
    "processed_at",
)  # fmt: skip
_PLAIN_DETAILS = ("version", "maybe_sent", "modified_at", "dedupe_key", "generation", "reference",
                  "clearfacts_response", "findings")  # fmt: skip

_COLUMNS = f"{', '.join(SUMMARY)}, error_message"
_KNOWN = "SELECT EXISTS (SELECT FROM invoices WHERE number = $1) OR EXISTS (SELECT FROM invoices WHERE invoice_id = $1)"
_ONE = f"""
SELECT {", ".join(f"i.{name}" for name in (*SUMMARY, *_PLAIN_DETAILS))}, i.error_message, i.wake_at,
    encode(i.content_sha256, 'hex') AS content_sha256, encode(i.raw_sha256, 'hex') AS raw_sha256, i.duplicate_of,
    twin.invoice_id AS twin_invoice_id, twin.number AS twin_number, twin.status AS twin_status, twin.stage AS twin_stage
FROM invoices i LEFT JOIN invoices twin ON twin.id = i.duplicate_of
WHERE i.id = $1
"""
EVENTS = """
SELECT at, version, stage, reason, actor, details FROM invoice_events
WHERE invoice_id = $1 ORDER BY version DESC LIMIT $2
"""
ATTEMPTS = """
SELECT started_at, version, number, reference, lease_until, ended_at, outcome, uuid, response, absent,
    looked_up_at FROM attempts
WHERE invoice_id = $1 ORDER BY number DESC LIMIT $2
"""


class PostgresInvoices:
    """`looked_at`: how many rows one look takes where no index finds the chosen ones."""

    def __init__(self, database: Database, *, looked_at: int = LOOKED_AT) -> None:
        self._database = database
        self._looked_at = looked_at

    async def invoice(self, row_id: UUID) -> InvoiceDetail | None:
        row = await self._database.fetchrow(_ONE, row_id)
        if row is None:
            return None
        events = [read_event(event) for event in await self._database.fetch(EVENTS, row_id, MOST_ENTRIES)]
        attempts = [read_attempt(attempt) for attempt in await self._database.fetch(ATTEMPTS, row_id, MOST_ENTRIES)]
        return InvoiceDetail(
            **summary(row),
            **{name: row[name] for name in _PLAIN_DETAILS},
            next_attempt_at=row["wake_at"],
            content_sha256=row["content_sha256"],
            raw_sha256=row["raw_sha256"],
            duplicate_of=_twin(row),
            attempts=attempts[::-1],
            validation=report(row["findings"], events[::-1]),
            # a claim is a move to `sending` and the attempt that it made, at one instant: the move comes first
            timeline=sorted([*events, *attempts], key=lambda entry: (entry.at, entry.version, entry.kind != "moved")),
        )

    async def stretch(self, chosen: InvoiceFilter, match: Match, *, after: UUID | None, limit: int) -> Stretch:
        rows = await self._look(_COLUMNS, chosen, match, after=after, limit=limit)
        items = [InvoiceSummary(**summary(row)) for row in rows[:limit] if row["id"] is not None]
        return Stretch(items, items[-1].id if len(rows) > limit else rows[0]["edge"])

    async def count(self, chosen: InvoiceFilter, match: Match, *, most: int) -> int:
        """How many there are, `most` at most."""
        found, after = 0, None
        while True:
            rows = await self._look("id", chosen, match, after=after, limit=self._looked_at)
            found += sum(1 for row in rows if row["id"] is not None)
            after = rows[0]["edge"]
            if after is None or found >= most:
                return min(found, most)

    async def note(self, chosen: InvoiceFilter, format_: Format, extent: Extent, user: User, caller: Caller) -> None:
        """In the audit log, with what was asked for."""
        asked = {name: value for name, value in asdict(chosen).items() if value is not None}
        details = {"format": format_.value, "filter": asked, **asdict(extent)}
        async with self._database.transaction() as connection:
            await write_audit(
                connection,
                action="invoices.export",
                user_id=user.id,
                caller=caller,
                resource=("invoices", None),
                details=details,
            )

    async def known(self, text: str) -> bool:
        return bool(await self._database.fetchval(_KNOWN, text))

    async def _look(
        self, columns: str, chosen: InvoiceFilter, match: Match, *, after: UUID | None, limit: int
    ) -> list[Row]:
        sql, values = look(columns, chosen, match, after=after, limit=limit + 1, looked_at=self._looked_at)
        return await self._database.fetch(sql, *values)


def summary(row: Row) -> dict[str, Any]:
    return {name: row[name] for name in SUMMARY} | {"error": row["error_message"]}


def _twin(row: Row) -> Twin | None:
    if row["duplicate_of"] is None or row["twin_invoice_id"] is None:
        return None
    return Twin(
        id=row["duplicate_of"],
        invoice_id=row["twin_invoice_id"],
        number=row["twin_number"],
        status=row["twin_status"],
        stage=row["twin_stage"],
    )


def read_event(row: Row) -> Moved:
    return Moved(**dict(row))


def read_attempt(row: Row) -> Attempted:
    return Attempted(**{name: value for name, value in row.items() if name != "started_at"}, at=row["started_at"])
