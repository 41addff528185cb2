"""Items of a dry run, as the fetcher leaves them: decided, or open with their document for the validator."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from common.db.pool import Database
from common.errors import RowFault
from common.invoice.dry_run import Prospect
from common.invoice.stage import Reason, Stage
from fetcher.adapters.postgres_rows import NewRow, facts
from fetcher.domain import Listed
from fetcher.planning import Plan, parked
from fetcher.ports import LeasedJob

_OUTCOMES = {
    Stage.FETCHED: Prospect.OPEN,
    Stage.DUPLICATE: Prospect.DUPLICATE,
    Stage.HELD: Prospect.WOULD_WAIT,
    Stage.FAILED: Prospect.WOULD_FAIL,
}


@dataclass(frozen=True, slots=True)
class NewItem:
    """`plan` is None for what an earlier job has listed: nobody has read it again. `twin`: who has its place."""

    id: UUID
    listed: Listed
    outcome: Prospect
    plan: Plan | None = None
    reason: Reason | None = None
    error: str | None = None
    twin: UUID | None = None
    generation: int = 0


# The lock on the run: an item that arrives while it is being ended would stay behind with its document.
_INSERT = """
WITH mine AS (
    SELECT id FROM dry_runs
    WHERE id = $1 AND lease_token = $2 AND cancelled_at IS NULL AND status = 'running' FOR SHARE
)
INSERT INTO dry_run_items (dry_run_id, id, source_id, sha256, outcome, reason, error, twin, document, wake_at, dossier,
    direction, kind, number, issue_date, supplier, supplier_name, customer, customer_name, currency, amount, dedupe_key,
    content_sha256, generation)
SELECT mine.id, t.id, t.source_id, t.sha256, t.outcome, t.reason, t.error, t.twin, t.document,
    CASE WHEN t.outcome = 'open' THEN now() END, t.dossier, t.direction, t.kind, t.number, t.issue_date, t.supplier,
    t.supplier_name, t.customer, t.customer_name, t.currency, t.amount, t.dedupe_key, t.content_sha256, t.generation
FROM mine, unnest($3::uuid[], $4::text[], $5::bytea[], $6::text[], $7::text[], $8::text[], $9::uuid[], $10::bytea[],
    $11::text[], $12::text[], $13::text[], $14::text[], $15::date[], $16::text[], $17::text[], $18::text[], $19::text[],
    $20::text[], $21::numeric[], $22::text[], $23::bytea[], $24::int[])
    AS t(id, source_id, sha256, outcome, reason, error, twin, document, dossier, direction, kind, number, issue_date,
        supplier, supplier_name, customer, customer_name, currency, amount, dedupe_key, content_sha256, generation)
ON CONFLICT (dry_run_id, source_id, sha256) DO NOTHING
"""


async def insert(database: Database, run: LeasedJob, items: Sequence[NewItem]) -> None:
    """Those that are not there yet; none where the lease is lost. Raises RowFault."""
    columns = [list(column) for column in zip(*(_values(item) for item in items), strict=True)]
    await database.execute(_INSERT, run.id, run.token, *columns)


def known(item_id: UUID, listed: Listed, row: UUID) -> NewItem:
    """What an earlier job has listed: a job would count it among its duplicates."""
    return NewItem(item_id, listed, Prospect.KNOWN, twin=row)


def of_row(row: NewRow) -> NewItem:
    """What the row that a job would insert is here."""
    outcome = _OUTCOMES[row.stage]
    return NewItem(
        row.id, row.plan.item, outcome, row.plan, row.reason, row.error, twin=row.holder, generation=row.generation
    )


def parked_item(item: NewItem, fault: RowFault) -> NewItem:
    """In the place of an item that the database refuses: what a job would make of it."""
    plan = parked(item.plan or Plan(item.listed, Stage.FAILED), str(fault))
    return replace(
        item, listed=plan.item, outcome=Prospect.WOULD_FAIL, plan=plan, reason=plan.reason, error=plan.error, twin=None
    )


def _values(item: NewItem) -> tuple[object, ...]:
    plan, is_open = item.plan, item.outcome is Prospect.OPEN
    identity = plan.identity if plan else None
    return (
        item.id,
        item.listed.source_id,
        item.listed.sha256,
        item.outcome.value,
        item.reason.value if item.reason else None,
        item.error,
        item.twin,
        item.listed.document if is_open else None,
        *facts(plan),
        plan.key if plan and is_open else None,  # only these would have taken it
        identity.content_sha256 if identity else None,
        item.generation,
    )
