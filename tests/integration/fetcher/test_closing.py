"""Ending jobs: the balance proof and what breaks it, the results, the closer, cancelling."""

import asyncio
from collections.abc import Awaitable, Callable
from uuid import UUID

import pytest

from common.contracts.events import JobEvent, JobEventKind
from common.db.pool import Row
from common.invoice.stage import Reason, Stage
from fetcher.ports import LeasedJob, LeaseLost
from tests.integration.fetcher.world import World, after, document, item
from tests.unit.ubl.documents import party

pytestmark = pytest.mark.stack

Break = Callable[[World, LeasedJob], Awaitable[object]]


async def ended(world: World, job: LeasedJob) -> Row:
    assert job.id in await world.closing.finished()
    assert await world.closing.end(job.id) is not None
    row = await world.database.fetchrow("SELECT * FROM jobs WHERE id = $1", job.id)
    assert row is not None
    return row


async def a_whole_job(world: World) -> LeasedJob:
    """Three pages with one of everything, as it stands when all of it is over."""
    await world.listing(item("known"))
    job = await world.job()
    await world.record(job, item("a-1"), item("known"), item("bad", "<"), more="c1")
    await world.record(after(job, "c1"), item("a-1"), item("twin", document("a-1")), item("a-2"), more="c2")
    last = after(after(job, "c1"), "c2")
    await world.record(last, item("a-3"), item("stranger", document("N", supplier=party("0403170701"))))
    for row in await world.database.fetch("SELECT id, invoice_id FROM invoices WHERE invoice_id IN ('a-1', 'a-2')"):
        await world.send(row["id"], f"uuid-{row['invoice_id']}")
    (refused,) = await world.database.fetch("SELECT id FROM invoices WHERE invoice_id = 'a-3'")
    await world.put(refused["id"], Stage.FAILED, Reason.REFUSED)
    return job


async def test_a_job_that_adds_up_completes_with_its_results(world: World) -> None:
    row = await ended(world, await a_whole_job(world))
    assert (row["status"], row["error"], row["error_message"]) == ("completed", None, None)
    assert row["completed_at"] is not None
    assert row["results"] == {
        "total_invoices": 7,
        "processed": 2,
        "failed": 3,
        "duplicates": 2,
        "held": 0,
        "open": 0,
        "amounts": {
            "sent": {"EUR": "242.00"},
            "failed": {"EUR": "242.00"},
            "duplicate": {"EUR": "121.00"},
            "held": {},
        },
    }


def sql(statement: str) -> Break:
    async def run(world: World, job: LeasedJob) -> object:
        return await world.database.execute(statement.replace(":job", f"'{job.id}'"))

    return run


def without(place: int, number: int) -> Break:
    """Take one item from a page, out of all arrays alike."""
    arrays = ("source_ids", "raw_sha256", "fates", "invoices")
    cut = ", ".join(f"{a} = {a}[:{place - 1}] || {a}[{place + 1}:]" for a in arrays)
    return sql(f"UPDATE job_pages SET {cut} WHERE job_id = :job AND page = {number}")


async def two_acceptances(world: World, job: LeasedJob) -> None:
    await world.accept(await one(world, "a-1"), "another uuid")


async def acceptance_of_a_failed_one(world: World, job: LeasedJob) -> None:
    await world.accept(await one(world, "a-3"), "uuid-a-3")


async def sent_by_hand(world: World, job: LeasedJob) -> None:
    await world.put(await one(world, "a-3"), Stage.SENT)


async def sent_by_hand_and_unclear(world: World, job: LeasedJob) -> None:
    await world.put(await one(world, "a-3"), Stage.SENT, maybe_sent=True)


async def one(world: World, source_id: str) -> UUID:
    return await world.database.fetchval("SELECT id FROM invoices WHERE invoice_id = $1", source_id)


