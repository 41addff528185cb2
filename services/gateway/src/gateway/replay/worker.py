"""The worker of replays: takes items batch by batch, watches the canary, stops where too many fail."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta
from uuid import UUID

import structlog

from common.clock import Clock
from common.errors import ClearfactsError
from gateway.domain.letters import replay_headers
from gateway.domain.replays import Await, PassCanary, Start, Stop, next_step
from gateway.replay.ports import AnnounceMoves, Documents, Leased, LeaseLost, Letter, Publish, WhoIsOurs, Work
from ubl.identity import Identity
from ubl.safe import MalformedDocument

log = structlog.get_logger()

AT_ONCE = 4
"""Replays that one replica works side by side."""
MOST_IN_A_BATCH = 250


class Replayer:
    """Runs in every replica; a replay whose worker died is taken up by whoever sees its lease end."""

    def __init__(
        self,
        work: Work,
        documents: Documents,
        who_is_ours: WhoIsOurs,
        *,
        announce: AnnounceMoves,
        publish: Publish,
        clock: Clock,
        every: timedelta = timedelta(seconds=0.25),
    ) -> None:
        self._work = work
        self._documents = documents
        self._who_is_ours = who_is_ours
        self._announce = announce
        self._publish = publish
        self._clock = clock
        self._every = every.total_seconds()
        self._working: set[UUID] = set()

    async def run(self) -> None:
        """Look for replays until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                while len(self._working) < AT_ONCE and (leased := await self._lease()) is not None:
                    self._working.add(leased.id)
                    tasks.create_task(self._one(leased))
                await asyncio.sleep(self._every)

    async def _lease(self) -> Leased | None:
        try:
            return await self._work.lease(self._clock.new_id())
        except ClearfactsError as error:
            log.warning("replays_not_leased", error=str(error))
            return None

    async def _one(self, leased: Leased) -> None:
        try:
            await self.work(leased)
        except LeaseLost:
            log.info("replay_left", replay=str(leased.id))
        except ClearfactsError as error:  # its lease ends, and it is taken up again
            log.warning("replay_given_back", replay=str(leased.id), error=str(error))
        finally:
            self._working.discard(leased.id)

    async def work(self, leased: Leased) -> None:
        """Work a replay until it stops. Raises LeaseLost, or what the database or the broker raise."""
        await self._tell(leased, await self._work.half_done(leased))
        last, saved = self._clock.monotonic(), 1.0
        while True:
            now = self._clock.monotonic()
            last, saved = now, min(MOST_IN_A_BATCH, saved + (now - last) * leased.terms.rate)
            progress = await self._work.progress(leased)
            match next_step(progress, leased.terms, self._clock.now(), allowance=int(saved)):
                case Start(most=most):
                    await self._start(leased, most)
                    saved = max(0.0, saved - most)
                case PassCanary():
                    await self._work.pass_canary(leased)
                case Stop() as stop:
                    await self._work.stop(leased, stop)
                    log.info("replay_stopped", replay=str(leased.id), state=stop.state, note=stop.note)
                    return
                case Await():
                    pass
            await asyncio.sleep(self._every)

    async def _start(self, leased: Leased, most: int) -> None:
        places = await self._places(leased, most)
        started = await self._work.start(leased, most, places, await self._who_is_ours())
        await self._announce(started.moved)
        await self._tell(leased, started.letters)

    async def _places(self, leased: Leased, most: int) -> Mapping[UUID, Identity | MalformedDocument]:
        unplaced = await self._work.unplaced(leased, most)
        if not unplaced:
            return {}
        answers = await self._documents.identify([row.content for row in unplaced])
        return {row.id: answer for row, answer in zip(unplaced, answers, strict=True)}

    async def _tell(self, leased: Leased, letters: Sequence[Letter]) -> None:
        for letter in letters:
            headers = replay_headers(letter.headers, replay_id=leased.id, item_id=letter.item_id)
            await self._publish(letter.topic, letter.key, letter.value, headers)
        if letters:
            await self._work.published(leased, letters)
