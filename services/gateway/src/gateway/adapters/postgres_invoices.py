"""Invoices in PostgreSQL, read only. No query here touches the document's body."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from common.db.pool import Database, Row
from gateway.adapters.conditions import Conditions
from gateway.domain.readings import Attempted, InvoiceDetail, InvoiceFilter, InvoiceSummary, Moved, Twin

MOST_ENTRIES = 500

SUMMARY = (
    "id", "invoice_id", "job_id", "status", "stage", "reason", "dossier", "direction", "kind", "number", "issue_date",
    "supplier", "supplier_name", "customer", "customer_name", "currency", "amount", "created_at", "updated_at",
    "processed_at",
)  # fmt: skip
_PLAIN_DETAILS = ("version", "maybe_sent", "modified_at", "dedupe_key", "generation", "reference",
                  "clearfacts_response", "findings")  # fmt: skip

_LIST = f"SELECT {', '.join(SUMMARY)}, error_message FROM invoices"
# Ids tell the time: the range spares a walk from the newest row back to an old job (measured: 285 ms, then 1.4).
_IN_JOB = """job_id = {}
    AND id >= (SELECT uuidv7_floor(created_at - interval '1 hour') FROM jobs WHERE id = {})
    AND id < (
        SELECT uuidv7_floor(coalesce(listed_at, completed_at, now()) + interval '1 hour') FROM jobs WHERE id = {}
    )"""
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
SELECT started_at, version, number, reference, lease_until, ended_at, outcome, uuid, response FROM attempts
WHERE invoice_id = $1 ORDER BY number DESC LIMIT $2
"""


class PostgresInvoices:
    def __init__(self, database: Database) -> None:
        self._database = database

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
            # a claim is a move to `sending` and the attempt that it made, at one instant: the move comes first
            timeline=sorted([*events, *attempts], key=lambda entry: (entry.at, entry.version, entry.kind != "moved")),
        )

    async def invoices(self, chosen: InvoiceFilter, *, after: UUID | None, limit: int) -> Sequence[InvoiceSummary]:
        where = Conditions()
        for column in ("status", "stage", "number", "invoice_id", "dossier"):
            where.equal(column, getattr(chosen, column))
        if chosen.job_id is not None:
            where.add(_IN_JOB, *[chosen.job_id] * 3)
        if after is not None:
            where.add("id < {}", after)
        rows = await self._database.fetch(f"{_LIST} {where.sql} ORDER BY id DESC LIMIT {limit:d}", *where.values)
        return [InvoiceSummary(**summary(row)) for row in rows]


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
