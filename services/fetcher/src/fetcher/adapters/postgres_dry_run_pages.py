"""Recording a page of a dry run: rows and keys are read without a lock, only the run's own tables are written."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog

from common.clock import SYSTEM_CLOCK, Clock
from common.contracts.faults import JobErrorCode
from common.db.pool import Connection, Database, Row
from common.errors import RowFault
from common.halves import in_halves
from common.invoice.dry_run import Prospect
from common.invoice.move import Moved
from common.invoice.stage import Stage
from fetcher.adapters.postgres_dry_run_items import NewItem, insert, known, of_row, parked_item
from fetcher.adapters.postgres_keys import Key, holders_of, judge_in_order, key_of
from fetcher.adapters.postgres_pages import KNOWN_ROWS, Plans, distinct
from fetcher.domain import Holder, Listed, SourcePage
from fetcher.planning import Plan
from fetcher.ports import LeasedJob, LeaseLost

log = structlog.get_logger()

MOST_ITEMS = 100_000
"""Of one dry run: a whole archive is no question for one evening."""

# The latest item of a key that would have got it: it stands for the row that a job would have made.
_OWN_HOLDERS = """
SELECT DISTINCT ON (i.dossier, i.dedupe_key) i.dossier, i.dedupe_key, i.id, i.outcome, i.content_sha256, i.generation
FROM unnest($2::text[], $3::text[]) AS t(dossier, dedupe_key)
JOIN dry_run_items i ON i.dry_run_id = $1 AND i.dossier = t.dossier AND i.dedupe_key = t.dedupe_key
ORDER BY i.dossier, i.dedupe_key, i.id DESC
"""

_ADVANCE = """
UPDATE dry_runs SET
    page = page + 1, cursor = $4,
    listed_at = CASE WHEN $5 THEN now() END,
    lease_token = CASE WHEN $5 THEN NULL ELSE lease_token END,
    wake_at = now() + $6, version = version + $5::int, error = $7
WHERE id = $1 AND lease_token = $2 AND page = $3 AND cancelled_at IS NULL AND status = 'running'
RETURNING id
"""


class PostgresDryRunPages:
    def __init__(
        self,
        database: Database,
        plan: Plans,
        *,
        lease: timedelta,
        most: int = MOST_ITEMS,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._database = database
        self._plan = plan
        self._lease = lease
        self._most = most
        self._clock = clock

    async def record(self, job: LeasedJob, page: SourcePage) -> Sequence[Moved]:
        """Write the page's items, then the new cursor; a page that comes again adds nothing. Raises LeaseLost.

        Nothing moved, ever: the answer is empty. An item that the database refuses would be parked.
        """
        items = await self._items(job, distinct(page.items))

        async def write(part: Sequence[NewItem]) -> Sequence[NewItem]:
            await insert(self._database, job, part)
            return part

        async def park(item: NewItem, fault: RowFault) -> Sequence[NewItem]:
            log.warning("dry_run_item_parked", job_id=str(job.id), cause=str(fault)[:200])
            return await write([parked_item(item, fault)])

        await in_halves(items, write, park)
        await self._advance(job, page)
        return ()

    async def unannounced(self, job: LeasedJob) -> Sequence[Moved]:  # noqa: ARG002 - as the port has it
        """Nothing of a dry run is ever announced."""
        return ()

    async def _items(self, job: LeasedJob, items: Sequence[Listed]) -> list[NewItem]:
        rows = await self._known(job, items)
        earlier = [known(self._clock.new_id(), item, rows[key]) for item in items if (key := _name(item)) in rows]
        planned = [(self._clock.new_id(), plan) for plan in await self._planned(items, rows)]
        async with self._database.connection() as connection:
            holders = await self._holders(connection, job.id, planned)
        judged, _ = judge_in_order(planned, holders, force=job.force)
        return earlier + [of_row(row) for row in judged]

    async def _planned(self, items: Sequence[Listed], rows: dict[tuple[str, bytes], UUID]) -> Sequence[Plan]:
        return await self._plan([item for item in items if _name(item) not in rows])

    async def _known(self, job: LeasedJob, items: Sequence[Listed]) -> dict[tuple[str, bytes], UUID]:
        """Rows of the same bytes under the same id; force asks for new ones."""
        if job.force:
            return {}
        columns = [item.source_id for item in items], [item.sha256 for item in items]
        rows = await self._database.fetch(KNOWN_ROWS, *columns, None)
        return {(row["invoice_id"], row["raw_sha256"]): row["id"] for row in rows}

    async def _holders(
        self, connection: Connection, run_id: UUID, planned: Sequence[tuple[UUID, Plan]]
    ) -> dict[Key, Holder]:
        keys = sorted({key for _, plan in planned if (key := key_of(plan)) is not None})
        if not keys:
            return {}
        own = await connection.fetch(_OWN_HOLDERS, run_id, [key[0] for key in keys], [key[1] for key in keys])
        before = await holders_of(connection, keys)
        return before | {(row["dossier"], row["dedupe_key"]): _own(row) for row in own}

    async def _advance(self, job: LeasedJob, page: SourcePage) -> None:
        last, error = page.next_cursor is None, None
        if not last and await self._is_full(job):
            last, error = True, _too_large(self._most)
        columns = page.next_cursor, last, self._lease, error
        if await self._database.fetchval(_ADVANCE, job.id, job.token, job.page, *columns) is None:
            raise LeaseLost(f"dry run {job.id} is worked by somebody else, was cancelled or has ended")
        if error is not None:
            raise LeaseLost(f"dry run {job.id} is too large: {error['message']}")

    async def _is_full(self, job: LeasedJob) -> bool:
        sql = "SELECT count(*) >= $2 FROM (SELECT FROM dry_run_items WHERE dry_run_id = $1 LIMIT $2) first"
        return await self._database.fetchval(sql, job.id, self._most)


def _too_large(most: int) -> dict[str, Any]:
    return {
        "code": JobErrorCode.DRY_RUN_TOO_LARGE,
        "message": f"the source lists more than {most} invoices; ask for some of them by invoice_ids",
        "details": {"limit": most},
    }


def _name(item: Listed) -> tuple[str, bytes]:
    return item.source_id, item.sha256


def _own(row: Row) -> Holder:
    stage = Stage.FAILED if row["outcome"] == Prospect.WOULD_FAIL else Stage.FETCHED
    return Holder(row["id"], stage, False, row["content_sha256"], row["generation"])
