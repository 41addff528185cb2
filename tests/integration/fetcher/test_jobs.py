"""Jobs: rows from events, leases, the watermark."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from common.clock import SYSTEM_CLOCK
from common.contracts.events import JobRequested, JobType
from fetcher.ports import LeasedJob
from tests.integration.fetcher.world import OVERLAP, World, after, item, page

pytestmark = pytest.mark.stack

CLOCK = datetime(2026, 2, 2, 2, 40, tzinfo=UTC)


def request(**changes: object) -> JobRequested:
    usual = {"job_id": uuid4(), "job_type": JobType.SCHEDULED, "requested_at": SYSTEM_CLOCK.now(), **changes}
    return JobRequested.model_validate(usual)


async def test_an_event_alone_makes_the_row_and_a_replayed_one_makes_no_second(world: World) -> None:
    asked = request(correlation_id="c-1")
    await world.jobs.accept([asked, asked])
    await world.jobs.accept([asked])
    row = await world.database.fetchrow("SELECT * FROM jobs")
    assert row is not None
    assert (row["id"], row["job_type"], row["status"], row["correlation_id"]) == (
        asked.job_id, "scheduled", "pending", "c-1",
    )  # fmt: skip
    assert await world.count("jobs") == 1


async def test_an_event_wakes_the_row_that_the_gateway_made_and_changes_nothing_else(world: World) -> None:
    asked = request(job_type=JobType.MANUAL, reason="not this one")
    await world.database.execute(
        """INSERT INTO jobs (id, job_type, status, reason, wake_at)
           VALUES ($1, 'manual', 'pending', 'the gateway''s', now() + interval '5 s')""",
        asked.job_id,
    )
    assert await world.jobs.lease(10) == []
    await world.jobs.accept([asked])
    (job,) = await world.jobs.lease(10)
    assert (job.id, job.started_now) == (asked.job_id, True)
    assert await world.database.fetchval("SELECT reason FROM jobs") == "the gateway's"


async def test_an_event_of_a_job_that_runs_or_is_over_changes_nothing(world: World) -> None:
    asked = request()
    await world.jobs.accept([asked])
    (job,) = await world.jobs.lease(10)
    before = await world.database.fetchrow("SELECT * FROM jobs")
    await world.jobs.accept([asked])
    assert await world.database.fetchrow("SELECT * FROM jobs") == before
    await world.record(job)
    await world.closing.end(job.id)
    before = await world.database.fetchrow("SELECT * FROM jobs")
    await world.jobs.accept([asked])
    assert await world.database.fetchrow("SELECT * FROM jobs") == before


async def test_a_request_of_a_user_that_is_not_there_is_a_job_without_a_user(world: World) -> None:
    """The sandbox of a restored database, or a user deleted meanwhile: no reason to lose the night's run."""
    await world.jobs.accept([request(triggered_by=uuid4())])
    row = await world.database.fetchrow("SELECT status, triggered_by FROM jobs")
    assert row is not None
    assert tuple(row) == ("pending", None)


@pytest.mark.parametrize(
    "wrong",
    [
        {"force_processing": True},
        {"force_processing": True, "invoice_ids": ("s-1",)},
        {"force_processing": True, "reason": "all of it"},
        {"force_processing": True, "invoice_ids": (), "reason": "none of it"},
    ],
)
async def test_force_without_ids_or_a_reason_is_a_failed_job_that_says_so(
    world: World, wrong: dict[str, object]
) -> None:
    bad, good = request(**wrong), request()
    await world.jobs.accept([bad, good])
    assert [job.id for job in await world.jobs.lease(10)] == [good.job_id]
    row = await world.database.fetchrow("SELECT status, error, error_message FROM jobs WHERE id = $1", bad.job_id)
    assert row is not None
    assert row["status"] == "failed"
    assert row["error"] == {"code": "INVALID_REQUEST", "message": row["error_message"], "details": {}}
    assert [event.job_id for event in await world.closing.unannounced()] == [bad.job_id]


async def test_a_request_that_the_database_refuses_does_not_stop_the_others(world: World) -> None:
    bad = request().model_copy(update={"reason": "a\x00b"})
    requests = [request(), bad, request()]
    await world.jobs.accept(requests)
    statuses = {row["id"]: row["status"] for row in await world.database.fetch("SELECT id, status FROM jobs")}
    assert statuses == {r.job_id: "failed" if r is bad else "pending" for r in requests}


async def test_a_lease_belongs_to_one_at_a_time_and_runs_out(world: World) -> None:
    await world.jobs.accept([request() for _ in range(6)])
    leases = await asyncio.gather(*(world.jobs.lease(4) for _ in range(3)))
    taken = [job.id for leased in leases for job in leased]
    assert len(taken) == len(set(taken)) == 6
    assert await world.jobs.lease(10) == []
    await world.database.execute("UPDATE jobs SET wake_at = now() - interval '1 s'")
    again = await world.jobs.lease(10)
    assert len(again) == 6
    assert not any(job.started_now for job in again)
    assert {job.version for job in again} == {2}


