"""The sweeper: it does not announce, it works.

Each replica leases due rows of the stages that its service owns and hands them to the same function as the handler.
The lease is a new version, so that an older announcement finds the row taken.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import structlog

from common.db.pool import Database
from common.errors import ClearfactsError
from common.invoice.stage import Stage
from common.observability import metrics

log = structlog.get_logger()

Key = tuple[UUID, int]
"""(row id, version)"""

_LEASE = """
WITH due AS (
    SELECT id FROM invoices WHERE stage = {stage} AND wake_at <= now() AND ({condition})
    ORDER BY wake_at LIMIT $1 FOR UPDATE SKIP LOCKED
)
UPDATE invoices i SET version = i.version + 1, wake_at = now() + $2 FROM due WHERE i.id = due.id
RETURNING i.id, i.version
"""


@dataclass(frozen=True, slots=True)
class Sweep:
    """One kind of row to look after: its stage, a constant SQL condition, and what works it."""

    stage: Stage
    work: Callable[[Sequence[Key]], Awaitable[None]]
    condition: str = "true"
    lease: timedelta | None = None
    """How long a leased row is left to the work; the sweeper's own where not given."""


class Sweeper:
    """Runs every `every` until cancelled; an error is logged and the next round comes."""

    def __init__(
        self,
        database: Database,
        sweeps: Sequence[Sweep],
        *,
        service: str,
        every: timedelta = timedelta(seconds=1),
        batch: int = 200,
        lease: timedelta = timedelta(minutes=2),
    ) -> None:
        self._database = database
        self._sweeps = sweeps
        self._service = service
        self._every = every.total_seconds()
        self._batch = batch
        self._lease = lease

    async def run(self) -> None:
        while True:
            for sweep in self._sweeps:
                await self._drain(sweep)
            await asyncio.sleep(self._every)

    async def _drain(self, sweep: Sweep) -> None:
        try:
            while len(keys := await self.once(sweep)) == self._batch:
                log.info("sweep_continues", stage=sweep.stage, rows=len(keys))
        except ClearfactsError as error:
            log.warning("sweep_failed", stage=sweep.stage, error=str(error))

    async def once(self, sweep: Sweep) -> list[Key]:
        """Lease one batch of due rows and work it; return what was leased."""
        sql = _LEASE.format(stage=f"'{sweep.stage}'", condition=sweep.condition)
        rows = await self._database.fetch(sql, self._batch, sweep.lease or self._lease)
        keys: list[Key] = [(row["id"], row["version"]) for row in rows]
        if keys:
            metrics.SWEPT.labels(self._service, sweep.stage).inc(len(keys))
            await sweep.work(keys)
        return keys
