"""Watching jobs: however many watch one, it is read once for all of them."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol
from uuid import UUID

import structlog

from common.clock import Clock
from common.errors import ClearfactsError, InfrastructureError
from gateway.domain.faults import NotFound, TooManyStreams
from gateway.domain.progress import LAST, Reading, Viewer

log = structlog.get_logger()

SHARE = 20
"""A reading pauses for this many times its own cost: counting must never be what the database does."""


class Readings(Protocol):
    async def progress(self, job_id: UUID, viewers: Sequence[Viewer]) -> tuple[Reading | None, frozenset[Viewer]]:
        """How far it is, None where there is no such job, and those of `viewers` whose tokens have ended."""
        ...


@dataclass(frozen=True, slots=True)
class Limits:
    """Streams at once; how long one lives, so that who may watch is asked anew; seconds between two readings."""

    per_user: int
    total: int
    life: timedelta = timedelta(hours=1)
    every: float = 1.0
    longest_pause: float = 15.0


@dataclass
class Watch:
    """One job, and all in this process who watch it. Whoever first finds a reading due makes it for all."""

    job_id: UUID
    readings: Readings
    clock: Clock
    limits: Limits
    viewers: Counter[Viewer] = field(default_factory=Counter[Viewer])
    barred: frozenset[Viewer] = frozenset()
    due: float = 0.0
    _latest: Reading | None = None
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def latest(self) -> Reading | None:
        """Not older than `limits` allow; None where there is no such job. A database that is away is waited for.

        Raises ClearfactsError where there was no reading at all yet.
        """
        if self._is_due():
            async with self._turn:
                if self._is_due():
                    await self._read()
        return self._latest

    def _is_due(self) -> bool:
        return self._latest is None or (not self._latest.ended and self.clock.monotonic() >= self.due)

    async def _read(self) -> None:
        begun, pause = self.clock.monotonic(), self.limits.every
        try:
            self._latest, self.barred = await self.readings.progress(self.job_id, list(self.viewers))
            cost = self.clock.monotonic() - begun
            pause = min(max(pause, SHARE * cost), self.limits.longest_pause)
        except ClearfactsError as error:
            if self._latest is None:
                raise
            log.warning("progress_unknown", job_id=str(self.job_id), error=str(error))
        finally:  # also for whoever goes away while reading: the next one must not be earlier for it
            self.due = self.clock.monotonic() + pause


@dataclass
class Seat:
    """A place in front of a job. `after`: the number of the last event that this viewer has seen."""

    watch: Watch
    viewer: Viewer
    after: int
    until: float
    over: bool = False
    leave: asyncio.Event = field(default_factory=asyncio.Event)

    async def readings(self) -> AsyncGenerator[Reading, None]:
        """What is new to this viewer, the end as the last one; without it where the viewer has to come again."""
        seen, watch = self.after, self.watch
        while not self.over:
            reading = await watch.latest()
            if reading is None or self.viewer in watch.barred:
                return
            if reading.ended or reading.number > seen:
                yield reading
            if reading.ended or not await self._pause():
                return
            seen = max(seen, reading.number)

    async def _pause(self) -> bool:
        """Until the next reading is due; False where the viewer has to go."""
        now = self.watch.clock.monotonic()
        if now >= self.until:
            return False
        try:
            async with asyncio.timeout(min(self.watch.due, self.until) - now):
                await self.leave.wait()
        except TimeoutError:
            return True
        return False


class Watches:
    """Everybody who watches a job in this process."""

    def __init__(self, readings: Readings, clock: Clock, limits: Limits) -> None:
        self._open: Callable[[UUID], Watch] = lambda job_id: Watch(job_id, readings, clock, limits)
        self._clock = clock
        self._limits = limits
        self._watches: dict[UUID, Watch] = {}
        self._seats: list[Seat] = []
        self._stopping = False

    @asynccontextmanager
    async def seat(self, job_id: UUID, viewer: Viewer, *, after: int) -> AsyncGenerator[Seat, None]:
        """Raises NotFound, TooManyStreams, or InfrastructureError while the process stops."""
        self._refuse_crowds(viewer.user_id)
        watch = self._watches.get(job_id) or self._watches.setdefault(job_id, self._open(job_id))
        seat = Seat(watch, viewer, after, self._clock.monotonic() + self._limits.life.total_seconds())
        watch.viewers[viewer] += 1
        self._seats.append(seat)
        try:
            if (first := await watch.latest()) is None:
                raise NotFound("job", str(job_id))
            seat.over = first.ended and after == LAST
            yield seat
        finally:
            self._seats.remove(seat)
            self._leave(watch, viewer)

    async def drain(self) -> None:
        """Everybody goes, to come again where another replica answers; nobody new is taken."""
        self._stopping = True
        for seat in self._seats:
            seat.leave.set()

    def _refuse_crowds(self, user_id: UUID) -> None:
        if self._stopping:
            raise InfrastructureError("this replica is stopping")
        if len(self._seats) >= self._limits.total:
            raise TooManyStreams("everybody", self._limits.total)
        if sum(seat.viewer.user_id == user_id for seat in self._seats) >= self._limits.per_user:
            raise TooManyStreams("one user", self._limits.per_user)

    def _leave(self, watch: Watch, viewer: Viewer) -> None:
        watch.viewers[viewer] -= 1
        watch.viewers += Counter()  # drops who has no seat left
        if not watch.viewers and self._watches.get(watch.job_id) is watch:
            del self._watches[watch.job_id]
