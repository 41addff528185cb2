"""Recording a page: one transaction that writes what was listed, the rows it makes and the job's new cursor."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

import structlog

from common.clock import SYSTEM_CLOCK, Clock
from common.db.moves import OUTCOME_COLUMNS, to_moved
from common.db.pool import Connection, Database
from common.errors import Deadlock, RowFault
from common.halves import in_halves
from common.invoice.move import Moved
from fetcher.adapters.postgres_keys import resolve
from fetcher.adapters.postgres_rows import NewRow, insert
from fetcher.domain import Fate, Listed, SourcePage
from fetcher.planning import Plan, parked
from fetcher.ports import LeasedJob, LeaseLost

log = structlog.get_logger()

KNOWN_ROWS = """
SELECT DISTINCT ON (i.invoice_id, i.raw_sha256) i.invoice_id, i.raw_sha256, i.id, i.job_id
FROM unnest($1::text[], $2::bytea[]) AS t(source_id, sha256)
JOIN invoices i ON i.invoice_id = t.source_id AND i.raw_sha256 = t.sha256
WHERE i.reason IS DISTINCT FROM 'cancelled' AND ($3::uuid IS NULL OR i.job_id = $3)
ORDER BY i.invoice_id, i.raw_sha256, i.id DESC
"""

_PAGE = """
INSERT INTO job_pages (job_id, page, cursor, next_cursor, source_total, source_ids, raw_sha256, fates, invoices)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""

_ADVANCE = """
UPDATE jobs SET
    page = page + 1, cursor = $4, source_clock = coalesce(source_clock, $5), updated_at = now(),
    listed_at = CASE WHEN $6 THEN now() END,
    lease_token = CASE WHEN $6 THEN NULL ELSE lease_token END,
    wake_at = CASE WHEN $6 THEN NULL ELSE now() + $7 END,
    version = version + $6::int
WHERE id = $1 AND lease_token = $2 AND page = $3 AND cancelled_at IS NULL
RETURNING source_clock, since, invoice_ids, created_at
"""

_WATERMARK = """
INSERT INTO watermarks (source, modified_since, full_listing_at, job_id) VALUES ('backend', $1, now(), $2)
ON CONFLICT (source) DO UPDATE SET
    modified_since = CASE WHEN $3 THEN excluded.modified_since
        ELSE greatest(watermarks.modified_since, excluded.modified_since) END,
    job_id = excluded.job_id,
    full_listing_at = CASE WHEN $3 THEN now() ELSE watermarks.full_listing_at END, updated_at = now()
"""

Known = dict[tuple[str, bytes], tuple[UUID, UUID | None]]
"""(source id, hash) -> (row, its job)"""


class _Probed(Exception):
    """Ends a transaction that was only to see whether the database takes the rows."""


class Plans(Protocol):
    async def __call__(self, items: Sequence[Listed]) -> list[Plan]: ...