BROKEN: dict[str, tuple[Break, str]] = {
    "a new id is dropped from a page": (without(1, 0), "1 rows are on no page"),
    "a known id is dropped with its page's count": (
        sql("UPDATE job_pages SET fates[2] = 'repeated' WHERE job_id = :job AND page = 0"),
        "7 listed but 6 in buckets",
    ),
    "a new id is told as listed before": (
        sql("UPDATE job_pages SET fates[3] = 'repeated' WHERE job_id = :job AND page = 0"),
        "1 rows are on no page",
    ),
    "an id without a fate": (
        sql("UPDATE job_pages SET fates[1] = NULL WHERE job_id = :job AND page = 2"),
        "1 listed items have no fate",
    ),
    "an id more than there are fates": (
        sql("UPDATE job_pages SET source_ids = source_ids || 'lost'::text WHERE job_id = :job AND page = 2"),
        "1 listed items have no fate",
    ),
    "a row is gone": (sql("DELETE FROM invoices WHERE invoice_id = 'a-2'"), "1 listed items have no row"),
    "a known row is gone": (sql("DELETE FROM invoices WHERE invoice_id = 'known'"), "1 listed items have no row"),
    "the first page is gone": (sql("DELETE FROM job_pages WHERE job_id = :job AND page = 0"), "pages do not follow"),
    "a middle page is gone": (sql("DELETE FROM job_pages WHERE job_id = :job AND page = 1"), "pages do not follow"),
    "the last page is gone": (sql("DELETE FROM job_pages WHERE job_id = :job AND page = 2"), "pages do not follow"),
    "a row from nowhere": (
        sql("INSERT INTO invoices (job_id, invoice_id, ubl_data, status, stage, raw_sha256) "
            "VALUES (:job, 'ghost', '', 'failed', 'failed', '')"),
        "1 rows are on no page",
    ),
    "sent without an accepted attempt": (sent_by_hand, "1 sent without an acceptance"),
    "sent without an accepted attempt, but unclear": (sent_by_hand_and_unclear, "1 sent without an acceptance"),
    "accepted but failed": (acceptance_of_a_failed_one, "1 accepted but not sent"),
    "accepted under two uuids": (two_acceptances, "1 accepted more than once"),
}  # fmt: skip


@pytest.mark.parametrize("what", BROKEN)
async def test_a_broken_balance_fails_the_job_and_is_named(world: World, what: str) -> None:
    breaks, text = BROKEN[what]
    job = await a_whole_job(world)
    await breaks(world, job)
    row = await ended(world, job)
    assert row["status"] == "failed"
    assert row["error_message"].startswith("balance broken: ")
    assert text in row["error_message"]
    assert row["error"]["code"] == "BALANCE_BROKEN"
    assert row["error"]["message"] == row["error_message"]


async def test_a_page_that_made_no_row_is_missed_too(world: World) -> None:
    await world.listing(item("known"))
    job = await world.job()
    await world.record(job, item("known"))
    await world.database.execute("DELETE FROM job_pages WHERE job_id = $1", job.id)
    assert (await ended(world, job))["error_message"] == "balance broken: 1 pages do not follow the page before"


async def test_an_accepted_row_that_still_waits_for_evidence_is_no_contradiction(world: World) -> None:
    """Held with `maybe_sent`: the acceptance is known, the row's own end is a person's."""
    job = await a_whole_job(world)
    refused = await one(world, "a-3")
    await world.put(refused, Stage.HELD, Reason.UNKNOWN_OUTCOME, maybe_sent=True)
    await world.accept(refused, "uuid-late")
    assert (await ended(world, job))["status"] == "completed"


async def test_an_empty_listing_completes_with_zeros(world: World) -> None:
    job = await world.job()
    await world.record(job)
    row = await ended(world, job)
    assert (row["status"], row["results"]["total_invoices"]) == ("completed", 0)


async def test_a_job_with_an_open_row_or_an_incomplete_listing_is_not_ended(world: World) -> None:
    job = await world.job()
    await world.record(job, item("s-1"), more="c")
    assert await world.closing.finished() == []
    assert await world.closing.end(job.id) is None
    await world.record(after(job, "c"))
    assert await world.closing.finished() == []
    assert await world.closing.end(job.id) is None
    assert await world.database.fetchval("SELECT status FROM jobs") == "running"
    await world.closing.write_results(job.id)
    results = await world.database.fetchval("SELECT results FROM jobs")
    assert (results["open"], results["total_invoices"], results["amounts"]["sent"]) == (1, 1, {})


