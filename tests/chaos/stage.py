"""Where scripts of faults are played: one running system whose documents are put there one by one."""

import asyncio
import shutil
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias
from uuid import uuid4

from common.clock import SYSTEM_CLOCK
from common.contracts.events import JobRequested, JobType
from common.contracts.topics import Topic
from common.kafka import Announcer, make_broker
from tests.chaos.checker import Scope, Verdict
from tests.chaos.points import QUICK, Marksman
from tests.chaos.shelf import Shelf
from tests.chaos.world import World, world

REST = 45.0
SEED = 4
FEW = 4
"""Fewer than the failures in a row after which the sender leaves a destination alone: that is another test's."""


@dataclass(slots=True)
class Stage:
    """Where a script is played: a running system whose destination knows no key, and what the script has put there."""

    world: World
    shelf: Shelf
    marksman: Marksman
    ids: list[str] = field(default_factory=list[str])
    announced: list[str] = field(default_factory=list[str])

    async def put(self, count: int = FEW) -> list[str]:
        """New documents and a job that lists just them."""
        return await self.list_(self.shelf.put(count))

    async def list_(self, ids: list[str]) -> list[str]:
        self.ids += ids
        await self.world.ask(ids)
        return ids

    async def announce(self, jobs: int) -> None:
        """Jobs of which only a record tells, as the schedule asks for them, for a document that is known."""
        broker = make_broker(self.world.infrastructure.kafka_bootstrap, client_id="chaos")
        await broker.start()
        try:
            asked = [
                JobRequested(
                    job_id=uuid4(), job_type=JobType.SCHEDULED, requested_at=SYSTEM_CLOCK.now(), invoice_ids=("none",)
                )
                for _ in range(jobs)
            ]
            await Announcer(broker, source="chaos").announce(Topic.JOBS_REQUESTED, asked)
        finally:
            await broker.stop()
        self.announced += [str(event.job_id) for event in asked]

    async def restart(self, service: str) -> None:
        """Kill -9, and wait for the next process."""
        pid = self.world.pid(service)
        await self.world.infrastructure.kill(service)
        await self.world.replaced(service, pid)


Script: TypeAlias = Callable[[Stage], Awaitable[None]]


def _empty(folder: Path) -> None:
    """Documents of an earlier run would have their numbers taken."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)


@asynccontextmanager
async def stage(data: Path, folder: Path) -> AsyncGenerator[Stage, None]:
    """A system that reads `folder`, with a destination that ignores keys: every second sending shows."""
    await asyncio.to_thread(_empty, folder)
    sandbox = {"SANDBOX_FOLDER": str(folder), "SANDBOX_KEY_LIFE": "0", "SANDBOX_RULES": "[]"}
    env = {**QUICK, "SOURCE_PAGE_SIZE": "5"}
    async with world(data, sandbox=sandbox, env=env, fresh=True) as running:
        yield Stage(running, Shelf(folder, SEED), Marksman(running))


async def judged(on: Stage, script: Script) -> Verdict:
    """The verdict on what a script brings in, after heal and drain; it begins when what came before is over."""
    await on.world.heal()
    await on.world.rest(REST)
    before = on.world.accepted()
    await on.put(1)
    await on.world.until_accepted(before + 1)
    on.ids, on.announced = [], []
    after, since = on.world.accepted(), datetime.now(UTC)  # noqa: TID251 - compared with the database of this machine
    await script(on)
    await on.world.heal()
    await until_heard(on)
    await on.world.rest(REST)
    scope = Scope(frozenset(on.ids), after, since, frozenset(on.announced))
    return await on.world.judge(scope)


async def until_heard(on: Stage, seconds: float = 8.0) -> None:
    """Wait for the rows of announced jobs, not for ever: whether there are all is the checker's question."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while await _missing(on):
                await asyncio.sleep(0.1)


async def _missing(on: Stage) -> bool:
    rows = await on.world.query("SELECT count(*) AS found FROM jobs WHERE id = ANY ($1::uuid[])", on.announced)
    return int(rows[0]["found"]) < len(on.announced)
