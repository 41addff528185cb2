"""The sweeper: it does not announce, it works.

Each replica leases due rows of the stages that its service owns and hands them to the same function as the handler.
The lease is a new version, so that an older announcement finds the row taken.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

import structlog

from common.db.pool import Database
from common.db.suspects import DEATHS, forget, mark, suspects_among, unmark
from common.errors import ClearfactsError
from common.invoice.stage import Stage
from common.isolation import Isolation, Steps
from common.observability import metrics

log = structlog.get_logger()

Key = tuple[UUID, int]
"""(row id, version)"""

DIED = "its process ended three times with it alone in hand"

_LEASE = """
WITH due AS (
    SELECT id FROM invoices WHERE stage = {stage} AND wake_at <= now() AND ({condition})
    ORDER BY {first}wake_at LIMIT $1 FOR UPDATE SKIP LOCKED
)
UPDATE invoices i SET version = i.version + 1, wake_at = now() + $2 FROM due WHERE i.id = due.id
RETURNING i.id, i.version
"""
_FAILING = "(id::text = ANY($3)) DESC, "
"""A storm is over when one of those passes."""

_SOON = "UPDATE invoices SET wake_at = now() + interval '5 s' WHERE id = $1 AND version = $2"


async def _leave(key: Key, cause: str) -> None:
    """Where a sweep cannot end its rows: the row keeps its lease and is tried again."""
    log.error("row_left_alone", invoice=str(key[0]), cause=cause)


@dataclass(frozen=True, slots=True)
class Sweep:
    """One kind of row to look after: its stage, a constant SQL condition, and what works it."""

    stage: Stage
    work: Callable[[Sequence[Key]], Awaitable[None]]
    condition: str = "true"
    lease: timedelta | None = None
    """How long a leased row is left to the work; the sweeper's own where not given."""

    park: Callable[[Key, str], Awaitable[None]] | None = None
    """Ends a row that alone makes the work fail unexpectedly or ends its process three times, with the cause."""

    isolation: Isolation | None = None
    """Given where a consumer shares the stage."""


def _lease(sweep: Sweep, *, first: str = "") -> str:
    return _LEASE.format(stage=f"'{sweep.stage}'", condition=sweep.condition, first=first)


@dataclass(slots=True)
class _Round:
    """A sweep with its own isolation."""

    sweep: Sweep
    isolation: Isolation
    steps: Steps[Key] = field(init=False)

    def __post_init__(self) -> None:
        self.steps = Steps(
            key=lambda key: str(key[0]).encode(),
            work=self.sweep.work,
            park=self.sweep.park or _leave,
            probe=self.sweep.work,
        )


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
        self._rounds = [self._round(sweep, service) for sweep in sweeps]
        self._service = service
        self._every = every.total_seconds()
        self._batch = batch
        self._lease = lease

    async def run(self) -> None:
        while True:
            for round_ in self._rounds:
                await self._drain(round_)
            await asyncio.sleep(self._every)

    async def once(self, sweep: Sweep) -> list[Key]:
        """Lease one batch of due rows and work it; return what was leased."""
        return await self._once(self._round(sweep, self._service))

    @staticmethod
    def _round(sweep: Sweep, service: str) -> _Round:
        return _Round(sweep, sweep.isolation or Isolation(f"{service}:sweep:{sweep.stage}"))

    async def _drain(self, round_: _Round) -> None:
        stage = round_.sweep.stage
        try:
            while len(keys := await self._once(round_)) == self._batch:
                log.info("sweep_continues", stage=stage, rows=len(keys))
        except ClearfactsError as error:
            log.warning("sweep_failed", stage=stage, error=str(error))

    async def _once(self, round_: _Round) -> list[Key]:
        sweep = round_.sweep
        lease = sweep.lease or self._lease
        if round_.isolation.storm:
            failing = [key.decode() for key in round_.isolation.failing]
            rows = await self._database.fetch(_lease(sweep, first=_FAILING), 1, lease, failing)
        else:
            rows = await self._database.fetch(_lease(sweep), self._batch, lease)
        keys: list[Key] = [(row["id"], row["version"]) for row in rows]
        if keys:
            metrics.SWEPT.labels(self._service, sweep.stage).inc(len(keys))
            await self._work(round_, keys)
        return keys

    async def _work(self, round_: _Round, keys: Sequence[Key]) -> None:
        suspects = await suspects_among(self._database, keys) if round_.sweep.park else set[UUID]()
        try:
            await round_.isolation.take([key for key in keys if key[0] not in suspects], round_.steps)
        except ClearfactsError:
            if round_.isolation.storm:
                await self._look_again_soon(keys)
            raise
        for key in keys:
            if key[0] in suspects:
                await self._alone(round_, key)

    async def _alone(self, round_: _Round, key: Key) -> None:
        """A row whose leases came to nothing: marked while it is in hand, parked once the marks say that it kills."""
        async with self._database.connection() as connection:
            deaths = (await mark(connection, [key[0]]))[key[0]]
        if deaths > DEATHS:
            await round_.steps.park(key, DIED)
            async with self._database.connection() as connection:
                await forget(connection, [key[0]])
            return
        log.warning("row_taken_alone", invoice=str(key[0]), begun=deaths)
        try:
            await round_.isolation.take([key], round_.steps)
        except ClearfactsError as error:
            log.warning("row_not_worked", invoice=str(key[0]), error=str(error))
        async with self._database.connection() as connection:
            await unmark(connection, key[0])

    async def _look_again_soon(self, keys: Sequence[Key]) -> None:
        async with self._database.connection() as connection:
            await connection.executemany(_SOON, list(keys))
