"""Recording a page: what was listed, the rows it makes, the job's cursor; all or nothing."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from common.errors import ClearfactsError
from common.invoice.move import Moved
from common.invoice.stage import Reason, Stage
from fetcher.adapters.postgres_pages import Known, PostgresPages
from fetcher.domain import SourcePage
from fetcher.planning import Plan
from fetcher.ports import LeasedJob, LeaseLost
from tests.integration.fetcher.world import US, World, after, document, item, page

pytestmark = pytest.mark.stack


async def test_a_new_document_is_one_row_with_its_identity_its_event_and_its_place_on_the_page(world: World) -> None:
    job = await world.job()
    (moved,) = await world.record(job, item("s-1"))
    row = await world.row(moved.id)
    assert (row["stage"], row["status"], row["version"], row["job_id"]) == ("fetched", "pending", 1, job.id)
    assert (row["invoice_id"], row["number"], str(row["amount"]), row["currency"]) == ("s-1", "s-1", "121.00", "EUR")
    assert row["ubl_data"] == document("s-1")
    assert row["wake_at"] is not None
    assert row["reference"] == moved.reference
    event = await world.database.fetchrow(
        "SELECT version, stage, actor FROM invoice_events WHERE invoice_id = $1", moved.id
    )
    assert event is not None
    assert tuple(event) == (1, "fetched", "fetcher")
    stored = await world.database.fetchrow("SELECT * FROM job_pages")
    assert stored is not None
    assert (stored["source_ids"], stored["fates"], stored["invoices"]) == (["s-1"], ["new"], [moved.id])
    assert stored["raw_sha256"] == [item("s-1").sha256]


async def test_a_document_known_from_an_earlier_job_makes_no_row_and_points_at_its_own(world: World) -> None:
    (first,) = await world.listing(item("s-1"))
    job = await world.job()
    assert await world.record(job, item("s-1"), item("s-2")) != []
    assert await world.fates(job) == [["known", "new"]]
    assert await world.database.fetchval("SELECT invoices[1] FROM job_pages WHERE job_id = $1", job.id) == first.id
    assert await world.count() == 2


async def test_the_same_item_twice_on_a_page_is_one_row(world: World) -> None:
    job = await world.job()
    assert len(await world.record(job, item("s-1"), item("s-1"))) == 1
    assert await world.fates(job) == [["new", "repeated"]]


async def test_the_same_id_with_two_documents_on_a_page_is_two_rows(world: World) -> None:
    job = await world.job()
    moved = await world.record(job, item("s-1"), item("s-1", document("s-1", payable="120.00", inclusive="120.00")))
    assert [(m.stage, m.reason) for m in moved] == [
        (Stage.FETCHED, None),
        (Stage.HELD, Reason.CONFLICTING_VERSION),
    ]
    assert await world.fates(job) == [["new", "new"]]


async def test_an_item_that_comes_again_on_a_later_page_is_counted_once(world: World) -> None:
    await world.listing(item("old"))
    job = await world.job()
    await world.record(job, item("s-1"), item("old"), more="c")
    await world.record(after(job, "c"), item("s-1"), item("old"), item("s-2"))
    assert await world.fates(job) == [["new", "known"], ["repeated", "known", "new"]]
    assert (await world.closing.end(job.id)) is None
    for row in await world.database.fetch("SELECT id FROM invoices WHERE job_id = $1", job.id):
        await world.send(row["id"], f"u-{row['id']}")
    await world.closing.end(job.id)
    ended = await world.database.fetchrow("SELECT status, results FROM jobs WHERE id = $1", job.id)
    assert ended is not None
    assert (ended["status"], ended["results"]["total_invoices"], ended["results"]["duplicates"]) == ("completed", 3, 1)


async def test_the_last_page_completes_the_listing_and_gives_the_lease_back(world: World) -> None:
    job = await world.job()
    await world.record(job, item("s-1"), more="c")
    standing = await world.database.fetchrow("SELECT page, cursor, listed_at, lease_token FROM jobs")
    assert standing is not None
    assert tuple(standing) == (1, "c", None, job.token)
    await world.record(after(job, "c"))
    done = await world.database.fetchrow("SELECT page, cursor, listed_at IS NOT NULL, lease_token, wake_at FROM jobs")
    assert done is not None
    assert tuple(done) == (2, None, True, None, None)


@pytest.mark.parametrize("change", ["token", "page", "cancelled"])
async def test_whoever_has_no_lease_on_this_page_writes_nothing(world: World, change: str) -> None:
    job = await world.job()
    await world.record(job, item("s-1"), more="c")
    stale = after(job, "c")
    if change == "token":
        stale = replace(stale, token=uuid4())
    elif change == "page":
        stale = replace(stale, page=0)
    else:
        await world.database.execute("UPDATE jobs SET cancelled_at = now()")
    with pytest.raises(LeaseLost):
        await world.record(stale, item("s-2"))
    assert (await world.count(), await world.count("job_pages"), await world.count("invoice_keys")) == (1, 1, 1)
    assert await world.count("invoice_events") == 1


async def test_two_fetchers_on_the_same_page_at_once_one_wins_and_the_other_writes_nothing(world: World) -> None:
    for turn in range(20):
        job = await world.job()
        items = [item(f"{turn}-{n}") for n in range(20)]
        results = await asyncio.gather(
            *(world.pages.record(job, page(*items, following="c")) for _ in range(2)), return_exceptions=True
        )
        lost = [result for result in results if isinstance(result, BaseException)]
        assert [type(error) for error in lost] == [LeaseLost]
        (won,) = [result for result in results if not isinstance(result, BaseException)]
        rows = await world.database.fetch("SELECT id FROM invoices WHERE job_id = $1", job.id)
        assert {row["id"] for row in rows} == {m.id for m in won}
        assert await world.fates(job) == [["new"] * 20]
        await world.database.execute("UPDATE jobs SET wake_at = NULL")


async def test_the_rows_of_the_last_page_are_found_again_while_nobody_moved_or_heard_them(world: World) -> None:
    await world.listing(item("known"))
    job = await world.job()
    await world.record(job, item("early"), more="a")
    moved = await world.record(
        after(job, "a"),
        item("known"),
        item("waiting"),
        item("moved"),
        item("heard", "<broken"),
        item("told", "<"),
        more="b",
    )
    by_id = {m.source_id: m for m in moved}
    await world.put(by_id["moved"].id, Stage.VALIDATED)
    await world.database.execute("UPDATE invoices SET wake_at = NULL WHERE id = $1", by_id["heard"].id)
    again = await world.pages.unannounced(replace(job, page=2, cursor="b"))
    assert {m.source_id for m in again} == {"waiting", "told"}
    assert by_id["waiting"] in again


async def test_a_database_that_is_gone_in_the_middle_leaves_nothing(world: World, database_url: str) -> None:
    job = await world.job()
    blocker = await world.database.fetchval("SELECT pg_backend_pid()")
    assert blocker
    async with world.database.transaction() as connection:
        await connection.execute("LOCK TABLE job_pages IN ACCESS EXCLUSIVE MODE")
        recording = asyncio.ensure_future(world.record(job, item("s-1")))
        query = "SELECT pid FROM pg_locks WHERE NOT granted AND relation = 'job_pages'::regclass"
        while (waiting := await connection.fetchval(query)) is None:
            await asyncio.sleep(0.01)
        await connection.execute("SELECT pg_terminate_backend($1)", waiting)
        with pytest.raises(ClearfactsError):
            await recording
    assert (await world.count(), await world.count("invoice_keys"), await world.count("job_pages")) == (0, 0, 0)
    assert len(await world.record(job, item("s-1"))) == 1


class Counting(PostgresPages):
    """Counts the transactions: a deadlock would have cost one more."""

    writes = 0

    async def _write(self, job: LeasedJob, page: SourcePage, known: Known, plans: Sequence[Plan]) -> Sequence[Moved]:
        self.writes += 1
        return await super()._write(job, page, known, plans)


async def test_two_jobs_that_bring_the_same_documents_at_once_never_block_each_other_for_good(world: World) -> None:
    """Many rounds: the same keys in opposite orders, some new, some with a holder; not one deadlock."""
    pages = Counting(world.database, world.plan, lease=timedelta(seconds=15))
    for turn in range(25):
        one, two = await world.job(), await world.job()
        items = [item(f"{turn}-{n}") for n in range(30)]
        others = [item(f"{turn}-{n}-other-id", document(f"{turn}-{n}")) for n in reversed(range(30))]
        await world.listing(*items[:5])
        results = await asyncio.gather(
            pages.record(one, page(*items[5:], following="c")),
            pages.record(two, page(*others, following="c")),
        )
        fetched = [m for moved in results for m in moved if m.stage is Stage.FETCHED]
        assert len(fetched) == 25
        assert all(m.stage in {Stage.FETCHED, Stage.DUPLICATE} for moved in results for m in moved)
        await world.database.execute("UPDATE jobs SET wake_at = NULL")
    keys = await world.database.fetchval(
        """SELECT count(*) FROM invoice_keys k JOIN invoices i ON i.id = k.holder
           WHERE i.stage = 'fetched' AND i.dedupe_key = k.dedupe_key AND i.dossier = k.dossier"""
    )
    assert keys == await world.count("invoice_keys") == 25 * 30
    duplicates = await world.database.fetchval(
        """SELECT count(*) FROM invoices d JOIN invoices h ON h.id = d.duplicate_of AND h.dedupe_key = d.dedupe_key
           WHERE d.stage = 'duplicate' AND h.stage = 'fetched'"""
    )
    assert duplicates == 25 * 30
    assert pages.writes == 2 * 25


async def test_keys_are_taken_in_one_order_whatever_the_order_on_the_page(world: World) -> None:
    """Two pages with the same keys in opposite orders, both stopped in the middle: else they would deadlock."""
    pages = Counting(world.database, world.plan, lease=timedelta(seconds=15))
    for turn in range(6):
        a, z = f"{turn}-a", f"{turn}-z"
        jobs = [await world.job(), await world.job()]
        async with world.database.transaction() as connection:
            in_the_way = connection.transaction()
            await in_the_way.start()
            for number in (a, z):
                key = f"{US}|SALE|{US}|0987654394|380|{number}|2026"
                await connection.execute("INSERT INTO invoice_keys VALUES ($1, $2, $3, 0)", US, key, uuid4())
            recordings = [
                asyncio.ensure_future(pages.record(jobs[0], page(item(a), item(z)))),
                asyncio.ensure_future(
                    pages.record(jobs[1], page(item(f"{z}-2", document(z)), item(f"{a}-2", document(a))))
                ),
            ]
            waiting = "SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted"
            while await connection.fetchval(waiting) < len(recordings):
                await asyncio.sleep(0.01)
            await in_the_way.rollback()
        stages = sorted(m.stage for moved in await asyncio.gather(*recordings) for m in moved)
        assert stages == ["duplicate", "duplicate", "fetched", "fetched"]
    assert pages.writes == 2 * 6
