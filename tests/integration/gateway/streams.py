"""The API behind a real server in this process, and a browser that reads its events."""

import asyncio
import socket
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
import orjson
import uvicorn

from common.db.pool import Database
from gateway.domain.access import User
from tests.integration.gateway.world import RealWorld


@dataclass(frozen=True)
class Event:
    name: str
    id: int
    data: dict[str, Any]


@dataclass
class Served:
    """A replica: `stop` ends it as the runtime does."""

    world: RealWorld
    url: str
    server: uvicorn.Server

    async def stop(self) -> None:
        await self.world.watches.drain()
        self.server.should_exit = True


@asynccontextmanager
async def served(world: RealWorld, port: int = 0) -> AsyncGenerator[Served, None]:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    server = uvicorn.Server(uvicorn.Config(world.api(), log_config=None, lifespan="off"))
    replica = Served(world, f"http://127.0.0.1:{listener.getsockname()[1]}", server)
    async with asyncio.TaskGroup() as tasks:
        serving = tasks.create_task(server._serve(sockets=[listener]))  # pyright: ignore[reportPrivateUsage]
        try:
            yield replica
        finally:
            await replica.stop()
            await serving


async def events(
    replica: Served, user: User, job: UUID, *, seen: int | None = None, http: httpx.AsyncClient | None = None
) -> AsyncGenerator[Event, None]:
    """Until the stream ends; raises httpx.HTTPStatusError for a refusal. 204 is a stream without events."""
    headers = replica.world.signs_in(user) | ({} if seen is None else {"Last-Event-ID": str(seen)})
    client = http or httpx.AsyncClient(timeout=30, trust_env=False)
    try:
        async with client.stream("GET", f"{replica.url}/api/v1/jobs/{job}/events", headers=headers) as answer:
            answer.raise_for_status()
            fields: dict[str, str] = {}
            async for line in answer.aiter_lines():
                if line.startswith(":"):
                    continue
                if line:
                    name, _, value = line.partition(": ")
                    fields[name] = value
                elif fields:
                    yield Event(fields["event"], int(fields["id"]), orjson.loads(fields["data"]))
                    fields = {}
    finally:
        if http is None:
            await client.aclose()


async def finish(database: Database, job: UUID, rows: Sequence[UUID] = ()) -> None:
    """As the fetcher ends a job whose rows were sent."""
    await database.execute(
        "UPDATE invoices SET stage = 'sent', status = 'sent', version = version + 1 WHERE id = ANY($1::uuid[])",
        list(rows),
    )
    results = {"total_invoices": len(rows), "processed": len(rows), "amounts": {"sent": {"EUR": "12.30"}}}
    await database.execute(
        "UPDATE jobs SET status = 'completed', completed_at = now(), version = version + 1, results = $2 WHERE id = $1",
        job,
        results,
    )
