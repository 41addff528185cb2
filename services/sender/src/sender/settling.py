"""Settling attempts: outcomes are gathered for some milliseconds and written as one statement, then announced."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import structlog

from common.errors import ClearfactsError, RowFault
from common.halves import in_halves
from common.invoice.move import Moved
from sender.domain import Outcome, Settlement
from sender.ports import Claims

log = structlog.get_logger()

Announce = Callable[[Sequence[Moved]], Awaitable[None]]

GATHER = 0.04
AT_ONCE = 128
_LONGEST_PAUSE = 5.0
_TRIES_FOR_ACCEPTANCE = 5


class Settler:
    """Writes every settlement it is given, however long the database is away: an answer is never forgotten."""

    def __init__(self, claims: Claims, announce: Announce) -> None:
        self._claims = claims
        self._announce = announce
        self._queue: asyncio.Queue[Settlement] = asyncio.Queue()

    def add(self, settlement: Settlement) -> None:
        self._queue.put_nowait(settlement)

    async def run(self) -> None:
        """Settle until cancelled; call `drain` before."""
        async with asyncio.TaskGroup() as tasks:
            for _ in range(2):
                tasks.create_task(self._settle_for_ever())

    async def drain(self) -> None:
        """Wait until everything added is written and announced."""
        await self._queue.join()

    async def _settle_for_ever(self) -> None:
        while True:
            batch = [await self._queue.get()]
            await asyncio.sleep(GATHER)
            while len(batch) < AT_ONCE and not self._queue.empty():
                batch.append(self._queue.get_nowait())
            moved = await self._insist(batch)
            await self._tell(moved)
            for _ in batch:
                self._queue.task_done()

    async def _insist(self, batch: Sequence[Settlement]) -> list[Moved]:
        pause = 0.1
        while True:
            try:
                moved = await in_halves(batch, self._claims.settle, self._without_answer)
                return [*moved, *await self._missed(batch, moved)]
            except ClearfactsError as error:
                log.warning("settling_waits", attempts=len(batch), error=str(error))
                await asyncio.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)

    async def _missed(self, batch: Sequence[Settlement], moved: Sequence[Moved]) -> list[Moved]:
        """Acceptances whose row stood elsewhere for a moment (a lease that ran out meanwhile): look again."""
        found: list[Moved] = []
        open_ = {s.claim.id: s for s in batch if s.outcome is Outcome.ACCEPTED}
        for attempt in range(_TRIES_FOR_ACCEPTANCE):
            for m in moved if attempt == 0 else found:
                open_.pop(m.id, None)
            if not open_:
                return found
            await asyncio.sleep(0.05 * attempt)
            found += await self._claims.settle(list(open_.values()))
        log.info("acceptance_left_to_the_sweep", attempts=len(open_))
        return found

    async def _without_answer(self, settlement: Settlement, fault: RowFault) -> Sequence[Moved]:
        """The database will not hold this answer's text: keep the verdict, drop the text."""
        log.error("answer_not_storable", invoice=str(settlement.claim.id), cause=str(fault))
        return await self._claims.settle([settlement.without_text()])

    async def _tell(self, moved: Sequence[Moved]) -> None:
        try:
            await self._announce(moved)
        except ClearfactsError as error:  # the rows keep their timer: the sweep announces them
            log.warning("outcomes_not_announced", rows=len(moved), error=str(error))
