"""PostgreSQL restored to an older state has forgotten sends: nothing is claimed or listed until they are given back.

Scenario: the database is copied, hundreds more are sent, the copy is put back.
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from client import ApiError
from local.postgres import DATABASE
from tests.support.system import SHORT_CLOCKS, Running, running_system

pytestmark = pytest.mark.timeout(300)
BEFORE, AFTER = 300, 300
CLOCKS = {**SHORT_CLOCKS, "FULL_LISTING_EVERY": "0.1"}
BACKUP = "backup"
WITH_DATABASE = ("gateway", "fetcher", "validator", "sender", "notifier")
QUIET = 5.0
"""Seconds in which a system that was not careful would have sent dozens."""


@asynccontextmanager
async def maintenance(running: Running) -> AsyncGenerator["asyncpg.Connection[asyncpg.Record]"]:
    url = running.infrastructure.database_url.rsplit("/", 1)[0] + "/postgres"
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()


@asynccontextmanager
async def stopped(running: Running) -> AsyncGenerator[None]:
    """The services are down inside; afterwards they are up, as far as they are without a memory."""
    infrastructure = running.infrastructure
    await asyncio.gather(*[infrastructure.hold(name) for name in WITH_DATABASE])
    yield
    await asyncio.gather(*[infrastructure.release(name) for name in WITH_DATABASE])
    await asyncio.gather(*[infrastructure.wait_ready(name) for name in WITH_DATABASE])


async def back_up(running: Running) -> None:
    async with maintenance(running) as connection:
        await connection.execute(f"CREATE DATABASE {BACKUP} TEMPLATE {DATABASE} STRATEGY FILE_COPY")


async def put_back(running: Running) -> None:
    """Also under services that run: their connections are cut, and the next ones are to the older state."""
    async with maintenance(running) as connection:
        await connection.execute(f"ALTER DATABASE {DATABASE} WITH ALLOW_CONNECTIONS false")
        while await connection.fetchval(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = $1", DATABASE
        ):
            await asyncio.sleep(0.05)
        await connection.execute(f"ALTER DATABASE {DATABASE} RENAME TO lost")
        await connection.execute(f"ALTER DATABASE {BACKUP} RENAME TO {DATABASE}")


async def more_documents(running: Running, count: int) -> Sequence[str]:
    token = running.infrastructure.data.secret("sandbox-token")
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {token}"}) as http:
        url = f"{running.system.url_of('sandbox-source')}/sandbox/documents"
        answer = await http.post(url, json={"count": count})
    return answer.raise_for_status().json()["ids"]


async def memory_of(running: Running, service: str) -> str:
    """What the readiness of a service says about its memory."""
    async with httpx.AsyncClient() as http:
        answer = await http.get(f"{running.system.url_of(service)}/health/ready")
    return answer.json()["parts"]["memory"]


async def ask(running: Running, sql: str) -> Any:
    connection = await asyncpg.connect(running.infrastructure.database_url)
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()


async def until(running: Running, sql: str) -> None:
    while not await ask(running, sql):
        await asyncio.sleep(0.1)


AMNESIA = "SELECT count(*) FROM alerts WHERE kind = 'amnesia' AND closed_at IS NULL"
SANDBOX = {"SANDBOX_COUNT": str(BEFORE), "SANDBOX_LATENCY": "0.01"}


async def test_a_restored_database_sends_nothing_twice_and_loses_nothing(tmp_path: Path) -> None:
    # by the transport that has no key: there nothing but the memory keeps a second sending from being a second document
    env = {**CLOCKS, "DESTINATION_TRANSPORT": "graphql"}
    async with running_system(tmp_path / "system", sandbox=SANDBOX, env=env) as running:
        await running.finish(await running.start_job())
        async with stopped(running):
            await back_up(running)
        await more_documents(running, AFTER)
        assert (await running.finish(await running.start_job())).results.processed == AFTER
        accepted = (await running.prove()).accepted
        async with stopped(running):
            await put_back(running)

        job = await running.start_job()
        await until(running, AMNESIA)
        await asyncio.sleep(QUIET)
        assert (await running.prove()).accepted == accepted, "nothing is sent"
        assert await ask(running, "SELECT count(*) FROM invoices") == BEFORE, "nothing is listed"
        assert [await memory_of(running, name) for name in ("sender", "fetcher")] == ["down", "down"]

        dry = await asyncio.to_thread(running.client.recover, dry_run=True)
        assert (dry.inserted_sent, dry.remembers) == (AFTER, False)
        report = await asyncio.to_thread(running.client.recover, reason="restored by the test")
        assert (report.inserted_sent, report.inserted_unknown, report.remembers) == (AFTER, 0, True)
        done = await running.finish(job)
        assert (done.status, done.results.processed, done.results.duplicates) == ("completed", 0, BEFORE + AFTER)
        await until(running, f"SELECT ({AMNESIA}) = 0")
        assert [await memory_of(running, name) for name in ("sender", "fetcher")] == ["up", "up"]

        await more_documents(running, 20)
        assert (await running.finish(await running.start_job())).results.processed == 20, "it goes on"
        proof = await running.prove()
        assert proof.contradictions == []
        assert proof.twice == 0
        assert proof.accepted == accepted + 20
        with pytest.raises(ApiError, match="remembers every sending"):
            await asyncio.to_thread(running.client.recover)


async def test_a_database_that_becomes_older_under_running_services_is_noticed_before_the_next_claim(
    tmp_path: Path,
) -> None:
    env = {**CLOCKS, "SEND_CONCURRENCY": "8"}
    sandbox = {"SANDBOX_COUNT": "50", "SANDBOX_LATENCY": "0.05"}
    async with running_system(tmp_path / "system", sandbox=sandbox, env=env) as running:
        await running.finish(await running.start_job())
        async with stopped(running):
            await back_up(running)
        await more_documents(running, 400)
        await running.start_job()
        await running.until_sent("", 50 + 150)
        await put_back(running)
        await until(running, AMNESIA)
        await asyncio.sleep(QUIET)  # what was in flight has arrived
        accepted = (await running.prove()).accepted
        await asyncio.sleep(1.0)
        assert (await running.prove()).accepted == accepted < 450, "sending stopped in its middle"

        report = await asyncio.to_thread(running.client.recover, reason="failed over by the test")
        assert report.remembers
        assert report.inserted_sent >= 100
        await running.start_job()
        # what was claimed and never left is absent there: it stays unknown until a lookup may conclude so
        await until(running, "SELECT count(*) >= 450 FROM (SELECT DISTINCT invoice_id FROM invoices) AS listed")
        await until(running, "SELECT count(*) = 0 FROM invoices WHERE stage IN ('fetched', 'validated', 'sending')")
        proof = await running.prove()
        assert (proof.twice, proof.lost, proof.sent_but_not_accepted, proof.accepted_but_unexplained) == (0, (), (), ())
        assert await ask(running, "SELECT count(*) FROM alerts WHERE kind = 'duplicate_suspected'") == 0