@pytest.mark.parametrize("end", [Stage.SENT, Stage.FAILED])
async def test_a_job_waits_for_a_conflict_whose_holder_has_ended_to_be_judged_again(world: World, end: Stage) -> None:
    (first,) = await world.listing(item("s-1", document("INV-7")))
    job = await world.job()
    (second,) = await world.record(job, item("s-2", document("INV-7", inclusive="9.00", payable="9.00")))
    assert job.id in await world.closing.finished()  # the holder is on its way: this may take long
    await world.put(first.id, end, Reason.REFUSED if end is Stage.FAILED else None)
    assert job.id not in await world.closing.finished()
    assert len(await world.look_again(second.id)) == 1
    assert (job.id in await world.closing.finished()) == (end is Stage.SENT)


async def test_of_two_closers_at_once_one_ends_the_job(world: World) -> None:
    for turn in range(10):
        job = await world.job()
        await world.record(job, item(f"s-{turn}", "<"))
        ends = await asyncio.gather(*(world.closing.end(job.id) for _ in range(3)), return_exceptions=True)
        assert sum(isinstance(end, JobEvent) for end in ends) == 1, ends
        assert await world.closing.end(job.id) is None


async def test_results_of_an_ended_job_are_never_written_again(world: World) -> None:
    job = await a_whole_job(world)
    before = (await ended(world, job))["results"]
    await world.put(await one(world, "a-3"), Stage.SENT)
    await world.closing.write_results(job.id)
    assert await world.database.fetchval("SELECT results FROM jobs WHERE id = $1", job.id) == before


async def test_an_end_that_nobody_heard_is_due_again_until_somebody_has(world: World) -> None:
    job = await world.job()
    await world.record(job)
    event = await world.closing.end(job.id)
    assert event is not None
    assert await world.closing.unannounced() == []  # not before its time
    await world.database.execute("UPDATE jobs SET wake_at = now()")
    assert await world.closing.unannounced() == [event]
    await world.database.execute("UPDATE jobs SET wake_at = now()")
    await world.closing.announced([event.model_copy(update={"version": 1})])
    assert await world.closing.unannounced() == [event]
    await world.closing.announced([event])
    await world.database.execute("UPDATE jobs SET wake_at = wake_at - interval '1 h'")
    assert await world.closing.unannounced() == []


async def test_a_cancelled_job_fails_what_is_open_and_ends_once_nothing_is(world: World) -> None:
    job = await world.job()
    moved = await world.record(job, item("new"), item("checked"), item("sending"), item("bad", "<"), more="c")
    ids = {m.source_id: m.id for m in moved}
    await world.put(ids["checked"], Stage.VALIDATED)
    await world.put(ids["sending"], Stage.SENDING)
    await world.database.execute("UPDATE jobs SET cancelled_at = now()")
    with pytest.raises(LeaseLost):
        await world.record(after(job, "c"), item("more"))
    cancelled = await world.closing.cancel_open()
    assert {(m.source_id, m.stage, m.reason) for m in cancelled} == {
        ("new", Stage.FAILED, "cancelled"),
        ("checked", Stage.FAILED, "cancelled"),
    }
    assert await world.closing.cancel_open() == []
    assert await world.closing.finished() == []
    await world.send(ids["sending"])
    row = await ended(world, job)
    assert (row["status"], row["error_message"], row["error"]["code"]) == ("failed", "cancelled", "CANCELLED")
    assert (row["results"]["processed"], row["results"]["failed"], row["results"]["open"]) == (1, 3, 0)
    events = "SELECT reason, actor FROM invoice_events WHERE invoice_id = $1 AND version = 2"
    event = await world.database.fetchrow(events, ids["new"])
    assert event is not None
    assert tuple(event) == ("cancelled", "fetcher")


async def test_a_job_cancelled_before_anybody_took_it_ends_as_failed(world: World) -> None:
    job = await world.job()
    await world.database.execute("UPDATE jobs SET status = 'pending', cancelled_at = now(), wake_at = now()")
    assert await world.jobs.lease(10) == []
    event = await world.closing.end(job.id)
    assert event is not None
    assert event.kind is JobEventKind.FAILED


async def test_the_rows_of_a_job_that_was_not_cancelled_stay(world: World) -> None:
    await world.listing(item("s-1"))
    assert await world.closing.cancel_open() == []
