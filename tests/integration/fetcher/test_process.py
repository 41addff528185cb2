"""A real fetcher process on the real Kafka and PostgreSQL, with the sandbox's Java backend."""

import os
import random
import signal
from asyncio import subprocess
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from common.clock import SYSTEM_CLOCK
from common.contracts.events import InvoiceFetched, JobEvent, JobEventKind, JobRequested, JobType
from common.contracts.topics import Topic
from common.db.pool import Database, Row
from sandbox.catalogue import CorpusCatalogue
from sandbox.faults import Behaviour, Effect, Rule
from sandbox.invoices import Corpus
from sandbox.source import Source
from sandbox.web import Listener, listen
from tests.integration.fetcher.process import announce, children, heard, publish, service
from tests.integration.fetcher.world import until

pytestmark = pytest.mark.stack

TOKEN = "a-token"
COUNT = 60


class Backend:
    """The sandbox's source; `corpus` is what it lists."""

    def __init__(self) -> None:
        self.corpus = Corpus(7, COUNT, duplicates=4, malformed=3)
        self.source = Source(CorpusCatalogue(self.corpus), token=TOKEN)
        self.listener: Listener

    def play(self, *rules: Rule, latency: float = 0.0) -> None:
        self.source.player.play(Behaviour(latency=latency, rules=rules))

    @property
    def ids(self) -> set[str]:
        return {self.corpus.key(place)[1] for place in range(COUNT)}


class World:
    def __init__(self, database: Database, url: str, kafka: str, backend: Backend, log: Path) -> None:
        self.database, self.url, self.kafka, self.backend, self.log = database, url, kafka, backend, log

    def fetcher(self, **settings: str) -> AbstractAsyncContextManager[subprocess.Process]:
        usual = {
            "DATABASE_URL": self.url,
            "KAFKA_BOOTSTRAP_SERVERS": self.kafka,
            "SOURCE_URL": f"http://127.0.0.1:{self.backend.listener.port}",
            "SOURCE_TOKEN": TOKEN,
            "SOURCE_PAGE_SIZE": "5",
            "DEFAULT_ADMINISTRATION": "0123456749",
            "JOB_LEASE": "2",
        }
        return service("fetcher", self.log, **{**usual, **settings})

    async def ask(self) -> UUID:
        """Dagster's event, and no row of the gateway's."""
        asked = JobRequested(job_id=uuid4(), job_type=JobType.SCHEDULED, requested_at=SYSTEM_CLOCK.now())
        await announce(self.kafka, Topic.JOBS_REQUESTED, asked)
        return asked.job_id

    async def job(self, job_id: UUID) -> Row | None:
        return await self.database.fetchrow("SELECT * FROM jobs WHERE id = $1", job_id)

    async def until_listed(self, job_id: UUID) -> None:
        async def listed() -> bool:
            job = await self.job(job_id)
            return job is not None and job["listed_at"] is not None

        await until(listed)

    async def until_ended(self, job_id: UUID) -> Row:
        async def ended() -> bool:
            job = await self.job(job_id)
            return job is not None and job["status"] in {"completed", "failed"}

        await until(ended)
        job = await self.job(job_id)
        assert job is not None
        return job

    async def finish_rows(self) -> None:
        """What validator and sender would do, in short."""
        await self.database.execute(
            """UPDATE invoices SET stage = 'failed', status = 'failed', reason = 'refused', wake_at = NULL,
               version = version + 1 WHERE status = 'pending'"""
        )

    async def kinds(self, job_id: UUID) -> list[JobEventKind]:
        events = [JobEvent.model_validate_json(value) for value in await heard(self.kafka, Topic.JOBS_EVENTS)]
        return [event.kind for event in sorted(events, key=lambda e: e.version) if event.job_id == job_id]


@pytest.fixture
async def world(database: Database, database_url: str, kafka_bootstrap: str, tmp_path: Path) -> AsyncGenerator[World]:
    backend = Backend()
    backend.listener = await listen(backend.source.routes(), 0)
    # Nothing of the corpus is ours by number; the settings name every supplier in it.
    yield World(database, database_url, kafka_bootstrap, backend, tmp_path / "fetcher.log")
    backend.listener.stop()