async def test_only_the_owner_of_a_lease_renews_it(world: World) -> None:
    job = await world.job()
    await world.database.execute("UPDATE jobs SET wake_at = now()")
    await world.jobs.renew([replace(job, token=uuid4())])
    assert await world.database.fetchval("SELECT wake_at <= now() FROM jobs")
    await world.jobs.renew([job])
    assert await world.database.fetchval("SELECT wake_at > now() + interval '10 s' FROM jobs")


async def test_a_listing_that_failed_keeps_what_it_has_and_is_told_once(world: World) -> None:
    job = await world.job()
    await world.record(job, item("s-1"), more="c")
    error = {"code": "EXTERNAL_API_ERROR", "message": "answered 503", "details": {"status_code": 503}}
    event = await world.jobs.listing_failed(job, error)
    assert event is not None
    assert event.version == job.version + 1
    assert await world.jobs.listing_failed(job, error) is None
    assert await world.closing.finished() == []  # its row is still open
    await world.database.execute("UPDATE invoices SET stage = 'failed', status = 'failed', reason = 'invalid'")
    ended = await world.closing.end(job.id)
    assert ended is not None
    row = await world.database.fetchrow("SELECT status, error, error_message, results FROM jobs")
    assert row is not None
    assert (row["status"], row["error"], row["error_message"]) == ("failed", error, "answered 503")
    assert (row["results"]["total_invoices"], row["results"]["failed"]) == (1, 1)


async def watermark(world: World) -> tuple[datetime, UUID] | None:
    row = await world.database.fetchrow("SELECT modified_since, job_id FROM watermarks")
    return (row["modified_since"], row["job_id"]) if row else None


async def listed_at(world: World, clock: datetime | None, **asked: object) -> LeasedJob:
    """A job of two pages; the source's clock goes on between them."""
    job = await world.job(**asked)
    await world.pages.record(job, page(following="c", clock=clock))
    assert await watermark(world) is None or (await watermark(world)) != (clock, job.id)
    later = clock + timedelta(minutes=5) if clock else None
    await world.pages.record(after(job, "c"), page(cursor="c", clock=later))
    return job


async def test_the_watermark_is_the_sources_clock_at_the_first_page_once_the_listing_is_complete(world: World) -> None:
    job = await listed_at(world, CLOCK)
    assert await watermark(world) == (CLOCK, job.id)


async def test_the_next_job_looks_from_the_watermark_less_the_overlap_and_does_so_after_a_kill_too(
    world: World,
) -> None:
    assert (await listed_at(world, CLOCK)).since is None
    job = await world.job()
    assert job.since == CLOCK - OVERLAP
    await world.database.execute("UPDATE watermarks SET modified_since = now()")
    await world.database.execute("UPDATE jobs SET wake_at = now() WHERE id = $1", job.id)
    (again,) = await world.jobs.lease(10)
    assert again.since == CLOCK - OVERLAP


async def test_a_job_with_ids_neither_looks_from_the_watermark_nor_moves_it(world: World) -> None:
    first = await listed_at(world, CLOCK)
    filtered = await listed_at(world, CLOCK + timedelta(days=1), invoice_ids=("s-1",))
    assert filtered.since is None
    assert await watermark(world) == (CLOCK, first.id)


async def test_a_listing_that_failed_moves_nothing(world: World) -> None:
    job = await world.job()
    await world.pages.record(job, page(following="c", clock=CLOCK))
    await world.jobs.listing_failed(job, {"code": "X", "message": "x", "details": {}})
    assert await watermark(world) is None


async def test_a_source_without_a_clock_is_listed_whole_each_time(world: World) -> None:
    await listed_at(world, None)
    assert (await world.job()).since is None


async def test_after_seven_days_everything_is_listed_again(world: World) -> None:
    await listed_at(world, CLOCK)
    await world.database.execute("UPDATE watermarks SET full_listing_at = now() - interval '6 d 23 h'")
    await listed_at(world, CLOCK + timedelta(hours=1))  # not a full one: the week goes on
    await world.database.execute("UPDATE watermarks SET full_listing_at = full_listing_at - interval '2 h'")
    job = await listed_at(world, CLOCK + timedelta(days=1))
    assert job.since is None
    assert await world.database.fetchval("SELECT full_listing_at > now() - interval '1 min' FROM watermarks")


async def test_the_watermark_never_goes_back_unless_everything_was_listed(world: World) -> None:
    """A source whose clock was in the future once would otherwise hide its documents for ever."""
    await listed_at(world, CLOCK + timedelta(days=9000))
    await listed_at(world, CLOCK)
    assert await watermark(world) is not None
    assert (await watermark(world) or (None,))[0] == CLOCK + timedelta(days=9000)
    await world.database.execute("UPDATE watermarks SET full_listing_at = now() - interval '8 d'")
    job = await listed_at(world, CLOCK + timedelta(days=1))
    assert await watermark(world) == (CLOCK + timedelta(days=1), job.id)
