"""Inserting rows: the first version of each, with its first event."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from common.db.moves import to_moved
from common.db.pool import Connection
from common.invoice.move import Moved
from common.invoice.stage import OUTCOMES, STATUS, WAKE, Reason, Stage
from fetcher.adapters.postgres_jobs import as_json
from fetcher.planning import Plan
from ubl.identity import reference
from ubl.placing import clip, currency_code


@dataclass(frozen=True, slots=True)
class NewRow:
    """A row to insert: its plan, and what the look at its key made of it."""

    id: UUID
    plan: Plan
    stage: Stage
    reason: Reason | None
    error: str | None
    generation: int = 0
    holder: UUID | None = None


_INSERT = """
WITH new AS (
    INSERT INTO invoices (id, job_id, invoice_id, ubl_data, raw, raw_sha256, modified_at, status, stage, reason,
        error_message, findings, wake_at, processed_at, dossier, direction, kind, number, issue_date, supplier,
        supplier_name, customer, customer_name, currency, amount, dedupe_key, content_sha256, generation, reference,
        duplicate_of)
    SELECT t.id, $1, t.invoice_id, t.ubl_data, t.raw, t.raw_sha256, t.modified_at, t.status, t.stage, t.reason,
        t.error_message, t.findings::jsonb, now() + make_interval(secs => t.wake),
        CASE WHEN t.is_outcome THEN now() END, t.dossier, t.direction, t.kind, t.number, t.issue_date, t.supplier,
        t.supplier_name, t.customer, t.customer_name, t.currency, t.amount, t.dedupe_key, t.content_sha256,
        t.generation, t.reference, t.duplicate_of
    FROM unnest($2::uuid[], $3::text[], $4::text[], $5::bytea[], $6::bytea[], $7::timestamptz[], $8::text[],
        $9::text[], $10::text[], $11::text[], $12::text[], $13::float8[], $14::bool[], $15::text[], $16::text[],
        $17::text[], $18::text[], $19::date[], $20::text[], $21::text[], $22::text[], $23::text[], $24::text[],
        $25::numeric[], $26::text[], $27::bytea[], $28::int[], $29::uuid[], $30::uuid[])
        AS t(id, invoice_id, ubl_data, raw, raw_sha256, modified_at, status, stage, reason, error_message, findings,
            wake, is_outcome, dossier, direction, kind, number, issue_date, supplier, supplier_name, customer,
            customer_name, currency, amount, dedupe_key, content_sha256, generation, reference, duplicate_of)
    RETURNING id, version, stage, reason, job_id, invoice_id, dossier, dedupe_key, generation, content_sha256,
        reference, NULL::bigint AS attempt, NULL::text AS uuid, duplicate_of
),
logged AS (
    INSERT INTO invoice_events (invoice_id, version, stage, reason, actor, details)
    SELECT id, version, stage, reason, $31,
        CASE WHEN duplicate_of IS NOT NULL THEN jsonb_build_object('holder', duplicate_of) END
    FROM new
)
SELECT * FROM new
"""


async def insert(connection: Connection, rows: Sequence[NewRow], *, job_id: UUID, actor: str) -> list[Moved]:
    """Insert `rows` at version 1 and return them as announced."""
    if not rows:
        return []
    columns = [list(column) for column in zip(*(_values(row) for row in rows), strict=True)]
    return [to_moved(row) for row in await connection.fetch(_INSERT, job_id, *columns, actor)]


def facts(plan: Plan | None) -> tuple[object, ...]:
    """Eleven columns, dossier to amount, with what is known of a document; where nobody has read it, nothing is."""
    identity = plan.identity if plan else None
    return (
        plan.dossier if plan else None,
        plan.direction.value if plan and plan.direction else None,
        identity.kind.value if identity else None,
        clip(identity.number) if identity else None,
        identity.issue_date if identity else None,
        clip(identity.supplier.key) if identity else None,
        clip(identity.supplier.name) if identity else None,
        clip(identity.customer.key) if identity else None,
        clip(identity.customer.name) if identity else None,
        currency_code(identity.currency) if identity else None,
        identity.payable_amount if identity else None,
    )


def _values(row: NewRow) -> tuple[object, ...]:
    plan, item, identity = row.plan, row.plan.item, row.plan.identity
    return (
        row.id,
        item.source_id,
        item.text or "",
        None if item.text is not None else item.document,
        item.sha256,
        item.modified_at,
        STATUS[row.stage].value,
        row.stage.value,
        row.reason.value if row.reason else None,
        row.error,
        as_json(plan.findings) if plan.findings else None,
        _wake(row).total_seconds(),
        row.stage in OUTCOMES,
        *facts(plan),
        plan.key,
        identity.content_sha256 if identity else None,
        row.generation,
        _reference(row),
        row.holder,
    )


def _wake(row: NewRow) -> timedelta:
    # The other version is usually sent within seconds: then this row's reason is another one.
    return timedelta(seconds=2) if row.reason is Reason.CONFLICTING_VERSION else WAKE[row.stage]


def _reference(row: NewRow) -> UUID | None:
    plan = row.plan
    if plan.dossier is None or plan.key is None or plan.identity is None:
        return None
    return reference(plan.dossier, plan.key, row.generation, plan.identity.content_sha256)