class PostgresPages:
    def __init__(self, database: Database, plan: Plans, *, lease: timedelta, clock: Clock = SYSTEM_CLOCK) -> None:
        self._database = database
        self._plan = plan
        self._lease = lease
        self._clock = clock

    async def record(self, job: LeasedJob, page: SourcePage) -> Sequence[Moved]:
        """Write the page, its rows and the job's new cursor. Raises LeaseLost (and nothing was written).

        An item that the database refuses is parked; the others go on.
        """
        known = await self._known(job, page.items)
        fresh = distinct(item for item in page.items if (item.source_id, item.sha256) not in known)
        plans = await self._plan(fresh)
        try:
            return await self._write(job, page, known, plans)
        except Deadlock:
            return await self._write(job, page, known, plans)
        except RowFault:
            return await self._write(job, page, known, await self._park_refused(job, plans))

    async def _write(self, job: LeasedJob, page: SourcePage, known: Known, plans: Sequence[Plan]) -> Sequence[Moved]:
        async with self._database.transaction() as connection:
            rows, moved = await self._insert(connection, job, plans)
            await self._advance(connection, job, page)  # rows first, then jobs: the order of all locks
            await self._write_page(connection, job, page, known, rows)
        return moved

    async def _insert(
        self, connection: Connection, job: LeasedJob, plans: Sequence[Plan]
    ) -> tuple[list[NewRow], list[Moved]]:
        rows = await resolve(connection, [(self._clock.new_id(), plan) for plan in plans], force=job.force)
        return rows, await insert(connection, rows, job_id=job.id, actor="fetcher")

    async def _park_refused(self, job: LeasedJob, plans: Sequence[Plan]) -> list[Plan]:
        """The plans, with those that the database refuses found by halving and replaced."""

        async def probe(part: Sequence[Plan]) -> Sequence[Plan]:
            with suppress(_Probed):
                async with self._database.transaction() as connection:
                    await self._insert(connection, job, part)
                    raise _Probed
            return part

        async def park(plan: Plan, fault: RowFault) -> Sequence[Plan]:
            log.error("row_parked", job_id=str(job.id), source_id=plan.item.source_id, cause=str(fault)[:200])
            return [parked(plan, str(fault))]

        return await in_halves(plans, probe, park)

    async def unannounced(self, job: LeasedJob) -> Sequence[Moved]:
        """The rows of the job's last page that nobody has moved: a killed fetcher may not have announced them."""
        rows = await self._database.fetch(
            f"""SELECT {OUTCOME_COLUMNS} FROM job_pages p JOIN invoices i ON i.id = ANY(p.invoices)
                WHERE p.job_id = $1 AND p.page = $2 AND i.job_id = $1 AND i.version = 1 AND i.wake_at IS NOT NULL""",
            job.id,
            job.page - 1,
        )
        return [to_moved(row) for row in rows]

    async def _known(self, job: LeasedJob, items: Sequence[Listed]) -> Known:
        """Rows of the same bytes under the same id; force asks for new ones, but once in a job."""
        columns = [item.source_id for item in items], [item.sha256 for item in items]
        rows = await self._database.fetch(KNOWN_ROWS, *columns, job.id if job.force else None)
        return {(row["invoice_id"], row["raw_sha256"]): (row["id"], row["job_id"]) for row in rows}

    async def _write_page(
        self, connection: Connection, job: LeasedJob, page: SourcePage, known: Known, rows: Sequence[NewRow]
    ) -> None:
        made = {(row.plan.item.source_id, row.plan.item.sha256): row.id for row in rows}
        fates: list[tuple[Fate, UUID]] = []
        seen: set[UUID] = set()
        for item in page.items:
            fates.append(_fate(item, job.id, known, made, seen))
            seen.add(fates[-1][1])
        await connection.execute(
            _PAGE,
            job.id,
            job.page,
            page.cursor,
            page.next_cursor,
            page.total,
            [item.source_id for item in page.items],
            [item.sha256 for item in page.items],
            [fate.value for fate, _ in fates],
            [row for _, row in fates],
        )

    async def _advance(self, connection: Connection, job: LeasedJob, page: SourcePage) -> None:
        last = page.next_cursor is None
        row = await connection.fetchrow(
            _ADVANCE, job.id, job.token, job.page, page.next_cursor, page.source_clock, last, self._lease
        )
        if row is None:
            raise LeaseLost(f"job {job.id} is worked by somebody else or was cancelled")
        clock: datetime | None = row["source_clock"]
        if last and row["invoice_ids"] is None and clock is not None:
            await connection.execute(_WATERMARK, clock, job.id, row["since"] is None)


def _fate(
    item: Listed, job_id: UUID, known: Known, made: dict[tuple[str, bytes], UUID], seen: set[UUID]
) -> tuple[Fate, UUID]:
    key = (item.source_id, item.sha256)
    if key in known:
        row, its_job = known[key]
        return (Fate.REPEATED if its_job == job_id or row in seen else Fate.KNOWN), row
    return (Fate.REPEATED if made[key] in seen else Fate.NEW), made[key]


def distinct(items: Iterable[Listed]) -> list[Listed]:
    """Each source id and hash once, in order."""
    first: dict[tuple[str, bytes], Listed] = {}
    for item in items:
        first.setdefault((item.source_id, item.sha256), item)
    return list(first.values())
