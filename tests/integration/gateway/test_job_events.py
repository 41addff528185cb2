"""Jobs watched live: a real server, the real PostgreSQL, browsers that come, go and come again."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from time import monotonic
from uuid import UUID, uuid4

import httpx
import pytest

from common.db.pool import Connection, Database
from gateway.adapters.postgres_progress import PostgresProgress
from gateway.domain.access import User
from gateway.domain.progress import LAST
from gateway.jobs.progress import Limits
from tests.integration.gateway.streams import Event, Served, events, finish, served
from tests.integration.gateway.world import RealWorld, insert_invoice, insert_job

pytestmark = pytest.mark.stack

BROWSERS = 200


class CountedDatabase(Database):
    """Notes each statement that the server is asked, and when."""

    asked: list[tuple[float, str]]

    @asynccontextmanager
    async def connection(self) -> AsyncGenerator[Connection, None]:
        async with super().connection() as connection:
            with connection.query_logger(lambda record: self.asked.append((monotonic(), record.query))):
                yield connection

    @classmethod
    def of(cls, database: Database) -> "CountedDatabase":
        counted = cls(database._pool)  # pyright: ignore[reportPrivateUsage]
        counted.asked = []
        return counted


async def until_end(replica: Served, user: User, job: UUID, *, seen: int | None = None) -> list[Event]:
    return [event async for event in events(replica, user, job, seen=seen)]


async def move(database: Database, row: UUID, stage: str) -> None:
    await database.execute("UPDATE invoices SET stage = $2, version = version + 1 WHERE id = $1", row, stage)


async def test_a_browser_sees_each_stage_and_the_end_and_is_let_go(database: Database) -> None:
    world = RealWorld(database, streams=Limits(5, 5, every=0.05))
    ann, job = await world.admin(), await insert_job(database)
    rows = [await insert_invoice(database, job_id=job, status="pending", stage="fetched") for _ in range(2)]
    await insert_invoice(database, job_id=job, status="failed", stage="failed")
    async with served(world) as replica, asyncio.timeout(20):
        seen = [event async for event in scripted(database, events(replica, ann, job), job, rows)]
    assert [event.name for event in seen] == ["progress", "progress", "end"]
    assert [event.data["stages"] for event in seen] == [
        {"failed": 1, "fetched": 2},
        {"failed": 1, "fetched": 1, "validated": 1},
        {},
    ]
    assert (seen[0].data["results"]["total_invoices"], seen[0].data["results"]["open"]) == (3, 2)
    assert (seen[-1].data["status"], seen[-1].data["results"]["amounts"]) == ("completed", {"sent": {"EUR": "12.30"}})
    numbers = [event.id for event in seen]
    assert numbers == sorted(set(numbers))
    assert numbers[-1] == LAST


async def scripted(
    database: Database, stream: AsyncGenerator[Event, None], job: UUID, rows: list[UUID]
) -> AsyncGenerator[Event, None]:
    """After the first event a row moves on, after the second the job ends."""
    number = 0
    async for event in stream:
        yield event
        number += 1
        if number == 1:
            await move(database, rows[0], "validated")
        elif number == 2:
            await finish(database, job, rows)


async def test_after_a_restart_nothing_is_missed_and_nothing_told_twice(database: Database) -> None:
    world = RealWorld(database, streams=Limits(5, 5, every=0.05))
    ann, job = await world.admin(), await insert_job(database)
    row = await insert_invoice(database, job_id=job, status="pending", stage="fetched")
    async with asyncio.timeout(30):
        async with served(world) as replica:
            stream = events(replica, ann, job)
            first = await anext(stream)
            await replica.stop()
            assert [event async for event in stream] == [], "a stream that the replica ends says nothing wrong"
        await move(database, row, "validated")
        async with served(RealWorld(database, streams=world.streams)) as replica:
            stream = events(replica, ann, job, seen=first.id)
            second = await anext(stream)
            await finish(database, job, [row])
            rest = [event async for event in stream]
    assert (second.data["stages"], second.id > first.id) == ({"validated": 1}, True)
    assert [event.name for event in rest] == ["end"]


async def test_who_has_seen_the_last_change_hears_nothing_until_the_next_one(database: Database) -> None:
    world = RealWorld(database, streams=Limits(5, 5, every=0.05))
    ann, job = await world.admin(), await insert_job(database)
    async with served(world) as replica, asyncio.timeout(20):
        first = await anext(events(replica, ann, job))
        again = asyncio.ensure_future(until_end(replica, ann, job, seen=first.id))
        other = await anext(events(replica, ann, job))
        assert other.id == first.id
        await finish(database, job)
        assert [event.name for event in await again] == ["end"]


async def test_an_end_that_nobody_saw_is_told_and_one_that_was_seen_is_not(database: Database) -> None:
    world = RealWorld(database)
    ann, job = await world.admin(), await insert_job(database)
    await finish(database, job)
    async with served(world) as replica, asyncio.timeout(20):
        assert [event.name for event in await until_end(replica, ann, job, seen=17)] == ["end"]
        async with httpx.AsyncClient(trust_env=False) as http:
            headers = world.signs_in(ann) | {"Last-Event-ID": str(LAST)}
            answer = await http.get(f"{replica.url}/api/v1/jobs/{job}/events", headers=headers)
    assert (answer.status_code, answer.content) == (204, b"")


async def test_two_hundred_browsers_cost_one_statement_a_second(database: Database) -> None:
    counted = CountedDatabase.of(database)
    world = RealWorld(counted)
    ann, job = await world.admin(), await insert_job(database)
    row = await insert_invoice(database, job_id=job, status="pending", stage="fetched")
    async with (
        served(world) as replica,
        httpx.AsyncClient(timeout=30, trust_env=False, limits=httpx.Limits(max_connections=None)) as http,
        asyncio.timeout(60),
    ):
        streams = [events(replica, ann, job, http=http) for _ in range(BROWSERS)]
        firsts = await asyncio.gather(*(anext(stream) for stream in streams))
        began, before = monotonic(), len(counted.asked)
        nexts = [asyncio.ensure_future(anext(stream)) for stream in streams]
        for stage in ("validated", "sending", "unknown", "validated", "sending"):
            await move(database, row, stage)
            seconds = await asyncio.gather(*nexts)
            assert {event.data["stages"].get(stage) for event in seconds} == {1}
            nexts = [asyncio.ensure_future(anext(stream)) for stream in streams]
        asked, took = counted.asked[before:], monotonic() - began
        await finish(database, job, [row])
        ends = await asyncio.gather(*nexts)
    assert {event.id for event in ends} == {LAST}
    assert len({event.id for event in firsts}) == 1
    assert len(asked) <= took + 1, f"{len(asked)} statements in {took:.1f} s"
    print(f"{BROWSERS} browsers: {len(asked)} statements in {took:.1f} s")


async def test_each_change_of_a_job_or_its_rows_is_a_greater_number(database: Database) -> None:
    job = await insert_job(database, status="pending")
    changes = [
        "UPDATE jobs SET status = 'running', version = version + 1 WHERE id = $1",
        (
            "INSERT INTO invoices (job_id, invoice_id, ubl_data, status, stage, raw_sha256) "
            "VALUES ($1, 'A', '<Invoice/>', 'pending', 'fetched', '\\x01')"
        ),
        "UPDATE jobs SET page = page + 1 WHERE id = $1",
        "UPDATE invoices SET stage = 'validated', version = version + 1 WHERE job_id = $1",
        "UPDATE invoices SET stage = 'failed', status = 'failed', version = version + 1 WHERE job_id = $1",
        "UPDATE jobs SET listed_at = now() WHERE id = $1",
        "UPDATE jobs SET cancelled_at = now() WHERE id = $1",
        "UPDATE jobs SET status = 'failed', version = version + 1 WHERE id = $1",
    ]
    readings, numbers = PostgresProgress(database), [await number_of(PostgresProgress(database), job)]
    for change in changes:
        await database.execute(change, job)
        numbers.append(await number_of(readings, job))
    assert numbers == sorted(set(numbers))
    assert numbers[-1] == LAST


async def number_of(readings: PostgresProgress, job: UUID) -> int:
    reading, _ = await readings.progress(job, [])
    assert reading is not None
    return reading.number


@pytest.mark.parametrize("change", ["is_active = FALSE", "token_generation = token_generation + 1"])
async def test_a_user_whose_token_has_ended_sees_no_more(database: Database, change: str) -> None:
    world = RealWorld(database, streams=Limits(5, 5, every=0.05))
    ann, job = await world.admin(), await insert_job(database)
    async with served(world) as replica, asyncio.timeout(20):
        stream = events(replica, ann, job)
        await anext(stream)
        await database.execute(f"UPDATE users SET {change} WHERE id = $1", ann.id)
        assert [event async for event in stream] == []
        with pytest.raises(httpx.HTTPStatusError, match="401"):
            await until_end(replica, ann, job)


async def test_a_job_that_is_not_there_and_one_stream_too_many_are_refused(database: Database) -> None:
    world = RealWorld(database, streams=Limits(1, 5))
    ann, job = await world.admin(), await insert_job(database)
    async with served(world) as replica, asyncio.timeout(20):
        with pytest.raises(httpx.HTTPStatusError, match="404"):
            await until_end(replica, ann, uuid4())
        stream = events(replica, ann, job)
        await anext(stream)
        with pytest.raises(httpx.HTTPStatusError, match="429"):
            await until_end(replica, ann, job)
        await stream.aclose()


async def test_what_the_source_listed_before_counts_as_duplicate_at_once(database: Database) -> None:
    world = RealWorld(database)
    ann, job = await world.admin(), await insert_job(database, page=1)
    known = await insert_invoice(database, job_id=await insert_job(database))
    await database.execute(
        "INSERT INTO job_pages (job_id, page, source_ids, raw_sha256, fates, invoices)"
        " VALUES ($1, 0, ARRAY['A'], ARRAY['\\x01'::bytea], ARRAY['known'], ARRAY[$2::uuid])",
        job,
        known,
    )
    async with served(world) as replica, asyncio.timeout(20):
        stream = events(replica, ann, job)
        first = await anext(stream)
        await stream.aclose()
    assert (first.data["results"]["duplicates"], first.data["results"]["total_invoices"]) == (1, 1)
