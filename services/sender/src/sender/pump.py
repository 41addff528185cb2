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
from sender.domain import Claim, Delivery, NotAccepted, Settlement, release, settle
from sender.ports import Destination, Due
from sender.settling import Settler

log = structlog.get_logger()

Announce = Callable[[Sequence[Moved]], Awaitable[None]]

CLAIM_PAUSE = 0.025
LOOK_EVERY = 0.5
FIRST_HALT = timedelta(seconds=1)


class Pump:
    """One per process. `slots` = in flight + prefetch; a slot is taken from the claim until the answer."""

    def __init__(
        self,
        claims: Due,
        destination: Destination,
        settler: Settler,
        *,
        announce: Announce,
        concurrency: int,
        prefetch: int,
        deadline: timedelta,
        lease: timedelta,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._claims = claims
        self._destination = destination
        self._settler = settler
        self._announce = announce
        self._concurrency = concurrency
        self._slots = concurrency + (prefetch if destination.lookup else 0)
        self._deadline = deadline.total_seconds()
        self._lease = lease
        self._clock = clock
        self._waiting: asyncio.Queue[Claim] = asyncio.Queue()
        self._taken = 0
        self._bell = asyncio.Event()
        self._freed = asyncio.Event()
        self._halted_until = 0.0
        self._turn = 0
        self._stopping = False
        self._claiming = asyncio.Lock()

    def ring(self) -> None:
        """Something may be due: look now."""
        self._bell.set()

    async def run(self) -> None:
        """Pump until cancelled; call `drain` before."""
        async with asyncio.TaskGroup() as tasks:
            for _ in range(self._concurrency):
                tasks.create_task(self._send_for_ever())
            while True:
                await self._fill()

    async def drain(self) -> None:
        """Stop claiming, give back what has not left, wait for what has (at most the deadline)."""
        self._stopping = True
        async with self._claiming:
            pass  # a claim in the making ends first: left alone, its rows would run out and be held
        while not self._waiting.empty():
            self._end(release(self._waiting.get_nowait()))
        try:
            async with asyncio.timeout(self._deadline + 5.0):
                await self._free_at_least(self._slots)
        except TimeoutError:
            log.warning("left_in_flight", sends=self._taken)
        await self._settler.drain()

    async def _fill(self) -> None:
        """Claim when it pays: a quarter of the slots free, or some for a while."""
        try:
            async with asyncio.timeout(CLAIM_PAUSE):
                await self._free_at_least(self._slots / 4)
        except TimeoutError:
            await self._free_at_least(1)
        self._bell.clear()
        async with self._claiming:
            claimed = 0 if self._stopping or self._halted() else await self._claim(self._slots - self._taken)
        if not claimed:  # fewer than were free may only be a fair share: more may be due
            await self._wait_for_the_bell()

    async def _wait_for_the_bell(self) -> None:
        try:
            async with asyncio.timeout(LOOK_EVERY):
                await self._bell.wait()
        except TimeoutError:
            pass

    async def _free_at_least(self, slots: float) -> None:
        while self._slots - self._taken < slots:
            self._freed.clear()
            await self._freed.wait()

    async def _claim(self, free: int) -> int:
        try:
            dossiers = await self._claims.dossiers_due()
            if not dossiers:
                return 0
            self._turn = (self._turn + 1) % len(dossiers)
            pairs = await self._claims.claim([*dossiers[self._turn :], *dossiers[: self._turn]], free, self._lease)
        except ClearfactsError as error:
            log.warning("not_claimed", error=str(error))
            return 0
        self._taken += len(pairs)
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
            self._halt(FIRST_HALT)
            return
        for claim, _ in pairs:
            self._waiting.put_nowait(claim)

    async def _send_for_ever(self) -> None:
        while True:
            claim = await self._waiting.get()
            if not self._may_leave(claim):
                self._end(release(claim))
                continue
            with metrics.SENDS_IN_FLIGHT.track_inprogress():
                delivery = await self._destination.deliver(claim)
            self._heed(delivery)
            self._end(settle(claim, delivery, self._clock.chance))

    def _may_leave(self, claim: Claim) -> bool:
        """Directly before the first byte: the lease has the time for a whole call, and nothing speaks against it."""
        in_time = self._clock.monotonic() + self._deadline <= claim.lease_ends
        return in_time and claim.found is None and not self._stopping and not self._halted()

    def _heed(self, delivery: Delivery) -> None:
        """A non-acceptance that is not the document's own stops everybody for a while: hammering helps nobody."""
        if isinstance(delivery, NotAccepted) and delivery.everyone:
            log.warning("destination_not_ready", why=delivery.why, wait=str(delivery.wait))
            self._halt(delivery.wait or FIRST_HALT)

    def _halt(self, wait: timedelta) -> None:
        self._halted_until = max(self._halted_until, self._clock.monotonic() + wait.total_seconds())

    def _halted(self) -> bool:
        return self._clock.monotonic() < self._halted_until

    def _end(self, settlement: Settlement) -> None:
        self._settler.add(settlement)
        self._taken -= 1
        self._freed.set()