async def test_an_event_alone_becomes_a_job_whose_every_document_is_a_row_that_was_announced(world: World) -> None:
    await publish(world.kafka, Topic.JOBS_REQUESTED, b"this is no request")
    job_id = await world.ask()
    async with world.fetcher():
        await world.until_listed(job_id)
        assert (await world.job(job_id) or {})["status"] == "running"
        await world.finish_rows()
        job = await world.until_ended(job_id)

        async def told() -> bool:
            return (await world.kinds(job_id))[-1:] == [JobEventKind.COMPLETED]

        await until(told)
    assert (job["status"], job["results"]["total_invoices"], job["results"]["open"]) == ("completed", COUNT, 0)
    assert await world.kinds(job_id) == [JobEventKind.STARTED, JobEventKind.SETTLING, JobEventKind.COMPLETED]
    rows = await world.database.fetch("SELECT id, invoice_id, reason FROM invoices")
    assert {row["invoice_id"] for row in rows} == world.backend.ids
    letters = await world.database.fetch("SELECT value, consumer_group FROM dead_letters")
    assert [tuple(letter) for letter in letters] == [(b"this is no request", "fetcher")]


@pytest.mark.parametrize(
    ("effect", "status", "retries"),
    [(Effect.UNAVAILABLE, 503, 1), (Effect.GARBAGE, 200, 1), (Effect.UNAUTHORIZED, 401, 0)],
)
async def test_a_source_that_fails_for_good_fails_the_job_and_what_was_fetched_still_ends(
    world: World, effect: Effect, status: int, retries: int
) -> None:
    world.backend.play(Rule(effect=effect, matching="cursor="))  # pyright: ignore[reportArgumentType]
    job_id = await world.ask()
    async with world.fetcher(SOURCE_RETRIES="1"):
        await world.until_listed(job_id)
        assert await world.database.fetchval("SELECT count(*) FROM invoices") == 5
        await world.finish_rows()
        job = await world.until_ended(job_id)
    assert job["status"] == "failed"
    error: dict[str, Any] = job["error"]
    assert error["code"] == "EXTERNAL_API_ERROR"
    assert error["details"] == {
        "api_endpoint": f"http://127.0.0.1:{world.backend.listener.port}/invoices",
        "status_code": status,
        "retry_count": retries,
        "next_retry_at": None,
    }
    assert (job["results"]["total_invoices"], job["results"]["open"]) == (5, 0)


async def test_a_source_that_is_down_for_a_while_and_a_page_that_shifts_lose_nothing(world: World) -> None:
    world.backend.play(
        Rule(effect=Effect.SHIFT, matching="cursor=", shift=-2, next=3),  # pyright: ignore[reportArgumentType]
        Rule(effect=Effect.RESET_BEFORE, next=2),
    )
    job_id = await world.ask()
    async with world.fetcher():
        await world.until_listed(job_id)
        await world.finish_rows()
        job = await world.until_ended(job_id)
    assert (job["status"], job["results"]["total_invoices"]) == ("completed", COUNT)
    repeated = await world.database.fetchval("SELECT count(*) FROM job_pages, unnest(fates) f WHERE f = 'repeated'")
    assert repeated > 0


async def test_killed_in_the_middle_of_a_listing_another_goes_on_at_the_page_and_announces_what_was_not(
    world: World,
) -> None:
    seed = 20261124
    pages = random.Random(seed).randrange(2, 9)
    print(f"seed {seed}: killed after {pages} pages")
    world.backend.play(latency=0.15)
    job_id = await world.ask()

    async def in_the_middle() -> bool:
        return await world.database.fetchval("SELECT count(*) FROM job_pages") >= pages

    async with world.fetcher() as process:
        await until(in_the_middle)
        process.kill()
        await process.wait()
    recorded = await world.database.fetchval("SELECT count(*) FROM job_pages")
    assert recorded < COUNT / 5
    async with world.fetcher():
        await world.until_listed(job_id)
        fates = await world.database.fetch("SELECT unnest(fates) AS fate FROM job_pages")
        assert {row["fate"] for row in fates} == {"new"}
        assert len(fates) == COUNT
        fetched = {row["id"] for row in await world.database.fetch("SELECT id FROM invoices WHERE stage = 'fetched'")}

        async def all_announced() -> bool:
            values = await heard(world.kafka, Topic.INVOICES_FETCHED)
            return {InvoiceFetched.model_validate_json(value).id for value in values} == fetched

        await until(all_announced)
        await world.finish_rows()
        job = await world.until_ended(job_id)
    assert (job["status"], job["results"]["total_invoices"]) == ("completed", COUNT)


async def test_a_worker_process_killed_in_the_middle_costs_time_only(world: World) -> None:
    world.backend.play(latency=0.1)
    job_id = await world.ask()

    async def begun() -> bool:
        return await world.database.fetchval("SELECT count(*) FROM job_pages") >= 2

    async with world.fetcher() as process:
        await until(begun)
        for child in children(process.pid):
            os.kill(child, signal.SIGKILL)
        await world.until_listed(job_id)
        await world.finish_rows()
        job = await world.until_ended(job_id)
    assert (job["status"], job["results"]["total_invoices"]) == ("completed", COUNT)
