"""The gate: the one object that the pump asks before each claim and each send, and tells what came back.

It knows what this process saw, and what the gatekeeper tells it of the others; it never touches database or network.
"""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import structlog

from common.clock import SYSTEM_CLOCK, Clock
from common.observability import metrics
from sender.domain import Delivery, NotAccepted, OutcomeUnknown
from sender.domain.flow import Aimd, Bucket, Signal, Standing, Window, signal

log = structlog.get_logger()

EVERYTHING = "*"
"""The scope of a switch that pauses all administrations."""
UNKNOWN = Standing(version=0)
"""Before anything was read."""
FIRST_HALT = timedelta(seconds=1)
"""The floor after a 429 that names none."""


class Gate:
    """`ceiling`: the most calls at once. `prefetch`: how many claims may wait in memory when that many are allowed."""

    def __init__(
        self,
        aimd: Aimd,
        *,
        ceiling: int,
        prefetch: int = 0,
        bucket: Bucket | None = None,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self.ceiling = ceiling
        self.needs_keeper = asyncio.Event()
        """Something is to be told to, or asked of, the other replicas now."""
        self._aimd = aimd
        self._prefetch, self._per = prefetch, ceiling
        self._bucket = bucket
        self._clock = clock
        self._window = Window()
        self._standing = UNKNOWN
        self._paused: frozenset[str] = frozenset()
        self._tripped: str | None = None
        self._held_until = float("-inf")
        self._untold_hold: timedelta | None = None
        self._began_again = float("-inf")
        self._in_flight = 0
        self._peak = 0
        self._line = 0
        self.stopped = False
        self._shut = True  # until the first word of the gatekeeper: a pause must outlive a restart
        self._changed = asyncio.Event()
        self._on_change: list[Callable[[], None]] = []
        metrics.SENDS_ALLOWED.set(aimd.limit)

    # What the pump asks

    @property
    def slots(self) -> int:
        """How many rows may be claimed and not yet answered."""
        limit = self._aimd.limit
        slots = limit + self._prefetch * limit // self._per
        return min(slots, self._bucket.most_waiting()) if self._bucket else slots

    @property
    def closed(self) -> bool:
        """Whether nothing may be claimed, and nothing leave."""
        return self._shut or self._clock.monotonic() < self._held_until

    @property
    def paused(self) -> frozenset[str]:
        """The administrations of which nothing may be claimed, and nothing leave."""
        return self._paused

    async def turn(self, place: int) -> None:
        """Wait until a worker of this number, from 0, may work."""
        while place >= self._aimd.limit:
            await self._changed.wait()

    def has_turn(self, place: int) -> bool:
        return place < self._aimd.limit

    async def token(self) -> None:
        """Take a token, where the destination has a known rate; returns without one when the gate closes."""
        self._line += 1
        while not self.closed and (bucket := self._bucket) and not bucket.take(self._clock.monotonic()):
            self.needs_keeper.set()
            await self._changed.wait()
        self._line -= 1

    def leave(self) -> float:
        """A document leaves now; give what this returns to `came_back`."""
        self._in_flight += 1
        self._peak = max(self._peak, self._in_flight)
        return self._clock.monotonic()

    def came_back(self, delivery: Delivery, began: float) -> None:
        """Heed what an answer says of the destination."""
        now, limit = self._clock.monotonic(), self._aimd.limit
        self._in_flight -= 1
        seen = signal(delivery)
        if seen is Signal.WELL:
            self._aimd.well(began, now, self._peak)
        else:
            self._aimd.cut(began, now)
            self._heed(delivery, seen)
        if seen is not Signal.THROTTLED and began >= self._began_again and not self._shut:
            self._judge(delivery, failed=seen is Signal.FAILING)
        if self._aimd.limit != limit:
            self._peak = self._in_flight
            metrics.SENDS_ALLOWED.set(self._aimd.limit)
            self._pulse()

    def halt(self, wait: timedelta) -> None:
        """Nothing for a while, in this process alone."""
        self._held_until = max(self._held_until, self._clock.monotonic() + wait.total_seconds())
        self._tell()

    def stop(self) -> None:
        """Nothing any more."""
        self.stopped = True
        self._settle_shut()

    def on_change(self, call: Callable[[], None]) -> None:
        """`call` whenever the gate may have closed or opened."""
        self._on_change.append(call)

    # What the gatekeeper asks and tells

    @property
    def tripped(self) -> str | None:
        """Why this process wants the breaker open; nothing leaves until the others have been told."""
        return self._tripped

    @property
    def thirsty(self) -> bool:
        """Whether somebody stands in line for a token."""
        return self._line > 0

    def take_untold_hold(self) -> timedelta | None:
        """A floor that the others do not know yet."""
        hold, self._untold_hold = self._untold_hold, None
        return hold

    def learn(self, standing: Standing, paused: frozenset[str]) -> None:
        """What all replicas know now."""
        before, self._standing = self._standing, standing
        self._held_until = max(self._held_until, self._clock.monotonic() + standing.held_for.total_seconds())
        if standing.open:
            self._tripped = None
        elif before.version not in {UNKNOWN.version, standing.version}:  # it was open meanwhile
            self._begin_again()
        metrics.BREAKER_OPEN.set(standing.open)
        was_paused, self._paused = self._paused, paused
        if not self._settle_shut() and was_paused != paused:
            self._tell()

    def regulate(self, *, ceiling: int, rate: float | None) -> None:
        """Other limits from now on. Tokens of another rate are lost: the new one counts from its first moment."""
        if rate != (self._bucket.rate if self._bucket else None):
            self._bucket = Bucket(rate) if rate else None
            self._pulse()
        if ceiling != self.ceiling:
            self.ceiling = ceiling
            self._aimd.bound(ceiling)
            metrics.SENDS_ALLOWED.set(self._aimd.limit)
            self._tell()

    def fill(self, tokens: int) -> None:
        """Tokens that were leased for this process."""
        if self._bucket is not None and tokens:
            self._bucket.fill(tokens, self._clock.monotonic())
            self._pulse()

    def _heed(self, delivery: Delivery, seen: Signal) -> None:
        wait = delivery.wait if isinstance(delivery, NotAccepted) else None
        if wait is None and seen is Signal.THROTTLED:
            wait = FIRST_HALT
        if wait is not None:
            log.warning("destination_wants_a_pause", seconds=wait.total_seconds())
            self._untold_hold = max(wait, self._untold_hold or wait)
            self.needs_keeper.set()
            self.halt(wait)

    def _judge(self, delivery: Delivery, *, failed: bool) -> None:
        if not self._window.add(failed=failed):
            return
        self._tripped = delivery.why if isinstance(delivery, NotAccepted | OutcomeUnknown) else "it fails too often"
        self.needs_keeper.set()
        self._settle_shut()

    def _begin_again(self) -> None:
        """The destination is back: from the start, so that it does not meet a herd."""
        self._began_again = self._clock.monotonic()
        self._tripped = None
        self._window.reset(on_trial=True)
        self._aimd.restart(self._began_again)
        metrics.SENDS_ALLOWED.set(self._aimd.limit)

    def _settle_shut(self) -> bool:
        """Whether it changed, and was told."""
        was = self._shut
        self._shut = self.stopped or bool(self._tripped) or self._standing.open or EVERYTHING in self._paused
        if self._shut is not was:
            self._tell()
        return self._shut is not was

    def _tell(self) -> None:
        self._pulse()
        for call in self._on_change:
            call()

    def _pulse(self) -> None:
        """Wake whoever waits, once."""
        self._changed.set()
        self._changed.clear()
