"""Dry runs: their listing is that of jobs, heard by nobody; here they end and are forgotten."""

import asyncio
from collections.abc import Sequence

import structlog

from common.contracts.events import JobEvent
from common.errors import ClearfactsError
from common.invoice.move import Moved
from fetcher.ports import DryRunEnds

log = structlog.get_logger()

EVERY = 1.0
"""Seconds between two looks."""


async def nobody_hears_moves(moved: Sequence[Moved]) -> None:
    """In the place of the announcer."""


async def nobody_hears_jobs(events: Sequence[JobEvent]) -> None:
    """In the place of the announcer."""


class CloseDryRuns:
    def __init__(self, ends: DryRunEnds) -> None:
        self._ends = ends

    async def run(self) -> None:
        while True:
            try:
                await self.close()
            except ClearfactsError as error:
                log.warning("dry_runs_wait", error=str(error))
            await asyncio.sleep(EVERY)

    async def close(self) -> None:
        """End what is done, and forget what has expired; where one cannot be ended the others go on."""
        for run_id in await self._ends.finished():
            try:
                status = await self._ends.end(run_id)
            except ClearfactsError as error:
                log.warning("dry_run_not_ended", job_id=str(run_id), error=str(error))
                continue
            if status:
                log.info("dry_run_ended", job_id=str(run_id), status=status)
        await self._ends.forget()
