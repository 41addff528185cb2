"""The pump: claims what may be sent, keeps the destination busy, settles what came of it.

Claimed and announced rows wait in memory (`prefetch`), so that a worker never waits for the database: without it the
pump reaches 0.8 of the destination's limit instead of 0.98.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

import structlog

from common.clock import SYSTEM_CLOCK, Clock
from common.errors import ClearfactsError
from common.invoice.move import Moved
from common.observability import metrics
from sender.domain import Claim, Settlement, release, settle
from sender.gate import FIRST_HALT, Gate
from sender.ports import Destination, Due
from sender.settling import Settler

log = structlog.get_logger()

Announce = Callable[[Sequence[Moved]], Awaitable[None]]

CLAIM_PAUSE = 0.025
LOOK_EVERY = 0.5
STALLED_AFTER = timedelta(seconds=15)
_STALLED = STALLED_AFTER.total_seconds()


class Pump:
    """One per process. A slot of the gate's is taken from the claim until the answer."""

    def __init__(
        self,
        claims: Due,
        destination: Destination,
        settler: Settler,
        gate: Gate,
        *,
        announce: Announce,
        deadline: timedelta,
        lease: timedelta,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._claims = claims
        self._destination = destination
        self._settler = settler
        self._gate = gate
        self._announce = announce
        self._deadline = deadline.total_seconds()
        self._lease = lease
        self._clock = clock
        self._waiting: asyncio.Queue[Claim] = asyncio.Queue()
        self._taken = 0
        self._bell = asyncio.Event()
        self._freed = asyncio.Event()
        self._turn = 0
        self._claiming = asyncio.Lock()
        self._moved_at = clock.monotonic()
        gate.on_change(self._look_again)

    def ring(self) -> None:
        """Something may be due: look now."""
        self._bell.set()

    async def run(self) -> None:
        """Pump until cancelled; call `drain` before."""
        async with asyncio.TaskGroup() as tasks:
            workers = 0
            while True:
                for place in range(workers, self._gate.ceiling):  # a higher ceiling needs more, a lower one no fewer
                    tasks.create_task(self._send_for_ever(place))
                workers = max(workers, self._gate.ceiling)
                await self._fill()

    async def drain(self) -> None:
        """Stop claiming, give back what has not left, wait for what has (at most the deadline)."""
        self._gate.stop()
        async with self._claiming:
            pass  # a claim in the making ends first: left alone, its rows would run out and be held
        self._give_back()
        try:
            async with asyncio.timeout(self._deadline + 5.0):
                await self._until(lambda: not self._taken)
        except TimeoutError:
            log.warning("left_in_flight", sends=self._taken)
        await self._settler.drain()

    async def stalled(self) -> str | None:
        """What is due, although slots are free and nothing is shut, and has not been claimed for a while."""
        if self._gate.closed or self._free < 1 or self._clock.monotonic() < self._moved_at + _STALLED:
            return None
        overdue = set(await self._claims.dossiers_due(STALLED_AFTER)) - self._gate.paused
        still = self._clock.monotonic() >= self._moved_at + _STALLED
        return f"rows of {len(overdue)} administrations are due and none is claimed" if overdue and still else None

    async def _fill(self) -> None:
        """Claim when it pays: a quarter of the slots free, or some for a while."""
        try:
            async with asyncio.timeout(CLAIM_PAUSE):
                await self._until(lambda: self._free >= self._gate.slots / 4)
        except TimeoutError:
            await self._until(lambda: self._free >= 1)
        self._bell.clear()
        async with self._claiming:
            claimed = await self._claim_if_open()
        if not claimed:  # fewer than were free may only be a fair share: more may be due
            await self._wait_for_the_bell()

    async def _claim_if_open(self) -> int:
        if self._gate.closed:
            self._moved_at = self._clock.monotonic()  # a wait that is meant is no standstill, nor just after its end
            return 0
        return await self._claim(self._free)

    async def _wait_for_the_bell(self) -> None:
        try:
            async with asyncio.timeout(LOOK_EVERY):
                await self._bell.wait()
        except TimeoutError:
            pass

    @property
    def _free(self) -> int:
        return self._gate.slots - self._taken

    async def _until(self, true: Callable[[], bool]) -> None:
        while not true():
            self._freed.clear()
            await self._freed.wait()

    async def _claim(self, free: int) -> int:
        try:
            dossiers = [dossier for dossier in await self._claims.dossiers_due() if dossier not in self._gate.paused]
            if not dossiers:
                return 0
            self._turn = (self._turn + 1) % len(dossiers)
            pairs = await self._claims.claim([*dossiers[self._turn :], *dossiers[: self._turn]], free, self._lease)
        except ClearfactsError as error:
            log.warning("not_claimed", error=str(error))
            return 0
        self._taken += len(pairs)
        if pairs:
            self._moved_at = self._clock.monotonic()
        await self._announce_claims(pairs)
        return len(pairs)

    async def _announce_claims(self, pairs: Sequence[tuple[Claim, Moved]]) -> None:
        """A claim is told before its first byte leaves; a claim that cannot be told goes back."""
        try:
            await self._announce([moved for _, moved in pairs])
        except ClearfactsError as error:
            log.warning("claims_given_back", claims=len(pairs), error=str(error))
            for claim, _ in pairs:
                self._end(release(claim))
            self._gate.halt(FIRST_HALT)
            return
        for claim, _ in pairs:
            self._waiting.put_nowait(claim)

    async def _send_for_ever(self, place: int) -> None:
        while True:
            await self._gate.turn(place)
            claim = await self._waiting.get()
            if not self._gate.has_turn(place):
                self._waiting.put_nowait(claim)
                continue
            await self._gate.token()
            if not self._may_leave(claim):
                self._end(release(claim))
                continue
            began = self._gate.leave()
            with metrics.SENDS_IN_FLIGHT.track_inprogress():
                delivery = await self._destination.deliver(claim)
            self._gate.came_back(delivery, began)
            self._end(settle(claim, delivery, self._clock.chance))

    def _may_leave(self, claim: Claim) -> bool:
        """Directly before the first byte: the lease has the time for a whole call, and nothing speaks against it."""
        in_time = self._clock.monotonic() + self._deadline <= claim.lease_ends
        return in_time and claim.found is None and not claim.too_late and self._lets_pass(claim)

    def _lets_pass(self, claim: Claim) -> bool:
        return not self._gate.closed and claim.dossier not in self._gate.paused

    def _look_again(self) -> None:
        self._moved_at = self._clock.monotonic()
        self._give_back()
        self._freed.set()  # or more may be claimed
        self.ring()

    def _give_back(self) -> None:
        """Release what waits in memory and may not leave now."""
        for _ in range(self._waiting.qsize()):
            claim = self._waiting.get_nowait()
            if self._lets_pass(claim):
                self._waiting.put_nowait(claim)
            else:
                self._end(release(claim))

    def _end(self, settlement: Settlement) -> None:
        self._settler.add(settlement)
        self._taken -= 1
        self._moved_at = self._clock.monotonic()
        self._freed.set()
