"""Invoices without end: a job of new documents whenever little of the last ones is left."""

import asyncio
from dataclasses import dataclass

from tests.chaos.world import World

_LOOK = 0.5


@dataclass(slots=True)
class Feeder:
    """Keeps at least `least` rows open; `fed` counts the documents, of which the source had `at_first`."""

    world: World
    per_job: int
    least: int
    most: int | None = None
    fed: int = 0

    async def run(self) -> None:
        """Feed until cancelled, or until `most` documents are fed."""
        while self.most is None or self.fed < self.most:
            if await self._waiting() < self.least:
                await self.world.add(self.per_job)
                self.fed += self.per_job
                await self.world.ask()
                await self._taken_up()
            await asyncio.sleep(_LOOK)

    async def _waiting(self) -> int:
        (row,) = await self.world.query("SELECT count(*) AS open FROM invoices WHERE status = 'pending'")
        return int(row["open"])

    async def _taken_up(self) -> None:
        """Until the job is listed or has failed: its documents are rows, or are for the next one."""
        while (await self.world.query("SELECT count(*) AS jobs FROM jobs WHERE listed_at IS NULL "
                                      "AND status IN ('pending', 'running')"))[0]["jobs"]:  # fmt: skip
            await asyncio.sleep(_LOOK)
