"""The fetcher's adapters on a real database, with documents that are identified in this process."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from time import monotonic
from typing import Any
from uuid import UUID, uuid4

from common.clock import SYSTEM_CLOCK
from common.contracts.events import JobRequested, JobType
from common.db.pool import Database, Row
from common.invoice.move import Moved
from common.invoice.stage import STATUS, Reason, Stage
from fetcher.adapters.postgres_closing import PostgresClosing
from fetcher.adapters.postgres_jobs import PostgresJobs
from fetcher.adapters.postgres_pages import PostgresPages
from fetcher.adapters.postgres_sweeps import FetcherSweeps
from fetcher.domain import Listed, SourcePage, listed
from fetcher.planning import Planner
from fetcher.ports import LeasedJob
from tests.unit.ubl.documents import Document
from ubl.identity import Direction, Identity
from ubl.placing import Ours
from ubl.safe import MalformedDocument
from ubl.work import identify_many

US = "0123456749"
OVERLAP = timedelta(hours=48)


def document(number: str = "INV-7", **parts: Any) -> str:
    """One of our sales."""
    return Document(number=number, **parts).xml().decode()


def item(source_id: str, text: object = None) -> Listed:
    return listed(source_id, None, document(source_id) if text is None else text, b'{"raw":"item"}')


def page(*items: Listed, cursor: str | None = None, following: str | None = None, clock: datetime | None = None
         ) -> SourcePage:  # fmt: skip
    return SourcePage(items, cursor, following, len(items), clock)


async def _identify(documents: Sequence[bytes]) -> Sequence[Identity | MalformedDocument]:
    return identify_many(documents)


async def _who_is_ours() -> Ours:
    return Ours(frozenset({US}), None, Direction.SALE)


@dataclass
class World:
    database: Database
    announced: list[Moved] = field(default_factory=list[Moved])

    def __post_init__(self) -> None:
        lease = timedelta(seconds=15)
        self.plan = Planner(_identify, _who_is_ours)
        self.pages = PostgresPages(self.database, self.plan, lease=lease)
        self.jobs = PostgresJobs(self.database, lease=lease, overlap=OVERLAP, full_listing_every=timedelta(days=7))
        self.closing = PostgresClosing(self.database)
        self.sweeps = FetcherSweeps(self.database, self._announce)

    async def _announce(self, moved: Sequence[Moved]) -> None:
        self.announced += moved

    async def job(self, **request: Any) -> LeasedJob:
        """A job in hand."""
        asked = JobRequested(job_id=uuid4(), job_type=JobType.MANUAL, requested_at=SYSTEM_CLOCK.now(), **request)
        await self.jobs.accept([asked])
        (taken,) = [job for job in await self.jobs.lease(10) if job.id == asked.job_id]
        return taken

    async def forced(self, *ids: str) -> LeasedJob:
        return await self.job(force_processing=True, invoice_ids=ids, reason="a person said so")

    async def record(self, job: LeasedJob, *items: Listed, more: str | None = None) -> list[Moved]:
        """Record one page of `job`, the last one unless there is `more`, in the order of the items."""
        moved = await self.pages.record(job, page(*items, cursor=job.cursor, following=more))
        places = {i.source_id: place for place, i in enumerate(items)}
        return sorted(moved, key=lambda m: (places[m.source_id], m.id))

    async def listing(self, *items: Listed) -> list[Moved]:
        """A whole job of one page."""
        return await self.record(await self.job(), *items)

    async def row(self, row_id: UUID) -> Row:
        row = await self.database.fetchrow("SELECT * FROM invoices WHERE id = $1", row_id)
        assert row is not None
        return row

    async def put(self, row_id: UUID, stage: Stage, reason: Reason | None = None, *, maybe_sent: bool = False) -> int:
        """Where others have brought the row; its new version."""
        return await self.database.fetchval(
            """UPDATE invoices SET stage = $2, status = $3, reason = $4, maybe_sent = $5, version = version + 1
               WHERE id = $1 RETURNING version""",
            row_id, stage.value, STATUS[stage].value, reason and reason.value, maybe_sent,
        )  # fmt: skip

    async def send(self, row_id: UUID, uuid: str | None = "u-1") -> None:
        """The row as an accepted send leaves it."""
        await self.put(row_id, Stage.SENT)
        if uuid:
            await self.accept(row_id, uuid)

    async def accept(self, row_id: UUID, uuid: str) -> None:
        await self.database.execute(
            """INSERT INTO attempts (invoice_id, number, version, reference, lease_until, outcome, uuid)
               SELECT $1, nextval('attempt_number'), 1, coalesce(reference, id), now(), 'accepted', $2
               FROM invoices WHERE id = $1""",
            row_id, uuid,
        )  # fmt: skip

    async def look_again(self, row_id: UUID) -> list[Moved]:
        """What the sweep makes of a held row now."""
        leased = "UPDATE invoices SET version = version + 1 WHERE id = $1 RETURNING version"
        version = await self.database.fetchval(leased, row_id)
        self.announced.clear()
        await self.sweeps.look_again([(row_id, version)])
        return list(self.announced)

    async def holder(self, row_id: UUID) -> tuple[UUID, int]:
        """Who has the key of this row, and its generation."""
        row = await self.database.fetchrow(
            """SELECT k.holder, k.generation FROM invoice_keys k JOIN invoices i USING (dossier, dedupe_key)
               WHERE i.id = $1""",
            row_id,
        )
        assert row is not None
        return row["holder"], row["generation"]

    async def fates(self, job: LeasedJob) -> list[list[str]]:
        rows = await self.database.fetch("SELECT fates FROM job_pages WHERE job_id = $1 ORDER BY page", job.id)
        return [list(row["fates"]) for row in rows]

    async def count(self, table: str = "invoices") -> int:
        return await self.database.fetchval(f"SELECT count(*) FROM {table}")


def after(job: LeasedJob, cursor: str) -> LeasedJob:
    """The job at its next page."""
    return replace(job, page=job.page + 1, cursor=cursor)


async def until(condition: Callable[[], Awaitable[bool]], *, seconds: float = 30.0) -> None:
    deadline = monotonic() + seconds
    while not await condition():
        assert monotonic() < deadline, f"not within {seconds:g} s"
        await asyncio.sleep(0.05)
