"""Many browsers that watch one job, and what that costs the database."""

import asyncio
import random
from contextlib import AsyncExitStack
from dataclasses import dataclass
from uuid import UUID

from benchmarks.reads.wire import Wire, get
from common.clock import SYSTEM_CLOCK
from common.db.pool import Database

BROWSERS = 200
SETTLE = 2.0
"""Seconds after the last browser sat down: each of them signed in by a statement of its own."""
ROWS = 300
_JOB = """
INSERT INTO jobs (id, job_type, status, started_at, listed_at) VALUES ($1, 'manual', 'running', now(), now())
"""
_ROWS = """
INSERT INTO invoices (job_id, invoice_id, ubl_data, status, stage, raw_sha256)
SELECT $1, 'WATCHED-' || n, '<Invoice/>', 'pending', 'validated', '\\x00' FROM generate_series(1, $2::int) AS s(n)
"""
_MOVE = """
UPDATE invoices SET version = version + 1 WHERE id = (SELECT id FROM invoices WHERE job_id = $1 LIMIT 1 OFFSET $2)
"""
_COMMITTED = "SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = current_database()"
_OF_COUNTING = 2
_SHOW_ALL = "SELECT pg_stat_clear_snapshot(), pg_stat_force_next_flush()"


@dataclass(frozen=True, slots=True)
class Watched:
    """Statements a second of the gateway with and without `browsers`; events that all of them were told."""

    browsers: int
    seconds: float
    statements: float
    without: float
    events: int


async def watch(database: Database, port: int, token: str, *, seconds: float, browsers: int = BROWSERS) -> Watched:
    """A job of which a row moves twice a second; nothing but the gateway may use the database."""
    job = SYSTEM_CLOCK.new_id()
    await database.execute(_JOB, job)
    await database.execute(_ROWS, job, ROWS)
    without = await _statements(database, job, seconds)
    events = 0

    async def browse(wire: Wire) -> None:
        nonlocal events
        while line := await wire.line():
            events += line.startswith(b"event: progress")

    async with AsyncExitStack() as stack, asyncio.TaskGroup() as tasks:
        request = get(f"/api/v1/jobs/{job}/events", token)
        for _ in range(browsers):
            wire = await Wire.open(port)
            stack.callback(wire.close)
            wire.begin(request)
            tasks.create_task(browse(wire))
        await asyncio.sleep(SETTLE)
        told = events
        statements = await _statements(database, job, seconds)
        told = events - told
        await database.execute("UPDATE jobs SET status = 'completed', completed_at = now() WHERE id = $1", job)
    return Watched(browsers, seconds, statements, without, told)


async def _statements(database: Database, job: UUID, seconds: float) -> float:
    """A second, less the own ones."""
    chance, own = random.Random(1), 0
    before, began = await _committed(database), SYSTEM_CLOCK.monotonic()
    while SYSTEM_CLOCK.monotonic() - began < seconds:
        await database.execute(_MOVE, job, chance.randrange(ROWS))
        own += 1
        await asyncio.sleep(0.5)
    after, took = await _committed(database), SYSTEM_CLOCK.monotonic() - began
    return (after - before - own - _OF_COUNTING) / took


async def _committed(database: Database) -> int:
    """A session tells the server once a second at most what it did."""
    await asyncio.sleep(1.1)
    await database.execute(_SHOW_ALL)
    return int(await database.fetchval(_COMMITTED))
